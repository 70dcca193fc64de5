//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, as JavaScript counts them.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64
}
