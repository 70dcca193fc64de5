//! Which tests failed and what they said: thousands of lines lie between a failure and the end of a run.

/// As much of what a failed test said as is worth repeating.
const LINES_TOLD: usize = 12;

/// Failed tests, picked out of the output of `cargo test` and of Node.js' test runner (TAP).
#[derive(Default)]
pub(crate) struct Failures {
    told: Vec<String>,
    /// How many more lines belong to the failure named last.
    lines_left: usize,
}

impl Failures {
    pub(crate) fn line(&mut self, line: &str) {
        let named = line
            .strip_prefix("---- ")
            .and_then(|rest| rest.strip_suffix(" stdout ----"))
            .or_else(|| line.trim_start().strip_prefix("not ok "));
        if let Some(test) = named {
            self.told.push(test.to_owned());
            self.lines_left = LINES_TOLD;
        } else if self.lines_left > 0
            && !line.trim().is_empty()
            && let Some(last) = self.told.last_mut()
        {
            self.lines_left -= 1;
            last.push_str("\n    ");
            last.push_str(line);
        }
    }

    /// The failed tests by name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.told.iter().filter_map(|failure| failure.lines().next())
    }

    /// Each with what it said.
    pub(crate) fn told(self) -> Vec<String> {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(output: &str) -> Vec<String> {
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.line(line));
        failures.told()
    }

    #[test]
    fn a_failed_test_of_cargo_is_told_with_its_panic() {
        let output = "test fine ... ok\ntest lost ... FAILED\n\nfailures:\n\n---- lost stdout ----\n\n\
            thread 'lost' panicked at src/lib.rs:1:2:\nleft: 1\n";
        assert_eq!(
            told(output),
            ["lost\n    thread 'lost' panicked at src/lib.rs:1:2:\n    left: 1"]
        );
    }

    #[test]
    fn a_failed_test_of_node_is_told_with_what_follows() {
        let output = "ok 1 - fine\n    not ok 2 - lost\n      ---\n      duration_ms: 6.3\n";
        assert_eq!(told(output), ["2 - lost\n          ---\n          duration_ms: 6.3"]);
    }
}
