//! `cargo xtask test`: every check there is, in the order in which they are cheap.

use std::path::Path;
use std::process::Command;

use crate::command::{command, execute, execute_lines, target};
use crate::failures::Failures;
use crate::report::Report;
use crate::{bench, mutants, peers, tidy};

pub(crate) fn run(root: &Path) -> Report {
    let mut report = Report::default();
    report.check("format", execute(&mut cargo(root, &["fmt", "--all", "--check"])));
    tidy::check(root, &mut report);
    let peers = peers::install(root);
    let are_there = peers.is_ok();
    report.check("peers", peers);
    if !are_there {
        // What is missing would fail test after test with something else, and much later.
        return report;
    }
    let lints =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    report.check("lints", execute(&mut cargo(root, &lints)));
    // With the examples, and so with the features that dev-dependencies ask for: what the lints have checked serves here too.
    let docs = ["doc", "--workspace", "--no-deps", "--all-features", "--lib", "--examples"];
    let programs = PROGRAMS.map(|program| ["--bin", program]);
    let docs = [&docs, programs.as_flattened()].concat();
    report.check("docs", execute(cargo(root, &docs).env("RUSTDOCFLAGS", "-D warnings")));
    report.check("features", features(root));
    report.check("wasm", wasm(root));
    report.check("bench", bench_lints(root));
    rust_tests(root, &mut report);
    mutants::run(root, &mut report);
    interop_tests(root, &mut report);
    report
}

/// The programs that no library has the documentation of.
const PROGRAMS: [&str; 4] = ["example-components-*", "example-middleware", "interop-*", "xtask"];

pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    command(root, &std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// Each crate builds without its optional parts, the session with each of its own, each framework, driver and database
/// builds alone, and so do the fuzz targets.
fn features(root: &Path) -> Result<(), String> {
    let check = |arguments: &[&str]| {
        execute(&mut cargo(root, &[&["check", "--quiet"], arguments].concat()))
    };
    for package in [
        "serde_devalue",
        "cloakroom-storage",
        "cloakroom-drivers",
        "cloakroom-session",
        "cloakroom-tower",
        "cloakroom",
        "cloakroom-cli",
    ] {
        check(&["--package", package, "--no-default-features"])?;
    }
    for feature in ["astro-config", "metrics"] {
        check(&["--package", "cloakroom-session", "--features", feature])?;
    }
    for framework in ["axum", "actions", "axum,actions", "actix-web", "actix-web,actions", "salvo"]
    {
        check(&["--package", "cloakroom", "--no-default-features", "--features", framework])?;
    }
    for driver in tidy::driver_features(root)? {
        check(&["--package", "cloakroom-drivers", "--no-default-features", "--features", &driver])?;
    }
    for database in ["mysql", "postgres", "sqlite"] {
        let features = format!("db0,{database}");
        check(&[
            "--package",
            "cloakroom-drivers",
            "--no-default-features",
            "--features",
            &features,
        ])?;
    }
    check(&["--manifest-path", "fuzz/Cargo.toml"])
}

/// What runs inside of a Worker is as clean there as it is here.
fn wasm(root: &Path) -> Result<(), String> {
    let features =
        "axum,actions,derive,memory,lru-cache,null,cloudflare-kv-binding,cloudflare-r2-binding";
    let target = ["--target", peers::WASM];
    let lint = |arguments: &[&str]| {
        let clippy = ["clippy", "--quiet"];
        let denied = ["--", "-D", "warnings"];
        execute(&mut cargo(root, &[&clippy, &target[..], arguments, &denied].concat()))
    };
    for package in ["cloakroom-storage", "cloakroom-drivers", "cloakroom"] {
        lint(&["--package", package, "--no-default-features"])?;
    }
    for driver in ["cloudflare-kv-binding", "cloudflare-r2-binding"] {
        lint(&["--package", "cloakroom-drivers", "--no-default-features", "--features", driver])?;
    }
    lint(&["--package", "cloakroom", "--no-default-features", "--features", features])?;
    lint(&["--package", "example-worker", "--package", "interop-worker"])
}

/// The bench is a workspace of its own, which the checks of this one do not see.
fn bench_lints(root: &Path) -> Result<(), String> {
    let bench = ["--manifest-path", bench::MANIFEST];
    let format =
        ["fmt", "--check", "--package", "bench", "--package", "figures", "--package", "serve"];
    execute(&mut cargo(root, &[&format, &bench[..]].concat()))?;
    let lint = ["clippy", "--workspace", "--all-targets", "--quiet"];
    execute(&mut cargo(root, &[&lint, &bench[..], &["--", "-D", "warnings"]].concat()))
}

/// How many tests of one binary run at once, whatever the machine.
const TEST_THREADS: &str = "4";

/// Unit, conformance, behaviour and documentation tests.
fn rust_tests(root: &Path, report: &mut Report) {
    count_tests(root, "rust tests", &["--workspace", "--all-features", "--no-fail-fast"], report);
    // What is tested there needs none of the peers, which take minutes to build.
    let figures = ["--manifest-path", bench::MANIFEST, "--package", "figures"];
    count_tests(root, "tests of the bench", &figures, report);
    // As in a dependant's own tests, which have none of this workspace's profiles: frames are largest there.
    let limits = ["--workspace", "--all-features", "--test", "limits"];
    let profile = ["--config", "profile.dev.package.serde_devalue.opt-level=0"];
    count_tests(root, "limits without optimisation", &[&limits[..], &profile[..]].concat(), report);
}

fn count_tests(root: &Path, name: &str, arguments: &[&str], report: &mut Report) {
    let (mut passed, mut failed) = (0, 0);
    let mut tests = cargo(root, &[&["test"], arguments].concat());
    tests.env("CI", "true");
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        // Most of them wait for a server or for a deadline most of the time.
        tests.env("RUST_TEST_THREADS", TEST_THREADS);
    }
    let mut failures = Failures::default();
    let outcome = execute_lines(&mut tests, |line| {
        failures.line(line);
        if let Some(counts) = line.strip_prefix("test result: ") {
            passed += counted(counts, " passed");
            failed += counted(counts, " failed");
        }
    });
    finish(name, outcome, passed, failed, report);
    report.detail(failures);
}

