//! `cargo xtask test NAME`: the tests of one peer or part, for the time in which one works on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{cargo, count, interop, threads};
use crate::report::Report;

/// Programs of tests that hold all stores to the same promises. A test of theirs has its store in its name.
const ALL_STORES: &str = "stores";

/// What stands in such a program before a store's name.
const ON_A_STORE: &str = "on!($test, ";

/// Names of parts that no program of tests has, and the files of `interop` that belong to them. All of them, where none
/// is named.
const PARTS: [(&str, &[&str]); 2] =
    [("astro", &[]), ("browser", &["actions-client", "astro-config", "browser"])];

/// What a name stands for.
#[derive(Debug, Default, PartialEq)]
struct Tests {
    /// Programs of tests by their packages.
    programs: BTreeMap<String, BTreeSet<String>>,
    /// Modules of a package's program that has the tests of many peers.
    modules: BTreeMap<(String, String), BTreeSet<String>>,
    /// Packages of which all tests are meant.
    packages: BTreeSet<String>,
    /// Packages with a program for all stores, of which the tests with this name are meant.
    stores: BTreeSet<String>,
    /// Files of `interop`.
    files: Vec<String>,
}

/// What there is.
#[derive(Default)]
struct Tree {
    programs: BTreeMap<String, BTreeSet<String>>,
    /// The modules with tests of each program that has any, by its package and its own name.
    modules: BTreeMap<(String, String), BTreeSet<String>>,
    /// The text of each package's program for all stores.
    stores: BTreeMap<String, String>,
    files: BTreeSet<String>,
}

pub(super) fn run(root: &Path, name: &str) -> Report {
    let mut report = Report::default();
    let tree = Tree::read(root);
    match tree.find(name) {
        Some(tests) => tests.run(root, name, &mut report),
        None => report.check("test", Err(format!("nothing is named {name}; {}", tree.names()))),
    }
    report
}

impl Tests {
    fn run(&self, root: &Path, name: &str, report: &mut Report) {
        let stores = self.stores.iter().map(|package| {
            let filter = name.replace('-', "_");
            (package, vec!["--test".to_owned(), ALL_STORES.to_owned(), filter])
        });
        let programs = self.programs.iter().map(|(package, programs)| {
            let programs = programs.iter().flat_map(|name| ["--test".to_owned(), name.clone()]);
            (package, programs.collect())
        });
        let modules = self.modules.iter().map(|((package, program), modules)| {
            let filters = modules.iter().map(|module| format!("{module}::"));
            let program = ["--test".to_owned(), program.clone(), "--".to_owned()];
            (package, program.into_iter().chain(filters).collect())
        });
        let packages = self.packages.iter().map(|package| (package, Vec::new()));
        for (package, chosen) in programs.chain(modules).chain(packages).chain(stores) {
            let arguments = ["test", "--all-features", "--no-fail-fast", "--package", package];
            let mut tests = cargo(root, &arguments);
            threads(tests.args(chosen));
            // A peer that is missing would skip what was asked for.
            count(&format!("tests of {package}"), tests.env("CI", "true"), report);
        }
        if !self.files.is_empty() {
            interop::test_files(root, &self.files, report);
        }
    }
}

