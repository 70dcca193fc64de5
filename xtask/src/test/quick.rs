//! `cargo xtask test --quick`: what can be known within two minutes, and without a peer.

use std::path::Path;

use super::{cargo, count, threads};
use crate::command::execute;
use crate::report::Report;
use crate::tidy;

/// The default members as `cargo test` alone builds them, so that both share what is built.
pub(super) fn run(root: &Path) -> Report {
    let mut report = Report::default();
    report.check("format", execute(&mut cargo(root, &["fmt", "--all", "--check"])));
    tidy::check(root, &mut report);
    let lints = ["clippy", "--all-targets", "--", "-D", "warnings"];
    report.check("lints", execute(&mut cargo(root, &lints)));
    // Examples in the documentation are programs of their own, each of which has to be linked: they are left to the full run.
    let mut tests = cargo(root, &["test", "--lib", "--bins", "--tests", "--no-fail-fast"]);
    // A peer that is not there is none of this run's business.
    threads(tests.env_remove("CI"));
    count("tests", &mut tests, &mut report);
    report
}
