//! `cargo xtask test`: every check there is, what needs a compiler alone beside the tests, which mostly wait; or some of them.

mod features;
mod interop;
mod named;
mod programs;
mod quick;

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::command::{command, execute, execute_lines};
use crate::failures::Failures;
use crate::report::Report;
use crate::{bench, mutants, peers, tidy};

/// How long the full run may take where it is run for every change.
const LIMIT: Duration = Duration::from_secs(55 * 60);

/// Everything, or `--quick`, or what is named.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Report {
    match arguments {
        [] => all(root),
        [option] if option == "--quick" => quick::run(root),
        [name] if !name.starts_with('-') => named::run(root, name),
        _ => {
            let mut report = Report::default();
            let reason = "it takes nothing, or `--quick`, or one name".to_owned();
            report.check("test", Err(reason));
            report
        }
    }
}

/// What is compiled alone is checked while tests run, which wait for servers most of the time.
fn all(root: &Path) -> Report {
    let mut report = Report::within(LIMIT);
    report.check("format", execute(&mut cargo(root, &["fmt", "--all", "--check"])));
    tidy::check(root, &mut report);
    let peers = peers::install(root);
    let are_there = peers.is_ok();
    report.check("peers", peers);
    if !are_there {
        // What is missing would fail test after test with something else, and much later.
        return report;
    }
    report.check("dependencies", dependencies(root));
    let programs = match programs::build(root) {
        Ok(programs) => programs,
        Err(reason) => {
            report.check("programs", Err(reason));
            return report;
        }
    };
    report.check("programs", Ok(()));
    interop::build(root, &mut report);
    let compiled = thread::scope(|scope| {
        let compiled = scope.spawn(|| compiled(root));
        programs::run(programs, root, &mut report);
        interop::test_all(root, &mut report);
        compiled.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    report.merge(compiled);
    other_tests(root, &mut report);
    mutants::run(root, &mut report);
    report
}

/// What needs no more than a compiler. Whoever tests at the same time goes before.
fn compiled(root: &Path) -> Report {
    let mut report = Report::default();
    let lints =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    report.check("lints", execute(&mut patient_cargo(root, &lints)));
    // With the examples, and so with the features that dev-dependencies ask for: what the lints have checked serves here too.
    let docs = ["doc", "--workspace", "--no-deps", "--all-features", "--lib", "--examples"];
    let programs = PROGRAMS.map(|program| ["--bin", program]);
    let docs = [&docs, programs.as_flattened()].concat();
    report.check("docs", execute(patient_cargo(root, &docs).env("RUSTDOCFLAGS", "-D warnings")));
    report.check("features", features::check(root));
    report.check("wasm", features::wasm(root));
    report.check("bench", bench_lints(root));
    report
}

/// The programs that no library has the documentation of.
const PROGRAMS: [&str; 4] = ["example-components-*", "example-middleware", "interop-*", "xtask"];

/// What is depended on is as `deny.toml` has it: licences, sources, and what was decided against.
fn dependencies(root: &Path) -> Result<(), String> {
    let deny = root.join("target/peers/cargo-deny");
    let arguments = ["--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    execute(&mut command(root, &deny.to_string_lossy(), &arguments))
}

pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    command(root, &std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// The same, which gives way to whoever tests.
fn patient_cargo(root: &Path, arguments: &[&str]) -> Command {
    let cargo = cargo(root, arguments);
    let mut patient = command(root, "nice", &["-n", "10"]);
    patient.arg(cargo.get_program()).args(cargo.get_args());
    patient
}

/// The bench is a workspace of its own, which the checks of this one do not see.
fn bench_lints(root: &Path) -> Result<(), String> {
    let bench = ["--manifest-path", bench::MANIFEST];
    let format =
        ["fmt", "--check", "--package", "bench", "--package", "figures", "--package", "serve"];
    execute(&mut cargo(root, &[&format, &bench[..]].concat()))?;
    let lint = ["clippy", "--workspace", "--all-targets", "--quiet"];
    execute(&mut patient_cargo(root, &[&lint, &bench[..], &["--", "-D", "warnings"]].concat()))
}

/// How many tests of one binary run at once, whatever the machine.
const TEST_THREADS: &str = "4";

/// Documentation tests, and those that are built otherwise than the rest.
fn other_tests(root: &Path, report: &mut Report) {
    let documented = ["--workspace", "--all-features", "--doc", "--no-fail-fast"];
    count_tests(root, "documentation tests", &documented, report);
    // What is tested there needs none of the peers, which take minutes to build.
    let figures = ["--manifest-path", bench::MANIFEST, "--package", "figures"];
    count_tests(root, "tests of the bench", &figures, report);
    // As in a dependant's own tests, which have none of this workspace's profiles: frames are largest there.
    let limits = ["--workspace", "--all-features", "--test", "limits"];
    let profile = ["--config", "profile.dev.package.serde_devalue.opt-level=0"];
    count_tests(root, "limits without optimisation", &[&limits[..], &profile[..]].concat(), report);
}

fn count_tests(root: &Path, name: &str, arguments: &[&str], report: &mut Report) {
    let mut tests = cargo(root, &[&["test"], arguments].concat());
    tests.env("CI", "true");
    threads(&mut tests);
    count(name, &mut tests, report);
}

/// Has as many tests of one program run at once as is said, unless the environment says otherwise.
fn threads(tests: &mut Command) {
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        // Most of them wait for a server or for a deadline most of the time.
        tests.env("RUST_TEST_THREADS", TEST_THREADS);
    }
}

/// Runs tests of cargo's and counts.
fn count(name: &str, tests: &mut Command, report: &mut Report) {
    let mut tally = Tally::default();
    let outcome = execute_lines(tests, |line| tally.line(line));
    tally.finish(name, outcome, report);
}

/// What a runner of tests says.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    failures: Failures,
}

impl Tally {
    /// Reads what a program of Rust tests prints.
    fn line(&mut self, line: &str) {
        self.failures.line(line);
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.passed += counted(counts, " passed");
            self.failed += counted(counts, " failed");
        }
    }

    /// A runner that fails without a failed test, or that ran none, is a failure too.
    fn finish(self, name: &str, outcome: Result<(), String>, report: &mut Report) {
        report.count(name, self.passed, self.failed);
        if self.failed == 0 {
            let ran = if self.passed == 0 { Err("no test ran".to_owned()) } else { Ok(()) };
            report.check(name, outcome.and(ran));
        }
        report.detail(self.failures);
    }
}

fn counted(text: &str, what: &str) -> u64 {
    text.split(what)
        .next()
        .and_then(|before| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_cargos_result_line() {
        let line =
            "FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.01s";
        assert_eq!((counted(line, " passed"), counted(line, " failed")), (12, 3));
    }
}
