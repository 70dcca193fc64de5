//! The programs of the Rust tests: cargo builds all of them, and several run at once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::{Tally, cargo, interop, threads};
use crate::command::{command, read_lines};
use crate::report::Report;

/// How many run at once: most of their tests wait for a server or a deadline most of the time.
const AT_ONCE: usize = 3;

/// Those that take longest, which begin first.
const LONGEST: [&str; 3] = ["drivers", "stores", "commands"];

/// One of them.
pub(super) struct Program {
    name: String,
    path: PathBuf,
    /// Where cargo would run it: in its package.
    folder: PathBuf,
}

/// Builds all programs of this workspace, with their tests.
pub(super) fn build(root: &Path) -> Result<Vec<Program>, String> {
    let build = ["build", "--workspace", "--all-features", "--bins", "--tests"];
    let message = ["--message-format", "json-render-diagnostics"];
    let mut programs = Vec::new();
    read_lines(&mut cargo(root, &[&build[..], &message].concat()), |line| {
        programs.extend(serde_json::from_str(line).ok().and_then(|line| Program::read(&line)));
    })?;
    if programs.is_empty() {
        return Err("cargo has built no tests".to_owned());
    }
    programs.sort_by_key(|program| {
        let place = LONGEST.iter().position(|name| *name == program.name);
        (place.unwrap_or(LONGEST.len()), program.path.clone())
    });
    Ok(programs)
}

/// Runs them and counts.
pub(super) fn run(programs: Vec<Program>, root: &Path, report: &mut Report) {
    let waiting = Mutex::new(programs.into_iter());
    let done = Mutex::new((Tally::default(), Vec::new()));
    let work = || {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(program) = next else { return };
            let (lines, outcome) = program.run(root);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            let (tally, outcomes) = &mut *done;
            println!("\nof {}:", program.path.display());
            let failed = tally.failed;
            for line in &lines {
                println!("{line}");
                tally.line(line);
            }
            // Failed tests are named by themselves.
            outcomes.push(if tally.failed > failed { Ok(()) } else { outcome });
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let (tally, outcomes) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.finish("rust tests", outcomes.into_iter().collect(), report);
}

impl Program {
    /// What cargo says of a test that it has built.
    fn read(message: &Value) -> Option<Program> {
        let is_test = message["profile"]["test"].as_bool()?;
        let path = message["executable"].as_str().filter(|_| is_test)?;
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let name = message["target"]["name"].as_str()?.to_owned();
        Some(Program { name, path: path.into(), folder: manifest.parent()?.into() })
    }

    /// What it prints, and whether it ended well.
    fn run(&self, root: &Path) -> (Vec<String>, Result<(), String>) {
        let mut tests = command(&self.folder, &self.path.to_string_lossy(), &[]);
        // Every peer was installed, so one that is missing is a failure.
        tests.env("CI", "true").env(interop::WORKERS_FOLDER, interop::workers(root));
        threads(&mut tests);
        let mut lines = Vec::new();
        let outcome = read_lines(&mut tests, |line| lines.push(line.to_owned()));
        (lines, outcome)
    }
}
