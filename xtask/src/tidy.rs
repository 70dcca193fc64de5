//! `cargo xtask tidy`: what stands in two places must agree, and what was agreed on must hold.

use std::fs;
use std::path::{Path, PathBuf};

use crate::report::Report;
use crate::{examples, mutants, promises, published, table};

type Check = fn(&Tree) -> Result<(), String>;

const CHECKS: [(&str, Check); 12] = [
    ("drivers: file, feature, row, README and conformance test agree", drivers),
    ("each promise about a driver names its test", promises),
    ("dependencies point one way", dependencies),
    ("versions are stated once", versions),
    ("what is published says what it is, and nothing else is", |tree| published::check(&tree.root)),
    ("no file has grown past its concept", sizes),
    ("a module of several files is a folder", folders),
    ("what users meet first is shown in use", shown),
    ("nothing is left unfinished", unfinished),
    ("unsafe code stands where it was argued for", unsafe_code),
    ("links in the documents lead somewhere", links),
    ("each fault that the simulation has to find can be put in", |tree| mutants::fit(&tree.root)),
];

/// Lines that a source file may have before it is asked to be two.
const LONGEST_FILE: usize = 500;

/// Who may stand on whom. Everything else is refused.
const DEPENDENCIES: [(&str, &[&str]); 14] = [
    ("serde_devalue", &[]),
    ("cloakroom-storage", &[]),
    ("cloakroom-drivers", &["cloakroom-storage"]),
    ("cloakroom-derive", &[]),
    ("cloakroom-astro-config", &["serde_devalue"]),
    (
        "cloakroom-session",
        &[
            "serde_devalue",
            "cloakroom-storage",
            "cloakroom-drivers",
            "cloakroom-derive",
            "cloakroom-astro-config",
        ],
    ),
    ("cloakroom-actions", &["serde_devalue", "cloakroom-session"]),
    ("cloakroom-tower", &["cloakroom-session", "cloakroom-actions"]),
    ("cloakroom-actix", &["cloakroom-session", "cloakroom-actions"]),
    ("cloakroom-salvo", &["cloakroom-session"]),
    ("cloakroom-server", &["cloakroom-storage"]),
    ("cloakroom-console", &["cloakroom-session", "cloakroom-actions", "cloakroom-server"]),
    (
        "cloakroom-cli",
        &[
            "cloakroom-storage",
            "cloakroom-drivers",
            "cloakroom-session",
            "cloakroom-server",
            "cloakroom-console",
        ],
    ),
    (
        "cloakroom",
        &[
            "serde_devalue",
            "cloakroom-storage",
            "cloakroom-drivers",
            "cloakroom-session",
            "cloakroom-actions",
            "cloakroom-tower",
            "cloakroom-actix",
            "cloakroom-salvo",
        ],
    ),
];

/// Crates that may know an HTTP framework: each of them one, and the facade all.
const FRAMEWORK_CRATES: [&str; 7] = [
    "cloakroom-tower",
    "cloakroom-actix",
    "cloakroom-salvo",
    "cloakroom-server",
    "cloakroom-console",
    "cloakroom-cli",
    "cloakroom",
];

/// A crate of traits alone, which only the crate of a type can implement for it: behind a feature of the session's.
const TRAITS: (&str, &str) = ("cloakroom-session", "axum-core");

/// Crates of HTTP frameworks, which nothing below the framework crates may know.
const FRAMEWORKS: [&str; 9] = [
    "axum",
    "axum-core",
    "tower",
    "tower-service",
    "tower-layer",
    "http-body",
    "hyper",
    "actix-web",
    "salvo",
];

pub(crate) fn run(root: &Path) -> Report {
    let mut report = Report::default();
    check(root, &mut report);
    report
}

pub(crate) fn check(root: &Path, report: &mut Report) {
    let tree = Tree { root: root.to_owned() };
    println!("\n==> tidy");
    for (name, check) in CHECKS {
        report.check(&format!("tidy: {name}"), check(&tree));
    }
}

struct Tree {
    root: PathBuf,
}

impl Tree {
    fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))
    }

    fn manifest(&self, package: &str) -> Result<toml::Table, String> {
        let path = format!("crates/{package}/Cargo.toml");
        self.read(&path)?.parse().map_err(|error| format!("{path}: {error}"))
    }

    /// Every file that is ours and ends so, relative to the root.
    fn files(&self, ends: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let path = entry.path();
                if path.is_dir() {
                    let skipped = ["target", "node_modules", ".git", "dist", ".astro", ".data"];
                    if !skipped.iter().any(|skipped| name == *skipped) {
                        folders.push(path);
                    }
                } else if path.to_string_lossy().ends_with(ends)
                    && let Ok(relative) = path.strip_prefix(&self.root)
                {
                    files.push(relative.to_string_lossy().into_owned());
                }
            }
        }
        files.sort();
        files
    }
}

