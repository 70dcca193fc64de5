//! Counts what passed and what failed, says how long each step took, and what came out on the last line.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::failures::Failures;

/// What a step takes at least to have a row in the table of times.
const WORTH_A_ROW: Duration = Duration::from_secs(1);

/// The outcome of a run, check by check.
pub(crate) struct Report {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
    details: Vec<String>,
    /// How long each step took, in their order.
    steps: Vec<(String, Duration)>,
    began: Instant,
    /// When the last step ended, and so the one after it began.
    last: Instant,
    limit: Option<Duration>,
}

impl Default for Report {
    fn default() -> Report {
        let now = Instant::now();
        Report {
            passed: 0,
            failed: 0,
            failures: Vec::new(),
            details: Vec::new(),
            steps: Vec::new(),
            began: now,
            last: now,
            limit: None,
        }
    }
}

impl Report {
    /// A report that also says how much of a limit the run has used.
    pub(crate) fn within(limit: Duration) -> Report {
        Report { limit: Some(limit), ..Report::default() }
    }

    /// One check. All that was done since the check before it was done for it.
    pub(crate) fn check(&mut self, name: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.count(name, 1, 0),
            Err(reason) => {
                eprintln!("{name}: {reason}");
                self.failed += 1;
                self.failures.push(format!("{name}: {reason}"));
                self.time(name);
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
        self.time(name);
    }

    /// The tests behind failures that are counted already, to be read at the end.
    pub(crate) fn detail(&mut self, failures: Failures) {
        self.failures.extend(failures.names().map(str::to_owned));
        self.details.extend(failures.told());
    }

    /// Takes over what another one has, of steps that were done at the same time. What comes next begins now.
    pub(crate) fn merge(&mut self, other: Report) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.details.extend(other.details);
        self.steps.extend(other.steps);
        self.last = Instant::now();
    }

    /// Ends a step: says how long it took.
    fn time(&mut self, name: &str) {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        match self.steps.last_mut() {
            // Counted first and judged afterwards: one step.
            Some((last, time)) if last == name => *time += took,
            _ => {
                println!("--- {name}: {:.1} s", took.as_secs_f64());
                self.steps.push((name.to_owned(), took));
            }
        }
    }

    pub(crate) fn finish(self) -> ExitCode {
        if let Some(table) = times(&self.steps) {
            println!("\n{table}");
            let took = self.began.elapsed().as_secs();
            match self.limit.map(|limit| limit.as_secs()) {
                Some(limit) => println!("{took:>6} s  all of it, of the {limit} s that a run has"),
                None => println!("{took:>6} s  all of it"),
            }
        }
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

/// The steps by their times, the longest first; those that are named `part: step` are one. Nothing where that tells
/// nothing.
fn times(steps: &[(String, Duration)]) -> Option<String> {
    let mut parts: Vec<(&str, Duration)> = Vec::new();
    for (name, took) in steps {
        let part = name.split_once(": ").map_or(name.as_str(), |(part, _)| part);
        match parts.iter_mut().find(|(name, _)| *name == part) {
            Some((_, time)) => *time += *took,
            None => parts.push((part, *took)),
        }
    }
    parts.retain(|(_, took)| *took >= WORTH_A_ROW);
    parts.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    if parts.len() < 2 {
        return None;
    }
    let mut table = String::from("The steps by the time that they took:");
    for (part, took) in parts {
        _ = write!(table, "\n{:>6} s  {part}", took.as_secs());
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_step_comes_first_and_the_steps_of_a_part_are_one() {
        let steps = [("lints", 20), ("mutant: one", 30), ("format", 0), ("mutant: two", 31)];
        let steps = steps.map(|(name, seconds)| (name.to_owned(), Duration::from_secs(seconds)));
        let table = times(&steps).unwrap();
        let rows: Vec<&str> = table.lines().skip(1).map(str::trim).collect();
        assert_eq!(rows, ["61 s  mutant", "20 s  lints"]);
        assert_eq!(times(&steps[..1]), None);
    }
}