/// The real Astro, the real browser, and the shop between them.
fn interop_tests(root: &Path, report: &mut Report) {
    // All of it with its tests, as it was built for those: a part alone would be built with other features of everything.
    let build = ["build", "--workspace", "--all-features", "--bins", "--tests"];
    report.check("programs", execute(&mut cargo(root, &build)));
    let interop = root.join("interop");
    report.check("astro build", execute(&mut command(&interop, "npm", &["run", "build"])));

    let binaries = target(root).join("debug");
    let (mut passed, mut failed) = (0, 0);
    let mut failures = Failures::default();
    for worker in ["example-worker", "interop-worker"] {
        let bundler = binaries.join("interop-bundler");
        report.check(worker, execute(&mut command(root, &bundler.to_string_lossy(), &[worker])));
    }
    let mut tests = command(&interop, "npm", &["test"]);
    // Every peer was installed, so one that is missing is a failure.
    tests
        .env("CI", "true")
        .env("CLOAKROOM_SHOP", binaries.join("shop"))
        .env("CLOAKROOM_PROBE", binaries.join("interop-probe"))
        .env("CLOAKROOM_PEER", binaries.join("interop-peer"))
        .env("CLOAKROOM_WORKERS", binaries.with_file_name("worker"));
    let outcome = execute_lines(&mut tests, |line| {
        let mut words = line.trim_start_matches(['#', 'ℹ', ' ']).split(' ');
        match (words.next(), words.next().and_then(|count| count.parse::<u64>().ok())) {
            (Some("pass"), Some(count)) => passed += count,
            (Some("fail" | "cancelled" | "skipped" | "todo"), Some(count)) => failed += count,
            _ => {}
        }
        failures.line(line);
    });
    finish("interop tests", outcome, passed, failed, report);
    report.detail(failures);
}

/// A runner that fails without a failed test, or that ran none, is a failure too.
fn finish(name: &str, outcome: Result<(), String>, passed: u64, failed: u64, report: &mut Report) {
    report.count(name, passed, failed);
    if failed == 0 {
        let ran = if passed == 0 { Err("no test ran".to_owned()) } else { Ok(()) };
        report.check(name, outcome.and(ran));
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
