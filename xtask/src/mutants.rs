//! Whether the simulation would notice: it is run on copies of the session code, each with one fault put in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::command::target;
use crate::report::Report;
use crate::torture;

/// The faults.
const FOLDER: &str = "crates/cloakroom-simulation/mutants";

/// What the simulation is made of.
const CRATES: [&str; 7] = [
    "serde_devalue",
    "cloakroom-storage",
    "cloakroom-drivers",
    "cloakroom-derive",
    "cloakroom-astro-config",
    "cloakroom-session",
    "cloakroom-simulation",
];

/// How long a fault has to be found in, in seconds.
const SECONDS: &str = "60";

/// The seeds are the same each time, so that what was found once is found again: other seeds are the suite's affair.
const FIRST_SEED: &str = "0";

/// How long the code without a fault is run before, in seconds; and each mutant, where that finds something.
const BASELINE_SECONDS: &str = "15";
const COMPARED_SECONDS: &str = "3";

/// How much more often than without a mutant a check has to complain that is broken already.
const RATIO: f64 = 10.0;

/// A fault.
struct Mutant {
    name: String,
    why: String,
    /// One, and those that go with it.
    edits: Vec<Edit>,
}

/// A change of the code.
struct Edit {
    file: String,
    /// What is there exactly once.
    find: String,
    replace: String,
}

/// Says of each fault whether it is found, and how.
pub(crate) fn run(root: &Path, report: &mut Report) {
    let prepared = read(root).and_then(|mutants| Ok((mutants, Copy::new(root)?)));
    let (mutants, copy) = match prepared {
        Ok(prepared) => prepared,
        Err(reason) => return report.check("mutants", Err(reason)),
    };
    // What is broken already proves nothing, unless it is far more often so.
    let broken = match copy.build().and_then(|()| copy.search(BASELINE_SECONDS, false)) {
        Ok(output) => found(&output),
        Err(reason) => return report.check("mutants", Err(reason)),
    };
    for (check, found) in &broken {
        println!("broken without any mutant: \"{check}\", seed {}", found.seed);
    }
    for mutant in mutants {
        report.check(&format!("mutants: {}", mutant.name), copy.judge(&mutant, &broken));
    }
}

/// Whether each fault can still be put in.
pub(crate) fn fit(root: &Path) -> Result<(), String> {
    for mutant in read(root)? {
        for edit in &mutant.edits {
            edit.count(root).map_err(|reason| format!("{}: {reason}", mutant.name))?;
        }
    }
    Ok(())
}

impl Edit {
    /// What is there exactly once.
    fn count(&self, root: &Path) -> Result<String, String> {
        let text = fs::read_to_string(root.join(&self.file))
            .map_err(|error| format!("{}: {error}", self.file))?;
        match text.matches(&self.find).count() {
            1 => Ok(text),
            count => Err(format!("what it replaces is {count} times in {}", self.file)),
        }
    }
}

fn read(root: &Path) -> Result<Vec<Mutant>, String> {
    let folder = root.join(FOLDER);
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| Mutant::read(path)).collect()
}

impl Mutant {
    fn read(path: &Path) -> Result<Mutant, String> {
        let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
        let table: toml::Table = text.parse().map_err(|error| unreadable(&error))?;
        let edit = |table: &toml::Table| {
            let field = |name: &str| {
                let value = table.get(name).and_then(|value| value.as_str()).map(str::to_owned);
                value.ok_or_else(|| unreadable(&format!("it has no `{name}`")))
            };
            Ok(Edit { file: field("file")?, find: field("find")?, replace: field("replace")? })
        };
        let also = table.get("also").and_then(toml::Value::as_array).into_iter().flatten();
        let edits = [&table].into_iter().chain(also.filter_map(toml::Value::as_table)).map(edit);
        let edits = edits.collect::<Result<Vec<_>, String>>()?;
        let why = table.get("why").and_then(|why| why.as_str()).unwrap_or_default().to_owned();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Mutant { name, why, edits })
    }
}

/// A workspace of its own below the target directory.
struct Copy {
    workspace: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn new(root: &Path) -> Result<Copy, String> {
        let folder = target(root).join("mutants");
        let copy = Copy { workspace: folder.join("workspace"), target: folder.join("target") };
        let failed = |error: std::io::Error| format!("the workspace cannot be copied: {error}");
        if copy.workspace.exists() {
            fs::remove_dir_all(&copy.workspace).map_err(failed)?;
        }
        for name in CRATES {
            let folder = Path::new("crates").join(name);
            copy_folder(&root.join(&folder), &copy.workspace.join(&folder)).map_err(failed)?;
            // What only their own tests need is not copied.
            change(&copy.workspace.join(folder).join("Cargo.toml"), |manifest| {
                manifest.remove("dev-dependencies");
            })?;
        }
        for file in ["Cargo.toml", "Cargo.lock", "README.md"] {
            fs::copy(root.join(file), copy.workspace.join(file)).map_err(failed)?;
        }
        change(&copy.workspace.join("Cargo.toml"), |manifest| {
            let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
            if let Some(workspace) = workspace {
                workspace.remove("default-members");
                workspace.remove("exclude");
                workspace.insert("members".to_owned(), vec!["crates/*"].into());
            }
        })?;
        Ok(copy)
    }

