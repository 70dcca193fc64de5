//! Which sessions a command is for.

use std::error::Error;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use cloakroom_session::{AllSessions, SessionId, StoredHandle, StoredSession};
use jiff::{Span, SpanRelativeTo};

/// How long something has been so: `30d`, `2h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age(pub(super) Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Age, String> {
        let refused = || format!("{text:?} is no time: as in 45s, 30d or \"2h 30m\"");
        let span: Span = text.parse().map_err(|_| refused())?;
        let exact = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refused())?;
        Duration::try_from(exact).map(Age).map_err(|_| refused())
    }
}

/// Whether nobody has used a session for so long.
pub(super) fn is_idle_for(session: &StoredSession, age: Age) -> bool {
    session.last_used_at().is_some_and(|at| is_older(at, age))
}

/// Whether something happened so long ago.
pub(super) fn is_older(at: SystemTime, Age(age): Age) -> bool {
    SystemTime::now().duration_since(at).is_ok_and(|since| since >= age)
}

/// What names one session on a command line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Handle(StoredHandle),
    Id(SessionId),
}

impl FromStr for Target {
    type Err = String;

    /// The text is not shown in an error: it may be an ID that was cut short.
    fn from_str(text: &str) -> Result<Target, String> {
        let handle = || text.parse().ok().map(Target::Handle);
        SessionId::parse(text).map(Target::Id).or_else(handle).ok_or_else(|| {
            "it must be a handle, 16 hexadecimal digits as `cloakroom list` shows them, or a session's ID".to_owned()
        })
    }
}

impl Target {
    /// The session; `None` where there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn find(
        self,
        all: &AllSessions,
    ) -> Result<Option<StoredSession>, Box<dyn Error>> {
        Ok(match self {
            Target::Handle(handle) => all.find(handle).await?,
            Target::Id(id) => all.find_by_id(id).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_units() {
        let age = |text: &str| text.parse::<Age>().map(|Age(age)| age.as_secs());
        assert_eq!(age("45s"), Ok(45));
        assert_eq!(age("2h 30m"), Ok(9_000));
        assert_eq!(age("30d"), Ok(30 * 86_400));
        for text in ["", "30", "-1h", "1 month", "soon"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_names_no_session_is_not_shown() {
        assert!("00000000000000ff".parse::<Target>().is_ok());
        assert!("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11".parse::<Target>().is_ok());
        let error = "0e7d2a53-6d0f-4a52-9d0e".parse::<Target>().unwrap_err();
        assert!(!error.contains("0e7d"), "{error}");
    }
}
