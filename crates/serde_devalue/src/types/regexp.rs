//! JavaScript's `RegExp`.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{JsString, tag};

/// A JavaScript regular expression: its source and its flags. It is data here, and never compiled.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RegExp {
    source: JsString,
    flags: String,
}

/// These flags are unknown, repeated, or exclude each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidFlags(String);

impl fmt::Display for InvalidFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid flags {:?} for a RegExp: each of dgimsuvy once, u or v", self.0)
    }
}

impl std::error::Error for InvalidFlags {}

impl RegExp {
    /// `new RegExp(source, flags)`, without a look at the grammar of the source.
    ///
    /// As in JavaScript, the source is kept in a form that can stand between slashes (`EscapeRegExpPattern`, ECMA-262,
    /// 22.2.6.13.1) and the flags in alphabetical order.
    ///
    /// # Errors
    /// If the flags are not JavaScript's.
    pub fn new(source: impl Into<JsString>, flags: &str) -> Result<Self, InvalidFlags> {
        let mut sorted: Vec<u8> = flags.bytes().collect();
        sorted.sort_unstable();
        let repeated = sorted.windows(2).any(|pair| pair[0] == pair[1]);
        let unknown = sorted.iter().any(|flag| !b"dgimsuvy".contains(flag));
        if repeated || unknown || (flags.contains('u') && flags.contains('v')) {
            return Err(InvalidFlags(flags.chars().take(16).collect()));
        }
        let flags = sorted.into_iter().map(char::from).collect();
        Ok(RegExp { source: escape(source.into()), flags })
    }

    /// The pattern, as JavaScript's `source` gives it.
    pub fn source(&self) -> &JsString {
        &self.source
    }

    /// How many bytes of memory the source takes, about.
    pub(crate) fn size(&self) -> usize {
        self.source.size()
    }

    /// The flags, in alphabetical order.
    pub fn flags(&self) -> &str {
        &self.flags
    }
}

fn escape(source: JsString) -> JsString {
    let special = |c: char| matches!(c, '/' | '\n' | '\r' | '\u{2028}' | '\u{2029}');
    match source.as_str() {
        Some("") => return "(?:)".into(),
        Some(text) if !text.contains(special) => return source,
        _ => {}
    }
    let units = source.to_utf16();
    let mut escaped = Vec::with_capacity(units.len() + 2);
    let (mut in_class, mut after_backslash) = (false, false);
    for unit in units {
        // Half of a surrogate pair is none of the characters that matter here.
        let c = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
        let line_end = match c {
            '\n' => Some("n"),
            '\r' => Some("r"),
            '\u{2028}' => Some("u2028"),
            '\u{2029}' => Some("u2029"),
            _ => None,
        };
        if !after_backslash && (line_end.is_some() || c == '/' && !in_class) {
            escaped.push(u16::from(b'\\'));
        }
        match line_end {
            Some(escape) => escaped.extend(escape.encode_utf16()),
            None => escaped.push(unit),
        }
        match c {
            _ if after_backslash => after_backslash = false,
            '\\' => after_backslash = true,
            '[' => in_class = true,
            ']' => in_class = false,
            _ => {}
        }
    }
    JsString::from_utf16(escaped)
}

/// `/source/flags`.
impl fmt::Display for RegExp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.source, self.flags)
    }
}

/// Other formats get the pair of source and flags.
impl Serialize for RegExp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::REGEXP, &(&self.source, &self.flags))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_escaped_as_javascript_escapes_it() {
        for (source, escaped) in [
            ("", "(?:)"),
            ("a/b", r"a\/b"),
            (r"a\/b", r"a\/b"),
            ("[/]/", r"[/]\/"),
            ("a\nb", r"a\nb"),
            ("\\\n", r"\n"),
        ] {
            assert_eq!(RegExp::new(source, "").unwrap().source(), &JsString::from(escaped));
        }
    }

    #[test]
    fn a_source_with_an_unpaired_surrogate_is_escaped_too() {
        let source = JsString::from_utf16(vec![0xd83d, u16::from(b'/')]);
        let escaped = JsString::from_utf16(vec![0xd83d, u16::from(b'\\'), u16::from(b'/')]);
        assert_eq!(RegExp::new(source, "").unwrap().source(), &escaped);
    }

    #[test]
    fn flags_are_checked_and_ordered() {
        assert_eq!(RegExp::new("x", "yg").unwrap().flags(), "gy");
        for flags in ["zz", "gg", "uv", "G", "é"] {
            assert!(RegExp::new("x", flags).is_err(), "{flags}");
        }
    }
}