impl Tree {
    fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        for folder in ["crates", "examples", "interop"].map(|folder| root.join(folder)) {
            for package in entries(&folder) {
                tree.read_package(&package);
            }
        }
        tree.read_package(&root.join("xtask"));
        let files = entries(&root.join("interop").join(interop::FOLDER));
        let files = files.iter().filter_map(|file| file.file_name()?.to_str());
        tree.files = files
            .filter_map(|file| file.strip_suffix(interop::ENDING))
            .map(str::to_owned)
            .collect();
        tree
    }

    /// The programs are named as cargo names them: by their files, or by the folder of a `main.rs`.
    fn read_package(&mut self, folder: &Path) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"));
        let manifest: Option<toml::Table> = manifest.ok().and_then(|text| text.parse().ok());
        let package = manifest.as_ref().and_then(|manifest| manifest.get("package")?.get("name"));
        let Some(package) = package.and_then(|name| name.as_str()) else { return };
        let programs = entries(&folder.join("tests")).into_iter().filter(|path| {
            path.extension().is_some_and(|extension| extension == "rs")
                || path.join("main.rs").is_file()
        });
        let programs = programs.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        let programs: BTreeSet<String> = programs.collect();
        for program in &programs {
            let modules: BTreeSet<String> = modules(&folder.join("tests").join(program)).collect();
            if !modules.is_empty() {
                self.modules.insert((package.to_owned(), program.clone()), modules);
            }
        }
        self.programs.insert(package.to_owned(), programs);
        if let Ok(text) = fs::read_to_string(folder.join("tests").join(ALL_STORES).join("main.rs"))
        {
            self.stores.insert(package.to_owned(), text);
        }
    }

    fn find(&self, name: &str) -> Option<Tests> {
        let mut tests = Tests::default();
        for (package, programs) in &self.programs {
            if package == name || package.strip_prefix("cloakroom-") == Some(name) {
                tests.packages.insert(package.clone());
                continue;
            }
            let chosen = programs.iter().filter(|program| belongs(program, name));
            let chosen: BTreeSet<String> = chosen.cloned().collect();
            if !chosen.is_empty() {
                tests.programs.insert(package.clone(), chosen);
            }
        }
        for (program, modules) in &self.modules {
            let chosen = modules.iter().filter(|module| belongs(module, name));
            let chosen: BTreeSet<String> = chosen.cloned().collect();
            if !chosen.is_empty() && !tests.packages.contains(&program.0) {
                tests.modules.insert(program.clone(), chosen);
            }
        }
        let is_held = |text: &str| {
            text.split(ON_A_STORE)
                .skip(1)
                .any(|store| belongs(store.split(',').next().unwrap_or_default(), name))
        };
        let stores = self.stores.iter().filter(|(_, text)| is_held(text));
        tests.stores = stores.map(|(package, _)| package.clone()).collect();
        let part = PARTS.iter().find(|(part, _)| *part == name).map(|(_, files)| *files);
        let is_meant = |file: &str| match part {
            Some([]) => true,
            Some(files) => files.contains(&file),
            None => belongs(file, name),
        };
        tests.files = self.files.iter().filter(|file| is_meant(file)).cloned().collect();
        (tests != Tests::default()).then_some(tests)
    }

    /// All that can be asked for. Of names that begin with another one, that one.
    fn names(&self) -> String {
        let mut names: BTreeSet<String> = PARTS.map(|(part, _)| part.to_owned()).into();
        let programs = self.programs.values().chain(self.modules.values()).flatten();
        let programs = programs.map(|program| program.replace('_', "-"));
        names.extend(programs.chain(self.files.iter().cloned()));
        let all = names.clone();
        names.retain(|name| !all.iter().any(|other| other != name && belongs(name, other)));
        let list = |names: Vec<&str>| names.join(", ");
        let packages = self.programs.iter().filter(|(_, programs)| !programs.is_empty());
        format!(
            "there are the crates {}, and the parts {}",
            list(packages.map(|(package, _)| package.as_str()).collect()),
            list(names.iter().map(String::as_str).collect()),
        )
    }
}

/// Whether a program or a file is of this name: `redis_cluster` is of `redis`.
fn belongs(program: &str, name: &str) -> bool {
    let (program, name) = (program.replace('_', "-"), name.replace('_', "-"));
    program.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The files of a program's folder that have tests.
fn modules(folder: &Path) -> impl Iterator<Item = String> {
    let has_tests = |path: &Path| {
        fs::read_to_string(path)
            .is_ok_and(|text| text.contains("#[test]") || text.contains("::test"))
    };
    entries(folder).into_iter().filter_map(move |path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".rs")?.to_owned();
        (name != "main" && has_tests(&path)).then_some(name)
    })
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let programs = [
            ("cloakroom", &["stores"][..]),
            ("cloakroom-session", &["session", "flash"]),
            ("cloakroom-drivers", &["drivers"]),
        ];
        let modules = ["redis", "redis_cluster", "sql", "azure_cosmos"];
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let programs = programs.map(|(package, names)| (package.to_owned(), set(names)));
        let stores = "on!($test, redis_cluster, redis_cluster());".to_owned();
        let stores = [("cloakroom".to_owned(), stores)].into();
        let program = ("cloakroom-drivers".to_owned(), "drivers".to_owned());
        Tree {
            programs: programs.into(),
            modules: [(program, set(&modules))].into(),
            stores,
            files: set(&["redis", "shop", "browser"]),
        }
    }

    #[test]
    fn a_peer_is_its_programs_its_part_of_all_stores_and_its_files() {
        let tests = tree().find("redis").unwrap();
        assert!(tests.programs.is_empty());
        let modules = tests.modules.values().flatten().collect::<Vec<_>>();
        assert_eq!(modules, ["redis", "redis_cluster"]);
        assert_eq!(tests.stores.iter().collect::<Vec<_>>(), ["cloakroom"]);
        assert_eq!(tests.files, ["redis"]);
        assert!(tree().find("azure-cosmos").unwrap().stores.is_empty());
    }

    #[test]
    fn a_crate_is_all_of_its_tests_by_its_whole_name_or_the_end_of_it() {
        let tests = tree().find("session").unwrap();
        assert_eq!(tests.packages.iter().collect::<Vec<_>>(), ["cloakroom-session"]);
        assert!(tests.programs.is_empty() && tests.stores.is_empty());
        assert_eq!(tree().find("cloakroom-session"), Some(tests));
    }

    #[test]
    fn astro_is_all_files_and_an_unknown_name_is_told_what_there_is() {
        assert_eq!(tree().find("astro").unwrap().files, ["browser", "redis", "shop"]);
        assert_eq!(tree().find("red"), None);
        let names = tree().names();
        assert!(names.contains("redis, session, shop, sql"), "{names}");
        assert!(!names.contains("redis-cluster"), "{names}");
    }

    #[test]
    fn the_real_tree_is_read() {
        let tree = Tree::read(&crate::root());
        for name in ["redis", "nats", "sql", "shop", "behaviour", "serde_devalue", "xtask"] {
            assert!(tree.find(name).is_some(), "{name}");
        }
    }
}
