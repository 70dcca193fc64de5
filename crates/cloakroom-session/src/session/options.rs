//! How an entry is set.

use std::time::Duration;

/// How an entry is set.
///
/// ```
/// use std::time::Duration;
/// use cloakroom_session::SetOptions;
///
/// let one_hour = SetOptions::new().ttl(Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SetOptions {
    pub(crate) ttl: Option<Duration>,
}

impl SetOptions {
    /// As `set` without options: the configured ttl.
    ///
    /// ```
    /// use cloakroom_session::SetOptions;
    ///
    /// let as_configured = SetOptions::new();
    /// ```
    pub const fn new() -> SetOptions {
        SetOptions { ttl: None }
    }

    /// How long the entry lives, from now. Takes precedence over the configured ttl.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cloakroom_session::SetOptions;
    ///
    /// let one_hour = SetOptions::new().ttl(Duration::from_secs(3600));
    /// ```
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> SetOptions {
        self.ttl = Some(ttl);
        self
    }
}
