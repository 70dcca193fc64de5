//! `cargo xtask bench`: Cloakroom beside its peers, measured in one run.

use std::path::{Path, PathBuf};

use crate::command::{command, execute};
use crate::peers;
use crate::report::Report;
use crate::test::cargo;

/// The bench's own workspace.
pub(crate) const MANIFEST: &str = "bench/Cargo.toml";

/// Installs the peers, builds everything in release mode and runs it, with arguments that are the bench's own.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Report {
    let mut report = Report::default();
    report.check("bench", bench(root, arguments));
    report
}

fn bench(root: &Path, arguments: &[String]) -> Result<(), String> {
    peers::install_for_bench(root)?;
    let build = ["build", "--release", "--manifest-path", MANIFEST];
    execute(&mut cargo(root, &build))?;
    // By itself, so that what the rest of the bench wants is not in it.
    execute(&mut cargo(root, &[&build[..], &["--package", "serve"]].concat()))?;
    // The command, with the drivers on which it is measured.
    let target = target(root);
    let command_line =
        ["build", "--release", "--package", "cloakroom-cli", "--no-default-features"];
    let drivers = ["--features", "fs-lite,redis,sql,sqlite", "--target-dir"];
    execute(cargo(root, &[&command_line[..], &drivers].concat()).arg(&target))?;
    let program = target.join("release/bench").to_string_lossy().into_owned();
    execute(command(root, &program, &[]).args(arguments))
}

/// Where cargo leaves what is measured, and the bench.
fn target(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| root.join("bench/target"), |target| root.join(target))
}
