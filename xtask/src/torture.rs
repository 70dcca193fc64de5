//! `cargo xtask torture`: the session code in a simulated world, until something breaks or the time is over.

use std::path::Path;

use crate::command::{execute, target};
use crate::mutants;
use crate::report::Report;
use crate::test::cargo;

/// Where all is built, and how: nearly as fast as a release.
const BUILD: [&str; 5] = ["build", "--profile", "torture", "--package", "cloakroom-simulation"];

/// Builds the simulation and runs it with arguments that are its own, or on each mutant.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Report {
    let mut report = Report::default();
    match arguments.iter().any(|argument| argument == "--mutants") {
        true => mutants::run(root, &mut report),
        false => report.check("torture", torture(root, arguments)),
    }
    report
}

fn torture(root: &Path, arguments: &[String]) -> Result<(), String> {
    execute(&mut cargo(root, &BUILD))?;
    let program = target(root).join("torture/cloakroom-simulation");
    execute(std::process::Command::new(program).current_dir(root).args(arguments))
}

/// How the simulation is built in a workspace of its own.
pub(crate) fn build(workspace: &Path, target: &Path) -> std::process::Command {
    let mut build = cargo(workspace, &[&BUILD[..], &["--quiet"]].concat());
    build.env("CARGO_TARGET_DIR", target);
    // Each build differs from the one before by one line, whatever holds for all else that is built.
    build.env_remove("CARGO_INCREMENTAL");
    build
}
