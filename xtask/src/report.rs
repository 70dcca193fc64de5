//! Counts what passed and what failed, and says so on the last line.

use std::process::ExitCode;

use crate::failures::Failures;

/// The outcome of a run, check by check.
#[derive(Default)]
pub(crate) struct Report {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
    details: Vec<String>,
}

impl Report {
    /// One check.
    pub(crate) fn check(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.count(name, 1, 0),
            Err(reason) => {
                eprintln!("{name}: {reason}");
                self.failed += 1;
                self.failures.push(format!("{name}: {reason}"));
            }
        }
    }

    /// Many tests that a runner counted.
    pub(crate) fn count(&mut self, name: &str, passed: u64, failed: u64) {
        self.passed += passed;
        self.failed += failed;
        if failed > 0 {
            self.failures.push(format!("{name}: {failed} failed"));
        }
    }

    /// The tests behind failures that are counted already, to be read at the end.
    pub(crate) fn detail(&mut self, failures: Failures) {
        self.failures.extend(failures.names().map(str::to_owned));
        self.details.extend(failures.told());
    }

    pub(crate) fn finish(self) -> ExitCode {
        for detail in &self.details {
            println!("\n{detail}");
        }
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
