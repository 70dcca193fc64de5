//! What a command prints, and how it ends.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use cloakroom_session::printable;
use jiff::{Timestamp, Unit};
use serde_json::Value;

/// The documented codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  what was asked for is done
  1  it could not be done: the reason is on the standard error
  2  the arguments cannot be understood
  3  there is no such session
  4  it is done, but for what could not be read; that is named
  5  something is not as it should be; that is named
  6  it is done, but for what the target does not take; that is named";

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    NotFound,
    SomeUnreadable,
    Faulty,
    SomeRefused,
}

impl Outcome {
    /// Whether something could not be read.
    pub(crate) fn of(unreadable: usize) -> Outcome {
        if unreadable == 0 { Outcome::Done } else { Outcome::SomeUnreadable }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::NotFound => ExitCode::from(3),
            Outcome::SomeUnreadable => ExitCode::from(4),
            Outcome::Faulty => ExitCode::from(5),
            Outcome::SomeRefused => ExitCode::from(6),
        }
    }
}

/// For whom it is printed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Print one JSON object a line, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Format {
    /// Prints one result: as JSON, or as a line for people. Only what is printed is made.
    ///
    /// # Errors
    /// When the output is closed.
    pub(crate) fn print(
        self,
        json: impl FnOnce() -> Value,
        line: impl FnOnce() -> String,
    ) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{}", self.text(json, line))
    }

    /// What [`print`](Format::print) would print.
    pub(crate) fn text(
        self,
        json: impl FnOnce() -> Value,
        line: impl FnOnce() -> String,
    ) -> String {
        if self.json { escaped(&json().to_string()) } else { line() }
    }
}

/// JSON without what moves a cursor, which may stand in it as it is: somebody stored it, and a terminal would obey.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for (letter, shown) in json.chars().zip(printable(json).chars()) {
        match letter == shown {
            true => escaped.push(letter),
            false => escaped.push_str(&format!("\\u{:04x}", u32::from(letter))),
        }
    }
    escaped
}

/// Says something on the standard error. Where that is closed nobody reads it, which stops no work.
pub(crate) fn say(line: impl Display) {
    _ = writeln!(io::stderr(), "cloakroom: {line}");
}

/// Whether who read the output has gone away, as `head` does: nothing has failed then.
pub(crate) fn is_closed(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A moment, to the second.
pub(crate) fn moment(at: SystemTime) -> Option<String> {
    Some(Timestamp::try_from(at).ok()?.round(Unit::Second).ok()?.to_string())
}

/// A moment in a column.
pub(crate) fn column(at: Option<SystemTime>) -> String {
    at.and_then(moment).unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn json_moves_no_cursor_and_is_the_same_when_it_is_read() {
        let stored = "\u{1b}[2J \u{7f} \u{9b}31m \u{202e}evil \u{fffd} 😀";
        let json = escaped(&serde_json::json!(stored).to_string());
        assert_eq!(json, printable(&json));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), stored);
    }

    #[test]
    fn a_moment_is_told_to_the_second() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_431_615_459);
        assert_eq!(moment(at).as_deref(), Some("2026-11-23T11:00:15Z"));
        assert_eq!(column(None), "-");
    }
}
