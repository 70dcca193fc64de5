//! The real Astro, the real browser, and the Rust servers between them.

use std::path::{Path, PathBuf};

use super::{Tally, cargo};
use crate::command::{command, execute, execute_lines, target};
use crate::report::Report;

/// Where the tests are, below `interop`.
pub(super) const FOLDER: &str = "tests";
pub(super) const ENDING: &str = ".test.mjs";

/// The Workers that tests run.
const WORKERS: [&str; 2] = ["example-worker", "interop-worker"];

/// Says where they are.
pub(super) const WORKERS_FOLDER: &str = "CLOAKROOM_WORKERS";

pub(super) fn workers(root: &Path) -> PathBuf {
    target(root).join("worker")
}

/// The packages of the programs that tests start.
const PROGRAMS: [&str; 5] = ["shop", "together", "interop-probe", "interop-peers", "cloakroom-cli"];

/// What they need beside the programs of this workspace.
pub(super) fn build(root: &Path, report: &mut Report) {
    let interop = root.join("interop");
    report.check("astro build", execute(&mut command(&interop, "npm", &["run", "build"])));
    let bundler = target(root).join("debug/interop-bundler");
    for worker in WORKERS {
        report.check(worker, execute(&mut command(root, &bundler.to_string_lossy(), &[worker])));
    }
}

/// All of them.
pub(super) fn test_all(root: &Path, report: &mut Report) {
    run(root, &["npm", "test"], report);
}

/// Those in some files, with no more built than their programs.
pub(super) fn test_files(root: &Path, files: &[String], report: &mut Report) {
    let packages = PROGRAMS.map(|package| ["--package", package]);
    let build = ["build", "--all-features", "--bins"];
    let build = [&build[..], packages.as_flattened()].concat();
    report.check("programs", execute(&mut cargo(root, &build)));
    let interop = root.join("interop");
    report.check("astro build", execute(&mut command(&interop, "npm", &["run", "build"])));
    if files.iter().any(|file| file.starts_with("worker")) {
        for worker in WORKERS {
            let bundle = ["run", "--quiet", "--package", "interop-bundler", worker];
            report.check(worker, execute(&mut cargo(root, &bundle)));
        }
    }
    let files: Vec<String> = files.iter().map(|file| format!("{FOLDER}/{file}{ENDING}")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    // Node as npm has installed it, which is the one that Astro wants.
    let node = ["npm", "exec", "--", "node", "--test", "--test-reporter=tap"];
    run(root, &[&node[..], &files].concat(), report);
}

/// Runs Node's test runner and counts.
fn run(root: &Path, words: &[&str], report: &mut Report) {
    let [program, arguments @ ..] = words else { return };
    let binaries = target(root).join("debug");
    let mut tests = command(&root.join("interop"), program, arguments);
    // Every peer was installed, so one that is missing is a failure.
    tests
        .env("CI", "true")
        .env("CLOAKROOM_SHOP", binaries.join("shop"))
        .env("CLOAKROOM_TOGETHER", binaries.join("together"))
        .env("CLOAKROOM_PROBE", binaries.join("interop-probe"))
        .env("CLOAKROOM_PEER", binaries.join("interop-peer"))
        .env("CLOAKROOM_SERVE", binaries.join("cloakroom"))
        .env(WORKERS_FOLDER, workers(root));
    let mut tally = Tally::default();
    let outcome = execute_lines(&mut tests, |line| {
        let mut words = line.trim_start_matches(['#', 'ℹ', ' ']).split(' ');
        match (words.next(), words.next().and_then(|count| count.parse::<u64>().ok())) {
            (Some("pass"), Some(count)) => tally.passed += count,
            (Some("fail" | "cancelled" | "skipped" | "todo"), Some(count)) => tally.failed += count,
            _ => {}
        }
        tally.failures.line(line);
    });
    tally.finish("interop tests", outcome, report);
}
