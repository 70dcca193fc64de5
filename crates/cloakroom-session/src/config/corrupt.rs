//! What becomes of a record that cannot be read.

use serde_json::Value;

use super::fields::{Result, Unusable, described};

/// What becomes of a record that cannot be read, and of the visitor whose session it is.
///
/// Declared in the configuration (`corrupt`). Whatever it says, a record is never written over, and `destroy` removes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorruptPolicy {
    /// It stays as it is, and its visitor gets an error ([`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt)) until somebody
    /// restores or removes it, or the cookie ends.
    #[default]
    Error,
    /// It is moved aside, where no cookie leads, to be looked at for a week, and its visitor has no session, as one whose
    /// session has expired. Only a torn record is, which begins as those of sessions do: two writes of a plain Astro site at
    /// once can leave one in a file. What is something else altogether stays, since then it may be us who look in the wrong
    /// place. Only on a driver that compares and swaps, so that nothing is moved that was mended meanwhile.
    Quarantine,
}

impl CorruptPolicy {
    pub(super) fn from_value(value: &Value) -> Result<CorruptPolicy> {
        match value.as_str() {
            Some("error") => Ok(CorruptPolicy::Error),
            Some("quarantine") => Ok(CorruptPolicy::Quarantine),
            _ => {
                let value = described(value);
                let message = format!("corrupt is {value}: it must be \"error\" or \"quarantine\"");
                Err(Unusable::new("corrupt", message))
            }
        }
    }
}
