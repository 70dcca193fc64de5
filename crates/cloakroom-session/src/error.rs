//! What can go wrong with a session.

use std::error::Error as StdError;
use std::fmt;

use cloakroom_storage::{Error as StorageError, ErrorKind as StorageErrorKind};

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a session, where, and what to do about it.
///
/// Opaque on purpose: [`Error::kind`] says what a program may decide by, `Display` what a person needs, and
/// `source` keeps the cause.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What a program may decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The key is empty.
    EmptyKey,
    /// The key is one that the library keeps a note of its own under.
    ReservedKey,
    /// The value cannot be written in the devalue format.
    NotSerializable,
    /// The stored value is not of the type that was asked for.
    WrongType,
    /// The stored record, or the entry, is not what a session consists of; its bytes are kept.
    Corrupt,
    /// The value or the whole session is larger than the configured limit, or the value is more than could be read again.
    TooLarge,
    /// The stored value, which another has written, is more than is read here: it is nested too deep, a `BigInt` has too
    /// many digits, or what it repeats by shared references is too much. Its bytes are kept, and other entries can be read.
    BeyondLimit,
    /// The store cannot be reached or did not answer in time; a later request may succeed.
    Unavailable,
    /// The store answered, and refuses: a read-only folder, a full disk, a wrong password.
    Storage,
    /// Another request ended the session, or gave it a new ID, since this one began.
    Destroyed,
    /// The session's time passed while this request held it, and no cookie can name a new one any more.
    Expired,
    /// Other requests kept changing the session, and the retries ran out.
    Conflict,
    /// The response's headers have left, so a cookie can no longer be sent.
    ResponseStarted,
    /// The text is not a session ID.
    InvalidId,
    /// There is no session here: the page is prerendered, or the code runs outside of a request.
    NoSession,
    /// Nobody is signed in to the session.
    NotSignedIn,
    /// The session's principal was authenticated longer ago than is asked for.
    NotRecent,
    /// The principal has as many sessions as it may have.
    TooManySessions,
    /// The text is no principal.
    InvalidPrincipal,
    /// The configuration is not usable.
    Config,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// With one more thing to know, in parentheses.
    pub(crate) fn with_note(mut self, note: impl fmt::Display) -> Error {
        self.0.message = format!("{} ({note})", self.0.message);
        self
    }

    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Config, message)
    }

    /// A session was asked for on a route that nothing brings one to. For authors of framework adapters: `remedy` is
    /// what to do about it there.
    pub fn no_session(route: &str, remedy: &str) -> Error {
        Error::new(
            ErrorKind::NoSession,
            format!(
                "the route {route} has no session: sessions exist only on routes rendered on demand, {remedy}"
            ),
        )
    }

    /// What a program may decide by.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unavailable | ErrorKind::Conflict)
    }

    /// Whether the call was given up from this side, as when the runtime shuts down.
    pub(crate) fn was_cancelled(&self) -> bool {
        let cause = self.0.source.as_deref().and_then(|cause| cause.downcast_ref());
        cause.is_some_and(|cause: &StorageError| cause.kind() == StorageErrorKind::Cancelled)
    }

    /// The session was destroyed elsewhere while this request held it.
    pub fn is_destroyed(&self) -> bool {
        self.0.kind == ErrorKind::Destroyed
    }
}

/// A key as messages show it: its beginning, where it is long.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 100;
        match self.0.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(formatter, "{:?}…", &self.0[..end]),
            None => write!(formatter, "{:?}", self.0),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
