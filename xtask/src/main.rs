//! The workspace's own commands.
//!
//! `cargo xtask test` runs every check there is and installs the peers that they need, with `--quick` those of a minute
//! or two, with a name those of one part; `cargo xtask tidy` runs those that compare the tree with itself, `cargo xtask table` writes what is written from the code, and
//! `cargo xtask bench` measures, and `cargo xtask torture` looks for histories that break what sessions promise.

mod bench;
mod command;
mod examples;
mod failures;
mod mutants;
mod peers;
mod promises;
mod published;
mod reference;
mod release;
mod report;
mod table;
mod test;
mod tidy;
mod torture;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  bench [--quick] [--only GROUP]
         measures Cloakroom beside its peers, and writes down what came out
  test   every check: peers, format, lints, docs, unit, conformance, interop and browser tests
  test --quick
         format, tidy, lints, and those tests of the default members that need no peer
  test NAME
         the tests of one crate, peer or part: session, redis, sql, astro, browser; another name lists what there is
  peers  installs what the tests talk to, and nothing else
  release --dry-run
         whether all crates could be published: packages, sizes, versions, changelog, compatibility
  table  writes the tables of drivers in README.md and docs/drivers.md from the code
  tidy   what the tree says about itself: drivers, features, tables, versions, dependencies, sizes
  torture [--seed S] [--from S] [--histories N] [--seconds T] [--everything] [--mutants]
         the session code in a simulated world, until something breaks or the time is over; with --mutants,
         whether faults that are put in are found
";

fn main() -> ExitCode {
    if let Err(reason) = command::end_all_on_signals() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    let mut arguments = std::env::args().skip(1);
    let report = match arguments.next().as_deref() {
        Some("bench") => bench::run(&root(), &arguments.collect::<Vec<_>>()),
        Some("test") => test::run(&root(), &arguments.collect::<Vec<_>>()),
        Some("release") => release::run(&root(), &arguments.collect::<Vec<_>>()),
        Some("peers") => {
            let mut report = report::Report::default();
            report.check("peers", peers::install(&root()));
            report
        }
        Some("table") => table::run(&root()),
        Some("tidy") => tidy::run(&root()),
        Some("torture") => torture::run(&root(), &arguments.collect::<Vec<_>>()),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    report.finish()
}

/// The workspace's folder: this crate's parent.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