    /// Puts a fault in, looks whether it is found, and takes it out again.
    fn judge(&self, mutant: &Mutant, broken: &BTreeMap<String, Found>) -> Result<(), String> {
        let mut originals = Vec::new();
        let applied = mutant.edits.iter().try_for_each(|edit| {
            let (path, text) = self.apply(edit)?;
            originals.push((path, text));
            Ok(())
        });
        let began = Instant::now();
        let built = applied.and_then(|()| self.build());
        let build = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let (seconds, is_first_enough) = match broken.is_empty() {
            true => (SECONDS, true),
            false => (COMPARED_SECONDS, false),
        };
        let outcome = built.and_then(|()| self.search(seconds, is_first_enough));
        let search = began.elapsed().as_secs_f64();
        // In the other order, since a file may have several edits.
        for (path, text) in originals.into_iter().rev() {
            fs::write(&path, text).map_err(|error| error.to_string())?;
        }
        let is_more = |check: &String, found: &Found| {
            let usual = broken.get(check).map_or(0.0, |broken| broken.rate);
            found.rate > usual * RATIO
        };
        let found = found(&outcome?).into_iter();
        let most = found.filter(|(check, found)| is_more(check, found));
        match most.max_by(|(_, one), (_, other)| one.rate.total_cmp(&other.rate)) {
            Some((check, Found { seed, .. })) => {
                let name = &mutant.name;
                println!(
                    "found {name}: built in {build:.1} s, found in {search:.1} s: \"{check}\", seed {seed}"
                );
                Ok(())
            }
            None => Err(format!("SURVIVED. {}", mutant.why)),
        }
    }

    /// Changes a file; returns which, and what it was.
    fn apply(&self, edit: &Edit) -> Result<(PathBuf, String), String> {
        let path = self.workspace.join(&edit.file);
        let text = edit.count(&self.workspace)?;
        let changed = text.replace(&edit.find, &edit.replace);
        fs::write(&path, changed).map_err(|error| error.to_string())?;
        Ok((path, text))
    }

    fn build(&self) -> Result<(), String> {
        let build = torture::build(&self.workspace, &self.target).output();
        let build = build.map_err(|error| error.to_string())?;
        match build.status.success() {
            true => Ok(()),
            false => {
                let errors = String::from_utf8_lossy(&build.stderr).into_owned();
                Err(format!("it does not compile:\n{errors}"))
            }
        }
    }

    /// Runs the simulation for so long, or until something is found.
    fn search(&self, seconds: &str, is_first_enough: bool) -> Result<Output, String> {
        let mut search = Command::new(self.target.join("torture/cloakroom-simulation"));
        search.args(["--from", FIRST_SEED, "--seconds", seconds, "--brief"]);
        if is_first_enough {
            search.arg("--first");
        }
        search.output().map_err(|error| error.to_string())
    }
}

/// What a check complained of.
struct Found {
    seed: String,
    /// In how many of all histories.
    rate: f64,
}

/// Which checks complained.
fn found(output: &Output) -> BTreeMap<String, Found> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let ran = text.lines().find_map(|line| line.split_once(" histories in ")?.0.parse().ok());
    let lines = text.lines().filter_map(|line| line.strip_prefix("FOUND "));
    let found = lines.filter_map(|line| {
        let (check, seeds) = line.split_once(": ")?;
        let count: f64 = seeds.split_once(' ')?.0.parse().ok()?;
        let seed = seeds.split_once('[')?.1.split([',', ']']).next()?.to_owned();
        Some((check.to_owned(), Found { seed, rate: count / ran.unwrap_or(1.0) }))
    });
    found.collect()
}

/// Changes a manifest in its place.
fn change(path: &Path, change: impl FnOnce(&mut toml::Table)) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
    let mut manifest: toml::Table = text.parse().map_err(|error| failed(&error))?;
    change(&mut manifest);
    fs::write(path, manifest.to_string()).map_err(|error| failed(&error))
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type()?.is_dir() {
            true => copy_folder(&path, &to)?,
            false => _ = fs::copy(&path, &to)?,
        }
    }
    Ok(())
}
