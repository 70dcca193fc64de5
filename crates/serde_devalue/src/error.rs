//! The crate's one error type.

use std::{borrow::Cow, error, fmt, io};

use serde::de::{Expected, Unexpected};

/// What went wrong while reading or writing devalue text.
///
/// One opaque word, so that a `Result` stays small. What kind of problem it is tell [`is_syntax`](Error::is_syntax)
/// and its siblings, where it is tell [`path`](Error::path), [`slot`](Error::slot) and [`offset`](Error::offset), and
/// the message says both in words.
///
/// ```
/// let error = serde_devalue::from_str::<Vec<u8>>("[[1,]]").unwrap_err();
/// assert!(error.is_syntax());
/// assert_eq!(error.offset(), Some(4));
/// ```
pub struct Error(Box<Inner>);

/// The result of everything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

struct Inner {
    category: Category,
    message: Cow<'static, str>,
    path: String,
    slot: Option<usize>,
    offset: Option<usize>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

/// How much of a message that others made, and of each end of a path, is shown, in bytes: an error is logged, and a value or a
/// name in it may be as long as the text.
const SHOWN: usize = 240;

/// The kinds of problem that an [`Error`] can report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Category {
    Syntax,
    Eof,
    Data,
    Limit,
    Io,
}

impl Error {
    fn new(category: Category, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            category,
            message: message.into(),
            path: String::new(),
            slot: None,
            offset: None,
            source: None,
        }))
    }

    /// The text is not JSON at this byte.
    pub(crate) fn syntax(message: impl Into<Cow<'static, str>>, offset: usize) -> Self {
        Self::new(Category::Syntax, message).at_offset(offset)
    }

    /// The text ends too early.
    pub(crate) fn eof(offset: usize) -> Self {
        Self::new(Category::Eof, "the text ends too early").at_offset(offset)
    }

    /// The text is JSON, but not what devalue writes, or not what the wanted type can hold.
    pub(crate) fn data(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Category::Data, message)
    }

    /// The input is larger or deeper than what this crate is willing to handle.
    pub(crate) fn limit(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Category::Limit, message)
    }

    /// Names the byte; the first (innermost) caller wins.
    pub(crate) fn at_offset(mut self, offset: usize) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Names the slot; the first (innermost) caller wins.
    pub(crate) fn at_slot(mut self, slot: usize) -> Self {
        self.0.slot.get_or_insert(slot);
        self
    }

    /// Puts a step before the path: called once per level, from the inside out.
    pub(crate) fn under(mut self, step: Step<'_>) -> Self {
        self.0.path.insert_str(0, &step.to_string());
        self
    }

    /// Keeps the cause.
    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The text is not JSON.
    pub fn is_syntax(&self) -> bool {
        self.0.category == Category::Syntax
    }

    /// The text ends too early: it may have been cut.
    pub fn is_eof(&self) -> bool {
        self.0.category == Category::Eof
    }

    /// The text is JSON but not devalue, or a value does not fit its type.
    pub fn is_data(&self) -> bool {
        self.0.category == Category::Data
    }

    /// A stated limit was exceeded: depth, size, or the work that a small text may cause.
    pub fn is_limit(&self) -> bool {
        self.0.category == Category::Limit
    }

    /// The writer given to [`to_writer`](crate::to_writer) failed.
    pub fn is_io(&self) -> bool {
        self.0.category == Category::Io
    }

    /// The place inside the value, written as devalue writes it: `.user.roles[0]`, `.get("cart")`; empty at the root.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The slot of the text that the problem is in.
    pub fn slot(&self) -> Option<usize> {
        self.0.slot
    }

    /// The byte of the text that the problem is at.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shortened(&self.0.message))?;
        if let Some(slot) = self.0.slot {
            write!(f, ", in slot {slot}")?;
        }
        if let Some(offset) = self.0.offset {
            write!(f, ", at byte {offset}")?;
        }
        if !self.0.path.is_empty() {
            write!(f, ", at path {}", shortened(&self.0.path))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("category", &self.0.category)
            .field("message", &shortened(&self.0.message))
            .field("path", &shortened(&self.0.path))
            .field("slot", &self.0.slot)
            .field("offset", &self.0.offset);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

/// What is found is named by its kind and never shown: data may be personal, and a type that a new version of a program
/// has changed finds the values of the old one.
impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::data(shortened(&message.to_string()).into_owned())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::data(format!("invalid type: {}, expected {expected}", kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::data(format!("invalid value: {}, expected {expected}", kind(found)))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Error::data(format!("unknown variant, {}", one_of(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Error::data(format!("unknown field, {}", one_of(expected)))
    }
}

fn kind(found: Unexpected<'_>) -> Unexpected<'_> {
    Unexpected::Other(match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Bytes(_) => "bytes",
        other => return other,
    })
}

fn one_of(names: &'static [&'static str]) -> String {
    match names {
        [] => "there are none".to_owned(),
        names => format!("expected one of `{}`", names.join("`, `")),
    }
}

/// The beginning and the end of a text that is too long to be shown.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= 2 * SHOWN {
        return text.into();
    }
    let boundary = |at: &usize| text.is_char_boundary(*at);
    let beginning = (0..=SHOWN).rfind(boundary).unwrap_or_default();
    let end = (text.len() - SHOWN..text.len()).find(boundary).unwrap_or(text.len());
    format!("{} … {}", &text[..beginning], &text[end..]).into()
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::data(shortened(&message.to_string()).into_owned())
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::new(Category::Io, "the writer failed").with_source(source)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.0.category {
            Category::Eof => io::ErrorKind::UnexpectedEof,
            Category::Io => io::ErrorKind::Other,
            Category::Syntax | Category::Data | Category::Limit => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    }
}

/// One step of an error's path, displayed as devalue displays it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// `.name`, or `["not a name"]`.
    Property(&'a str),
    /// `[0]`.
    Index(u64),
    /// `.get("key")`: the key as devalue prints a primitive, or `...` for any other key.
    MapKey(&'a str),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Step::Property(name) if is_identifier(name) => write!(f, ".{name}"),
            Step::Property(name) => write!(f, "[{}]", JsonText(name)),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::MapKey(key) => write!(f, ".get({key})"),
        }
    }
}

