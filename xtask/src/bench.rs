//! `cargo xtask bench`: Cloakroom beside its peers, measured in one run.

use std::path::Path;

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
    execute(command(root, &program(root), &[]).args(arguments))
}

/// Where cargo leaves the bench.
fn program(root: &Path) -> String {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| root.join("bench/target"), |target| root.join(target));
    target.join("release/bench").to_string_lossy().into_owned()
}
