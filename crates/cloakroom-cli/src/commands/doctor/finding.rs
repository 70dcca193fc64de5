//! What was found, and what comes of it.

use std::io;

use cloakroom_session::printable;
use serde_json::{Value, json};

use super::timed::Timed;
use crate::output::{Format, Outcome};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok,
    Note,
    Warning,
    Failure,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Failure => "failure",
        }
    }
}

/// One line of the report.
#[derive(Debug)]
pub(super) struct Finding {
    level: Level,
    code: &'static str,
    what: String,
    remedy: Option<String>,
    measured: Vec<(&'static str, f64)>,
}

impl Finding {
    pub(super) fn new(
        level: Level,
        code: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let (what, remedy) = (what.into(), Some(remedy.into()));
        Finding { level, code, what, remedy, measured: Vec::new() }
    }

    pub(super) fn ok(code: &'static str, what: impl Into<String>) -> Finding {
        Finding { remedy: None, ..Finding::new(Level::Ok, code, what, "") }
    }

    /// Something that could not be done; the message says what to do where somebody knows.
    pub(super) fn failed(code: &'static str, message: &str) -> Finding {
        Finding { remedy: None, ..Finding::new(Level::Failure, code, message, "") }
    }

    /// With what was measured.
    pub(super) fn with(mut self, name: &'static str, value: f64) -> Finding {
        self.measured.push((name, value));
        self
    }

    /// With how long it took.
    pub(super) fn timed(self, timed: &Timed) -> Finding {
        let rounded = |milliseconds: f64| (milliseconds * 1000.0).round() / 1000.0;
        self.with("median", rounded(timed.median())).with("worst", rounded(timed.worst()))
    }

    fn row(&self) -> Value {
        let mut row = json!({
            "level": self.level.name(),
            "code": self.code,
            "what": self.what,
            "remedy": self.remedy,
        });
        for (name, value) in &self.measured {
            row[*name] = json!(value);
        }
        row
    }

    fn line(&self) -> String {
        let Finding { level, code, what, remedy, .. } = self;
        let remedy = remedy.as_ref().map_or_else(String::new, |remedy| format!("; {remedy}"));
        printable(&format!("{:<8} {code}: {what}{remedy}", level.name()))
    }
}

/// All that was found, told as it is found.
#[derive(Debug)]
pub(super) struct Findings {
    format: Format,
    worst: Level,
}

impl Findings {
    pub(super) fn new(format: Format) -> Findings {
        Findings { format, worst: Level::Ok }
    }

    /// Prints one.
    ///
    /// # Errors
    /// When the output is closed.
    pub(super) fn tell(&mut self, finding: Finding) -> io::Result<()> {
        self.worst = self.worst.max(finding.level);
        self.format.print(|| finding.row(), || finding.line())
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self.worst {
            Level::Ok | Level::Note => Outcome::Done,
            Level::Warning | Level::Failure => Outcome::Faulty,
        }
    }
}
