//! The time.

use cloakroom_storage::platform::SystemTime;

/// Milliseconds since 1970, as JavaScript counts them.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64
}
