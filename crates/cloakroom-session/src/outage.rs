//! What requests get while the store does not answer.

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
