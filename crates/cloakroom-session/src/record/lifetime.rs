//! When a session ends by itself: after a time without use, and after a time whatever its use.
//!
//! The idle deadline is the record's expiry at the store. It moves by `touch`, so that reading rewrites nothing, and at
//! most once per interval. The absolute deadline counts from the moment the session was created, which the record
//! keeps in an entry of its own that JavaScript carries along as any other: see [`CREATED`].

use std::time::Duration;

use super::Written;
use super::principal::{AUTHENTICATED, INDEXED, PRINCIPAL};

/// The key of the entry that says when a session was created (its data is a number, milliseconds since 1970).
///
/// An Astro site sees it among the session's keys and keeps it at every write; our own side hides it. It is there only
/// where an absolute timeout was configured once.
pub(crate) const CREATED: &str = "cloakroom.created";

/// The key of the entry that says that a session is remembered (its data is `true`), kept and hidden in the same way.
pub(crate) const REMEMBER: &str = "cloakroom.remember";

/// Whether an entry is none of the user's.
pub(crate) fn is_own(key: impl AsRef<[u8]>) -> bool {
    let key = key.as_ref();
    let own = [CREATED, REMEMBER, PRINCIPAL, AUTHENTICATED, INDEXED];
    key.starts_with(b"cloakroom.") && own.iter().any(|own| own.as_bytes() == key)
}

/// How far clocks may be apart, in milliseconds. A creation that is further in the future than this is none: its
/// session would not be old for as long again as it is ahead.
pub(crate) const CLOCK_SKEW: f64 = 60_000.0;

/// When something ends that is kept for so long from a moment on, in milliseconds since 1970.
pub(crate) fn end(from: f64, ttl: Duration) -> f64 {
    from + ttl.as_secs_f64() * 1000.0
}

/// The configured limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lifetime {
    pub(crate) idle: Option<Duration>,
    pub(crate) absolute: Option<Duration>,
    /// What `idle` is for a session that is remembered.
    pub(crate) remember: Option<Duration>,
    pub(crate) touch_interval: Duration,
}

impl Lifetime {
    /// The limits of one session.
    pub(crate) fn of(&self, is_remembered: bool) -> Lifetime {
        match self.remember {
            Some(_) if is_remembered => Lifetime { idle: self.remember, ..*self },
            _ => *self,
        }
    }

    /// Whether a record may have to go before its entries do.
    pub(crate) fn is_limited(&self) -> bool {
        self.idle.is_some() || self.absolute.is_some()
    }

    /// Whether the record has to say when it was created.
    pub(crate) fn needs_creation(&self, created: Option<f64>) -> bool {
        self.absolute.is_some() && created.is_none()
    }

    /// What the record says from now on.
    pub(crate) fn creation(now: f64) -> serde_devalue::Result<Written> {
        Written::new(format!("[{now}]").into_bytes(), None)
    }

    /// That the session is remembered.
    pub(crate) fn remembrance() -> serde_devalue::Result<Written> {
        Written::new(b"[true]".to_vec(), None)
    }

    /// Whether the absolute deadline has passed.
    pub(crate) fn is_over(&self, created: Option<f64>, now: f64) -> bool {
        self.left(created, now).is_some_and(|left| left.is_zero())
    }

    /// How long a store has to keep a record whose last entry expires after `entries`.
    pub(crate) fn ttl(
        &self,
        entries: Option<Duration>,
        created: Option<f64>,
        now: f64,
    ) -> Option<Duration> {
        [entries, self.idle, self.left(created, now)].into_iter().flatten().min()
    }

    /// Whether a record that still lives for `left` can be due for a touch. What it is touched to may turn out to be
    /// nearer, and the session not to be remembered, so this alone does not say that it is.
    pub(crate) fn may_be_due(&self, left: Option<Duration>) -> bool {
        let Some(left) = left else { return self.is_limited() };
        let mut limits = [self.idle, self.remember].into_iter().flatten();
        limits.any(|limit| limit.saturating_sub(left) >= self.touch_interval)
    }

    /// Whether a touch to `ttl` moves the deadline by as much as is worth a call.
    pub(crate) fn is_due(&self, ttl: Option<Duration>, left: Option<Duration>) -> bool {
        match (ttl, left) {
            (Some(_), None) => true,
            (Some(ttl), Some(left)) => ttl.saturating_sub(left) >= self.touch_interval,
            (None, _) => false,
        }
    }

    /// How long it is until the absolute deadline.
    pub(crate) fn left(&self, created: Option<f64>, now: f64) -> Option<Duration> {
        // A moment in the future comes from a clock that is ahead, and makes nobody live longer.
        let age = (now - created.unwrap_or(now)).max(0.0) / 1000.0;
        let age = Duration::try_from_secs_f64(age).unwrap_or(Duration::MAX);
        self.absolute.map(|absolute| absolute.saturating_sub(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const NOW: f64 = 1_795_431_615_459.0;

    fn lifetime(idle: Option<u32>, absolute: Option<u32>) -> Lifetime {
        let minutes = |minutes| MINUTE * minutes;
        Lifetime {
            idle: idle.map(minutes),
            absolute: absolute.map(minutes),
            remember: None,
            touch_interval: MINUTE,
        }
    }

    fn ago(minutes: u32) -> Option<f64> {
        Some(NOW - f64::from(minutes) * 60_000.0)
    }

    #[test]
    fn the_nearest_deadline_is_the_records() {
        assert_eq!(lifetime(None, None).ttl(None, None, NOW), None);
        assert_eq!(lifetime(Some(30), None).ttl(None, None, NOW), Some(MINUTE * 30));
        assert_eq!(lifetime(Some(30), None).ttl(Some(MINUTE), None, NOW), Some(MINUTE));
        assert_eq!(lifetime(Some(30), Some(60)).ttl(None, ago(50), NOW), Some(MINUTE * 10));
        assert_eq!(lifetime(Some(30), Some(60)).ttl(None, ago(5), NOW), Some(MINUTE * 30));
    }

    #[test]
    fn the_absolute_deadline_counts_from_the_creation() {
        let lifetime = lifetime(None, Some(60));
        assert!(!lifetime.is_over(ago(59), NOW));
        assert!(lifetime.is_over(ago(60), NOW));
        assert!(!lifetime.is_over(None, NOW));
        assert!(!lifetime.is_over(Some(NOW + 1e12), NOW), "a clock that is ahead ended a session");
        assert_eq!(lifetime.ttl(None, Some(NOW + 1e12), NOW), Some(MINUTE * 60));
    }

    #[test]
    fn a_touch_is_due_once_per_interval() {
        let lifetime = lifetime(Some(30), None);
        let due = |left| lifetime.may_be_due(left) && lifetime.is_due(Some(MINUTE * 30), left);
        assert!(!due(Some(MINUTE * 30)));
        assert!(!due(Some(Duration::from_millis(29 * 60_000 + 1))));
        assert!(due(Some(MINUTE * 29)));
        assert!(due(Some(MINUTE)));
        assert!(due(None), "whoever took the deadline away took the idle timeout away");
    }

    #[test]
    fn a_record_near_its_other_end_is_not_touched_in_vain() {
        let lifetime = lifetime(Some(30), Some(60));
        let left = Some(MINUTE * 10);
        assert!(lifetime.may_be_due(left));
        assert!(!lifetime.is_due(lifetime.ttl(None, ago(50), NOW), left));
    }
}