/// What holds a driver to the rules.
const SUITE: &str = "conformance::run";

/// The features that are drivers. The others are what a driver can have besides.
pub(crate) fn driver_features(root: &Path) -> Result<Vec<String>, String> {
    let tree = Tree { root: root.to_owned() };
    let manifest = tree.manifest("cloakroom-drivers")?;
    let features = manifest.get("features").and_then(|features| features.as_table());
    let names = features.into_iter().flat_map(|features| features.keys());
    let drivers = driver_names(&tree);
    Ok(names.filter(|name| drivers.contains(name)).cloned().collect())
}

/// Where the drivers are.
const DRIVERS: &str = "crates/cloakroom-drivers";

/// What stands beside the drivers.
const NO_DRIVERS: [&str; 4] = ["lib", "common", "conformance", "registry"];

/// The drivers by their files and folders.
fn driver_names(tree: &Tree) -> Vec<String> {
    let sources = format!("{DRIVERS}/src/");
    let files = tree.files(".rs").into_iter();
    let files = files.filter_map(|path| {
        let name = path.strip_prefix(&sources)?.strip_suffix(".rs")?;
        Some(name.strip_suffix("/mod").unwrap_or(name).to_owned())
    });
    let files = files.filter(|name| !NO_DRIVERS.contains(&name.as_str()) && !name.contains('/'));
    files.map(|name| name.replace('_', "-")).collect()
}

/// A driver is one file, one feature, one row, which the tables are written from, and one conformance test.
fn drivers(tree: &Tree) -> Result<(), String> {
    let files = driver_names(tree);
    if files.is_empty() {
        return Err("there are no drivers at all".to_owned());
    }
    let manifests = ["cloakroom-drivers", "cloakroom", "cloakroom-cli"];
    let manifests = manifests.map(|package| (package, tree.manifest(package)));
    let rows = tree.read(&format!("{DRIVERS}/src/registry/mod.rs"))?;
    // A driver that lives in a Worker is tested there.
    let worker = tree.read("interop/worker/src/lib.rs")?;
    let in_worker = |test: &str| worker.contains(SUITE) && test.contains("conformance_in_worker(");
    for name in &files {
        let missing = |what: String| Err(format!("the driver `{name}` has no {what}"));
        for (package, manifest) in &manifests {
            // No command runs in a Worker.
            if *package == "cloakroom-cli" && name.ends_with("-binding") {
                continue;
            }
            let features = manifest.as_ref().map_err(Clone::clone)?.get("features");
            if features.and_then(|features| features.get(name)).is_none() {
                return missing(format!("feature in crates/{package}/Cargo.toml"));
            }
        }
        if !rows.contains(&format!("\"{name}\"")) {
            return missing(format!("row in {DRIVERS}/src/registry/mod.rs"));
        }
        let test = format!("{DRIVERS}/tests/drivers/{}.rs", name.replace('-', "_"));
        if !tree.read(&test).is_ok_and(|text| text.contains(SUITE) || in_worker(&text)) {
            return missing(format!("call of {SUITE} in {test}"));
        }
    }
    table::check(&tree.root)
}

fn promises(tree: &Tree) -> Result<(), String> {
    let files = tree.files(".rs");
    let read = |path: &str| {
        let folder = format!("{path}/");
        let texts = files.iter().filter(|file| *file == path || file.starts_with(&folder));
        let texts: Vec<String> = texts.map(|file| tree.read(file)).collect::<Result<_, _>>()?;
        match texts.is_empty() {
            true => tree.read(path),
            false => Ok(texts.concat()),
        }
    };
    let document = table::without(&tree.read(promises::DOCUMENT)?)?;
    promises::check(&document, &driver_names(tree), read)
}

fn dependencies(tree: &Tree) -> Result<(), String> {
    for (package, allowed) in DEPENDENCIES {
        let manifest = tree.manifest(package)?;
        let dependencies =
            manifest.get("dependencies").and_then(|dependencies| dependencies.as_table());
        for name in dependencies.into_iter().flat_map(|dependencies| dependencies.keys()) {
            let ours = DEPENDENCIES.iter().any(|(package, _)| package == name);
            if ours && !allowed.contains(&name.as_str()) {
                return Err(format!("{package} depends on {name}, which is above it"));
            }
            let below = !FRAMEWORK_CRATES.contains(&package) && (package, name.as_str()) != TRAITS;
            if below && FRAMEWORKS.contains(&name.as_str()) {
                return Err(format!(
                    "{package} depends on {name}, but knows nothing of HTTP frameworks"
                ));
            }
        }
    }
    Ok(())
}

