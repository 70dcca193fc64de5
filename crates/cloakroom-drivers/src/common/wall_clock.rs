//! The time that machines agree on.

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// The time `ttl` from now, rounded up; `None` where that is centuries away.
#[allow(dead_code)] // memcached has deadlines of its own.
pub(crate) fn after(ttl: Duration) -> Option<i64> {
    const FAR: Duration = Duration::from_secs(200 * 365 * 24 * 3600);
    let milliseconds = i64::try_from(ttl.as_nanos().div_ceil(1_000_000)).ok()?;
    (ttl < FAR).then(|| now().saturating_add(milliseconds))
}
