//! The time.

use std::time::{Duration, SystemTime};

#[cfg(any(test, feature = "testing"))]
use std::sync::atomic::{AtomicU64, Ordering};

use cloakroom_storage::platform;

/// Tells the time in milliseconds since 1970, as JavaScript counts them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// What it says in place of the system's time. It is never freed, so that a clock stays a word that is copied: a test's
    /// process is soon over.
    #[cfg(any(test, feature = "testing"))]
    standing: Option<&'static AtomicU64>,
}

impl Clock {
    pub(crate) fn now(self) -> f64 {
        #[cfg(any(test, feature = "testing"))]
        if let Some(standing) = self.standing {
            return standing.load(Ordering::Relaxed) as f64;
        }
        let now = platform::SystemTime::now();
        let since = now.duration_since(platform::SystemTime::UNIX_EPOCH).unwrap_or_default();
        since.as_millis() as f64
    }

    /// The same for whoever counts otherwise.
    pub(crate) fn time(self) -> SystemTime {
        time(self.now())
    }
}

/// A moment that is told in milliseconds since 1970.
pub(crate) fn time(at: f64) -> SystemTime {
    let since = Duration::try_from_secs_f64(at.max(0.0) / 1000.0).unwrap_or_default();
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(any(test, feature = "testing"))]
impl Clock {
    /// One that stands still.
    pub(crate) fn standing_at(now: f64) -> Clock {
        Clock { standing: Some(Box::leak(Box::new(AtomicU64::new(now as u64)))) }
    }

    /// Moves one that stands still, in milliseconds.
    #[cfg(feature = "testing")]
    pub(crate) fn advance(self, milliseconds: u64) {
        if let Some(standing) = self.standing {
            standing.fetch_add(milliseconds, Ordering::Relaxed);
        }
    }
}
