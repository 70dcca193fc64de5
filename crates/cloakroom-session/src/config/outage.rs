//! What requests get while the store does not answer.

use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Value;

use super::fields::{Result, Unusable, described};

/// What a request gets that wants its session while the store does not answer.
///
/// Declared for all requests in the configuration (`outage`), for those below a layer, or for a route. Whatever it
/// says, nothing can be changed during an outage: `set` and the like fail with
/// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable), and a commit that failed sends no cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutagePolicy {
    /// An error, which is a 503: whoever has a session is told to come back.
    #[default]
    Unavailable,
    /// The session as this process saw it last, at most ten minutes ago, to be read only; and an error where it has
    /// not seen it. A session that was ended elsewhere in the meantime may still be read.
    ReadOnly,
    /// No session, as for a visitor without a cookie; [`Session::is_degraded`](crate::Session::is_degraded) tells. The
    /// cookie stays, and the session is there again when the store is.
    Anonymous,
}

impl OutagePolicy {
    pub(super) fn from_value(value: &Value) -> Result<OutagePolicy> {
        match value.as_str() {
            Some("unavailable") => Ok(OutagePolicy::Unavailable),
            Some("readOnly" | "read_only") => Ok(OutagePolicy::ReadOnly),
            Some("anonymous") => Ok(OutagePolicy::Anonymous),
            _ => Err(Unusable::new(
                "outage",
                format!(
                    "outage is {}: it must be \"unavailable\", \"readOnly\" or \"anonymous\"",
                    described(value)
                ),
            )),
        }
    }
}

/// What a request's layer or route declares, if it does. No lock: it is declared for requests that never touch their
/// session too.
#[derive(Default)]
pub(crate) struct Declared(AtomicU8);

impl Declared {
    pub(crate) fn set(&self, policy: OutagePolicy) {
        let number = match policy {
            OutagePolicy::Unavailable => 1,
            OutagePolicy::ReadOnly => 2,
            OutagePolicy::Anonymous => 3,
        };
        self.0.store(number, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Option<OutagePolicy> {
        match self.0.load(Ordering::Acquire) {
            1 => Some(OutagePolicy::Unavailable),
            2 => Some(OutagePolicy::ReadOnly),
            3 => Some(OutagePolicy::Anonymous),
            _ => None,
        }
    }
}