/// What devalue prints without quotes in a path: `/^[a-zA-Z_$][a-zA-Z_$0-9]*$/`.
fn is_identifier(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$';
    match name.as_bytes() {
        [first, rest @ ..] => {
            letter(*first) && rest.iter().all(|&byte| letter(byte) || byte.is_ascii_digit())
        }
        [] => false,
    }
}

/// A string as `JSON.stringify` prints it, which escapes less than devalue does.
struct JsonText<'a>(&'a str);

impl fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\0'..='\u{1f}' => write!(f, "\\u{:04x}", u32::from(character))?,
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_displayed_as_devalue_displays_it() {
        let error = Error::data("no")
            .under(Step::Index(2))
            .under(Step::Property("not a name\n"))
            .under(Step::MapKey("\"key\""))
            .under(Step::Property("$name_1"));
        assert_eq!(error.path(), r#".$name_1.get("key")["not a name\n"][2]"#);
    }

    #[test]
    fn the_message_says_what_and_where() {
        let error = Error::syntax("expected `,` or `]`", 17).at_slot(3);
        assert_eq!(error.to_string(), "expected `,` or `]`, in slot 3, at byte 17");
        assert!(error.is_syntax() && !error.is_data());
    }

    #[test]
    fn what_was_found_is_named_and_not_shown() {
        #[derive(Debug, serde::Deserialize)]
        enum Choice {
            One,
            Two,
        }
        let secret = r#"["hunter2"]"#;
        let shown = [
            crate::from_str::<Vec<u8>>(secret).unwrap_err(),
            crate::from_str::<u8>(secret).unwrap_err(),
            crate::from_str::<bool>(secret).unwrap_err(),
            crate::from_str::<Choice>(secret).unwrap_err(),
            crate::from_str::<char>(secret).unwrap_err(),
            crate::from_str::<Vec<u8>>(r#"[[1],"hunter2"]"#).unwrap_err(),
        ];
        for error in shown {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("hunter"), "{shown}");
        }
        let number = crate::from_str::<String>("[4321987]").unwrap_err().to_string();
        assert!(!number.contains("4321987"), "{number}");
    }

    #[test]
    fn a_message_is_never_as_long_as_the_text() {
        let key = "\u{e9}".repeat(60_000);
        let deep = Error::data("no").under(Step::Property(&key)).under(Step::Index(1));
        assert!(format!("{deep} {deep:?}").len() < 3_000);
        assert!(deep.path().len() > 60_000);
        let tag =
            crate::from_str::<u8>(&format!("[[\"{}\",1],1]", "t".repeat(60_000))).unwrap_err();
        assert!(format!("{tag} {tag:?}").len() < 3_000);
        let others: Error = serde::de::Error::custom("x".repeat(100_000_000));
        assert!(format!("{others} {others:?}").len() < 3_000);
    }

    #[test]
    fn the_innermost_place_is_kept() {
        let error = Error::data("no").at_slot(4).at_slot(0);
        assert_eq!(error.slot(), Some(4));
    }

    #[test]
    fn the_cause_of_a_failed_write_is_kept() {
        let error = Error::from(io::Error::other("disk full"));
        assert!(error.is_io());
        assert_eq!(error::Error::source(&error).map(ToString::to_string), Some("disk full".into()));
    }
}