/// The second number of `rust-version = "1.88"`.
fn rust_version(manifest: &str) -> Option<u32> {
    let stated = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"1."))?;
    stated.trim_end_matches('"').parse().ok()
}

fn versions(tree: &Tree) -> Result<(), String> {
    let least = rust_version(&tree.read("Cargo.toml")?);
    for path in tree.files("Cargo.toml") {
        // The bench and the fuzz targets are workspaces of their own, and are never published.
        if path == "Cargo.toml" || path.starts_with("bench/") || path.starts_with("fuzz/") {
            continue;
        }
        let text = tree.read(&path)?;
        for key in ["version", "edition", "license"] {
            if !text.contains(&format!("{key}.workspace = true")) {
                return Err(format!("{path} does not take its {key} from the workspace"));
            }
        }
        // What most people build needs as little as it can; what needs more says so.
        let own = rust_version(&text);
        if own.is_none() && !text.contains("rust-version.workspace = true") {
            return Err(format!("{path} states no rust-version"));
        }
        if own.is_some_and(|own| Some(own) <= least) {
            return Err(format!("{path} states a rust-version that the workspace states"));
        }
        let pinned = text
            .lines()
            .find(|line| line.contains("version = \"") && !line.starts_with("rust-version = "));
        if let Some(line) = pinned {
            return Err(format!("{path} states a version of its own: {line}"));
        }
    }
    Ok(())
}

fn sizes(tree: &Tree) -> Result<(), String> {
    for path in tree.files(".rs") {
        let lines = tree.read(&path)?.lines().count();
        if lines > LONGEST_FILE {
            return Err(format!("{path} has {lines} lines: is it one concept or two?"));
        }
    }
    Ok(())
}

/// One way of writing modules, so that a folder has all that belongs to it.
fn folders(tree: &Tree) -> Result<(), String> {
    let beside = |path: &String| tree.root.join(path.trim_end_matches(".rs")).is_dir();
    match tree.files(".rs").into_iter().find(beside) {
        Some(path) => {
            Err(format!("{path} stands beside the folder of its module: it is `mod.rs` there"))
        }
        None => Ok(()),
    }
}

fn shown(tree: &Tree) -> Result<(), String> {
    for path in examples::FILES {
        if let Some(name) = examples::missing(&tree.read(path)?).first() {
            return Err(format!("`{name}` in {path} has no example"));
        }
    }
    Ok(())
}

fn unfinished(tree: &Tree) -> Result<(), String> {
    // In pieces, so that this file is not its own finding.
    let words = [
        concat!("todo", "!("),
        concat!("unimple", "mented!("),
        concat!("#[", "ignore"),
        concat!("FIX", "ME"),
    ];
    // What a test runs in a process of its own is a test that the runner alone must not run.
    let part_of_a_test = concat!("#[", "ignore = \"a part of `");
    for path in tree.files(".rs") {
        let text = tree.read(&path)?.replace(part_of_a_test, "");
        if let Some(word) = words.iter().find(|word| text.contains(**word)) {
            return Err(format!("{path} contains `{word}`"));
        }
    }
    Ok(())
}

/// The only file that may use unsafe code. The lint denies it to all that do not allow it to themselves.
const UNSAFE: &str = "crates/serde_devalue/src/index/simd/mod.rs";

fn unsafe_code(tree: &Tree) -> Result<(), String> {
    // In pieces, so that this file is not its own finding.
    let lint = concat!("unsafe", "_code");
    for path in tree.files(".rs") {
        if path != UNSAFE && tree.read(&path)?.contains(&format!("({lint})")) {
            return Err(format!("{path} has a word to say about {lint}, as {UNSAFE} alone may"));
        }
    }
    Ok(())
}

/// Relative links of Markdown files.
fn links(tree: &Tree) -> Result<(), String> {
    for path in tree.files(".md") {
        let text = tree.read(&path)?;
        let folder = tree.root.join(&path);
        let folder = folder.parent().unwrap_or(&tree.root);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            // What follows a space is the link's title.
            let file = target.split(['#', ' ']).next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !folder.join(file).exists() {
                return Err(format!("{path} links to {target}, which is not there"));
            }
        }
    }
    Ok(())
}
