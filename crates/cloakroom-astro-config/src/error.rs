//! Why a configuration cannot be read, and where it says so.

use std::error::Error as StdError;
use std::fmt;

/// A result whose error is this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a configuration cannot be read, where, and what to do about it.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    position: Option<Position>,
    source: Option<Cause>,
}

type Cause = Box<dyn StdError + Send + Sync>;

/// What a program may decide by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A file cannot be read, or is no JavaScript and no TypeScript.
    Unreadable,
    /// What the session needs is known to nobody who does not run the file.
    NotKnown,
    /// What the session needs is in an environment variable that is not set.
    Unset,
    /// What the file says makes no sense, or names something that there is not.
    Unusable,
}

/// Where something is written. Lines and columns begin at one, and columns are characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The file, as whoever named it wrote it.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Error {
    pub(crate) fn unreadable(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unreadable, message.into(), None)
    }

    pub(crate) fn at(kind: ErrorKind, position: Position, message: impl Into<String>) -> Error {
        Error::new(kind, message.into(), Some(position))
    }

    fn new(kind: ErrorKind, message: String, position: Option<Position>) -> Error {
        Error(Box::new(Inner { kind, message, position, source: None }))
    }

    pub(crate) fn with_source(mut self, source: std::io::Error) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What a program may decide by.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where the reason is written, if it is in a file that could be read.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// The cause, such as why a file could not be read, for an error that says the rest itself.
    pub fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.0.source
    }
}

/// `astro.config.mjs:3:14`
impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { file, line, column } = self;
        write!(formatter, "{file}:{line}:{column}")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.0.position {
            write!(formatter, "{position}: ")?;
        }
        formatter.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, position, source } = &*self.0;
        formatter
            .debug_struct("Error")
            .field("kind", kind)
            .field("message", message)
            .field("position", position)
            .field("source", source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
