//! What can go wrong in a store.

use std::error::Error as StdError;
use std::fmt;

use crate::{ItemKey, KeyHash};

/// The result of a driver's method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in which driver, while doing what, to which item, and why.
///
/// Opaque and one word large, so that it can grow without breaking anybody: match on
/// [`kind`](Error::kind). It never shows a key, only its [`KeyHash`].
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    driver: Option<&'static str>,
    operation: Option<Operation>,
    key: Option<KeyHash>,
    option: Option<String>,
    retryable: Option<bool>,
    unapplied: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of failure that a caller may tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store cannot be reached or does not answer as a store would.
    Unavailable,
    /// The deadline of the call passed.
    Timeout,
    /// The call was given up from this side, as when the runtime shuts down.
    Cancelled,
    /// The value is larger than the store takes.
    TooLarge,
    /// The store cannot be written to.
    ReadOnly,
    /// The store lets us in, but not to do this.
    PermissionDenied,
    /// The store has no room left.
    StorageFull,
    /// The key cannot be a key, or not in this store.
    InvalidKey,
    /// The driver's options are wrong.
    InvalidOptions,
    /// There is no driver of this name.
    UnknownDriver,
    /// The driver exists, but its feature was not compiled in.
    FeatureDisabled,
    /// The driver cannot do this.
    Unsupported,
    /// What is stored cannot be what was written.
    Corrupt,
    /// None of the others.
    Other,
}

/// What a driver was doing when an error arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Opening the store.
    Open,
    /// [`Driver::get`](crate::Driver::get).
    Get,
    /// [`Driver::set`](crate::Driver::set).
    Set,
    /// [`Driver::remove`](crate::Driver::remove).
    Remove,
    /// [`Driver::touch`](crate::Driver::touch).
    Touch,
    /// [`Driver::keys`](crate::Driver::keys).
    Keys,
    /// [`Driver::sweep`](crate::Driver::sweep).
    Sweep,
}

impl Error {
    /// An error that says what went wrong and, where there is something, what to do about it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            driver: None,
            operation: None,
            key: None,
            option: None,
            retryable: None,
            unapplied: false,
            source: None,
        }))
    }

    /// The answer to a removal on the condition that there is nothing to remove.
    pub fn remove_absent(driver: &'static str, key: &ItemKey) -> Error {
        Error::new(ErrorKind::Unsupported, "`When::Absent` is no condition for a removal")
            .with_driver(driver)
            .with_operation(Operation::Remove)
            .with_key(key)
    }

    /// Names the driver, unless one is named already.
    pub fn with_driver(mut self, driver: &'static str) -> Error {
        self.0.driver.get_or_insert(driver);
        self
    }

    /// Names the operation, unless one is named already.
    pub fn with_operation(mut self, operation: Operation) -> Error {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Names the item by its hash, unless one is named already.
    pub fn with_key(mut self, key: &ItemKey) -> Error {
        self.0.key.get_or_insert(key.hash());
        self
    }

    /// Names the option that is wrong, unless one is named already.
    pub fn with_option(mut self, option: impl Into<String>) -> Error {
        self.0.option.get_or_insert_with(|| option.into());
        self
    }

    /// Says whether a retry may help, where the kind alone would say it wrongly.
    pub fn with_retryable(mut self, retryable: bool) -> Error {
        self.0.retryable = Some(retryable);
        self
    }

    /// Says that the call changed nothing, for sure: the request never left, or was refused as a whole. Not for a
    /// write whose answer was lost.
    pub fn with_unapplied(mut self, unapplied: bool) -> Error {
        self.0.unapplied = unapplied;
        self
    }

    /// Keeps the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The driver that failed.
    pub fn driver(&self) -> Option<&'static str> {
        self.0.driver
    }

    /// What it was doing.
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The item it was doing it to.
    pub fn key_hash(&self) -> Option<KeyHash> {
        self.0.key
    }

    /// The option that is wrong, as the configuration spells it, where it is a single one.
    pub fn option(&self) -> Option<&str> {
        self.0.option.as_deref()
    }

    /// Whether the same call may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        self.0
            .retryable
            .unwrap_or(matches!(self.0.kind, ErrorKind::Unavailable | ErrorKind::Timeout))
    }

    /// Whether it is sure that the call changed nothing, so that even a conditional write may be tried again.
    pub fn is_unapplied(&self) -> bool {
        self.0.unapplied
    }

    /// Whether the deadline of the call passed.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { driver, operation, key, message, .. } = &*self.0;
        if let Some(driver) = driver {
            write!(f, "{driver}: ")?;
        }
        match (operation, key) {
            (Some(operation), Some(key)) => write!(f, "cannot {operation} item {key}: ")?,
            (Some(Operation::Keys), None) => write!(f, "cannot list the keys: ")?,
            (Some(operation), None) => write!(f, "cannot {operation} the store: ")?,
            (None, Some(key)) => write!(f, "item {key}: ")?,
            (None, None) => {}
        }
        f.write_str(message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.to_string());
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl Operation {
    /// Its verb, as errors and traces have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Open => "open",
            Operation::Get => "get",
            Operation::Set => "set",
            Operation::Remove => "remove",
            Operation::Touch => "touch",
            Operation::Keys => "list",
            Operation::Sweep => "sweep",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
