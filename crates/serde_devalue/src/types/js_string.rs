//! Strings as JavaScript has them.

use std::{borrow::Cow, fmt};

use compact_str::CompactString;
use serde::{de, ser};

use crate::{tag, text::string::Unescaped};

/// A JavaScript string: nearly always one that a `String` can hold too, but it may hold unpaired surrogates.
///
/// Short ones take no memory of their own.
///
/// ```
/// use serde_devalue::JsString;
///
/// let string: JsString = serde_devalue::from_str(r#"["caf\u00e9"]"#)?;
/// assert_eq!(string, "café");
///
/// let cut: JsString = serde_devalue::from_str(r#"["\ud83d"]"#)?;
/// assert_eq!(cut.as_str(), None);
/// assert_eq!(cut.to_string_lossy(), "\u{fffd}");
/// assert_eq!(serde_devalue::to_string(&cut)?, r#"["\ud83d"]"#);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsString(Repr);

/// `IllFormed` is only used where there is an unpaired surrogate, so that equal strings have equal forms.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    WellFormed(CompactString),
    IllFormed(Box<[u16]>),
}

impl JsString {
    /// An empty string.
    pub const fn new() -> Self {
        JsString(Repr::WellFormed(CompactString::const_new("")))
    }

    /// The same as `from`, in place: what is short is made in registers, and moving it through memory would take longer.
    #[inline(always)]
    pub(crate) fn copy_of(string: &str) -> Self {
        JsString(Repr::WellFormed(CompactString::new(string)))
    }

    /// The string of these UTF-16 code units.
    pub fn from_utf16(units: Vec<u16>) -> Self {
        match String::from_utf16(&units) {
            Ok(string) => string.into(),
            Err(_) => JsString(Repr::IllFormed(units.into_boxed_slice())),
        }
    }

    /// The string, unless it holds an unpaired surrogate.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::WellFormed(string) => Some(string),
            Repr::IllFormed(_) => None,
        }
    }

    /// How many bytes of memory it takes, about.
    pub(crate) fn size(&self) -> usize {
        match &self.0 {
            Repr::WellFormed(string) => string.len(),
            Repr::IllFormed(units) => size_of_val(&**units),
        }
    }

    /// The string, with U+FFFD in place of each unpaired surrogate.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::WellFormed(string) => Cow::Borrowed(string.as_str()),
            Repr::IllFormed(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }

    /// The string as one of Rust's.
    ///
    /// # Errors
    /// Gives the string back if it holds an unpaired surrogate.
    pub fn into_string(self) -> Result<String, Self> {
        match self.0 {
            Repr::WellFormed(string) => Ok(string.into()),
            ill_formed => Err(JsString(ill_formed)),
        }
    }

    /// The UTF-16 code units, as JavaScript counts them.
    pub fn to_utf16(&self) -> Vec<u16> {
        match &self.0 {
            Repr::WellFormed(string) => string.encode_utf16().collect(),
            Repr::IllFormed(units) => units.to_vec(),
        }
    }
}

impl Default for JsString {
    fn default() -> Self {
        Self::new()
    }
}

impl From<String> for JsString {
    fn from(string: String) -> Self {
        JsString(Repr::WellFormed(string.into()))
    }
}

impl From<&str> for JsString {
    fn from(string: &str) -> Self {
        JsString(Repr::WellFormed(CompactString::new(string)))
    }
}

impl From<Unescaped<'_>> for JsString {
    fn from(string: Unescaped<'_>) -> Self {
        match string {
            Unescaped::WellFormed(string) => (*string).into(),
            Unescaped::IllFormed(units) => JsString(Repr::IllFormed(units.into_boxed_slice())),
        }
    }
}

impl PartialEq<str> for JsString {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for JsString {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Debug for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::WellFormed(string) => string.fmt(f),
            Repr::IllFormed(units) => write!(f, "JsString::from_utf16({units:x?})"),
        }
    }
}

/// Displays U+FFFD in place of each unpaired surrogate.
impl fmt::Display for JsString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_string_lossy().fmt(f)
    }
}

/// Other formats get a string, or the sequence of UTF-16 code units where there is an unpaired surrogate.
impl ser::Serialize for JsString {
    #[inline]
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::WellFormed(string) => serializer.serialize_str(string),
            Repr::IllFormed(units) => serializer.serialize_newtype_struct(tag::STRING, &**units),
        }
    }
}

impl<'de> de::Deserialize<'de> for JsString {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(tag::STRING, StringVisitor)
    }
}

struct StringVisitor;

impl<'de> de::Visitor<'de> for StringVisitor {
    type Value = JsString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, string: &str) -> Result<JsString, E> {
        Ok(string.into())
    }

    fn visit_string<E: de::Error>(self, string: String) -> Result<JsString, E> {
        Ok(string.into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<JsString, A::Error> {
        let mut units = Vec::new();
        while let Some(unit) = seq.next_element()? {
            units.push(unit);
        }
        Ok(JsString::from_utf16(units))
    }

    fn visit_newtype_struct<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<JsString, D::Error> {
        deserializer.deserialize_any(self)
    }
}
