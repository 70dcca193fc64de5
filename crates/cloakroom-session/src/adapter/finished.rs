//! What a framework adapter learns from a commit.

use std::fmt;

/// What the response has to say about the session.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// The value of the one `Set-Cookie` header.
    pub set_cookie: Option<String>,
    /// The session was read or changed, so the response depends on the cookie: `Vary: Cookie`.
    pub used: bool,
    /// The store did not answer and the response was made without it, so no cache may keep it.
    pub degraded: bool,
}

/// Without the cookie's value, which is a credential.
impl fmt::Debug for Finished {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Finished")
            .field("set_cookie", &self.set_cookie.as_ref().map(|_| "…"))
            .field("used", &self.used)
            .field("degraded", &self.degraded)
            .finish()
    }
}
