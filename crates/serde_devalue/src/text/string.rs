//! Strings: JSON's grammar for reading. Writing is in [`escape`](super::escape).

use std::borrow::Cow;

pub(crate) use super::escape::{write, write_utf16, write_with};

use super::escape::{is_written_plain, mark_escaped};
use crate::error::{Error, Result};

/// A string token that was found well-formed, still escaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawString<'a> {
    /// The token, quotes and escapes included.
    token: &'a str,
    escaped: bool,
    /// Where the token begins in the text, for errors.
    offset: usize,
}

/// A JavaScript string: nearly always well-formed, but it may hold unpaired surrogates.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Unescaped<'a> {
    /// Borrowed where there was nothing to unescape.
    WellFormed(Cow<'a, str>),
    /// UTF-16 units, at least one of them an unpaired surrogate.
    IllFormed(Vec<u16>),
}

impl<'a> RawString<'a> {
    /// Reads the string token that begins with a quote at `start`, and where it ends.
    ///
    /// # Errors
    /// If it is not a string of JSON's grammar (RFC 8259, section 7).
    pub(crate) fn scan(text: &'a [u8], start: usize) -> Result<(Self, usize)> {
        let mut escaped = false;
        let mut at = start + 1;
        loop {
            at = skip_plain(text, at);
            match text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = scan_escape(text, at)?;
                }
                Some(_) => {
                    return Err(Error::syntax(
                        "a control character must be escaped in a string",
                        at,
                    ));
                }
                None => return Err(Error::eof(at)),
            }
        }
        let token = std::str::from_utf8(&text[start..=at])
            .map_err(|error| Error::syntax("the text is not UTF-8", start + error.valid_up_to()))?;
        Ok((RawString { token, escaped, offset: start }, at + 1))
    }

    /// The token that begins at `offset`, which has no escapes.
    pub(crate) fn of_plain(token: &'a str, offset: usize) -> Self {
        RawString { token, escaped: false, offset }
    }

    /// Where the token begins in the text.
    pub(crate) fn offset(self) -> usize {
        self.offset
    }

    /// The token, quotes and escapes included.
    pub(crate) fn token(self) -> &'a [u8] {
        self.token.as_bytes()
    }

    /// What stands between the quotes, still escaped.
    pub(crate) fn body(self) -> &'a str {
        &self.token[1..self.token.len() - 1]
    }

    /// The token as [`write`] would have written it.
    pub(crate) fn canonical(self) -> Cow<'a, [u8]> {
        let token = self.token.as_bytes();
        if !self.escaped && !may_need_escape(token) {
            return Cow::Borrowed(token);
        }
        let mut out = Vec::with_capacity(token.len());
        match self.unescape() {
            Unescaped::WellFormed(string) => write(&mut out, &string),
            Unescaped::IllFormed(units) => write_utf16(&mut out, &units),
        }
        Cow::Owned(out)
    }

    /// The string, if it has no escapes.
    pub(crate) fn plain(self) -> Option<&'a str> {
        (!self.escaped).then(|| self.body())
    }

    /// The string, whatever is in it.
    pub(crate) fn unescape(self) -> Unescaped<'a> {
        if !self.escaped {
            return Unescaped::WellFormed(Cow::Borrowed(self.body()));
        }
        let mut string = String::with_capacity(self.token.len());
        // Once a surrogate is unpaired, the whole string is kept as UTF-16.
        let mut units: Option<Vec<u16>> = None;
        let mut rest = self.body();
        while !rest.is_empty() {
            let run = rest.find('\\').unwrap_or(rest.len());
            match &mut units {
                None => string.push_str(&rest[..run]),
                Some(units) => units.extend(rest[..run].encode_utf16()),
            }
            rest = &rest[run..];
            if rest.is_empty() {
                break;
            }
            let (unit, length) = unescape_one(rest.as_bytes());
            rest = &rest[length..];
            let mut character = char::from_u32(unit.into());
            if matches!(unit, 0xd800..0xdc00) && rest.starts_with("\\u") {
                let (low, length) = unescape_one(rest.as_bytes());
                if matches!(low, 0xdc00..0xe000) {
                    rest = &rest[length..];
                    character = char::decode_utf16([unit, low]).next().and_then(Result::ok);
                }
            }
            match (&mut units, character) {
                (None, Some(character)) => string.push(character),
                (Some(units), Some(character)) => {
                    units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                }
                (_, None) => {
                    units.get_or_insert_with(|| string.encode_utf16().collect()).push(unit)
                }
            }
        }
        match units {
            Some(units) => Unescaped::IllFormed(units),
            None => Unescaped::WellFormed(Cow::Owned(string)),
        }
    }

    /// The string as Rust's `str`.
    ///
    /// # Errors
    /// If it holds an unpaired surrogate, which `str` cannot.
    pub(crate) fn to_str(self) -> Result<Cow<'a, str>> {
        match self.unescape() {
            Unescaped::WellFormed(string) => Ok(string),
            Unescaped::IllFormed(_) => Err(Error::data(
                "the string holds an unpaired surrogate, which a Rust string cannot",
            )
            .at_offset(self.offset)),
        }
    }

    /// The string with U+FFFD in place of each unpaired surrogate, as JavaScript's URL parsers take it.
    pub(crate) fn to_str_lossy(self) -> Cow<'a, str> {
        match self.unescape() {
            Unescaped::WellFormed(string) => string,
            Unescaped::IllFormed(units) => Cow::Owned(String::from_utf16_lossy(&units)),
        }
    }

    /// Whether it is this string.
    pub(crate) fn is(self, other: &str) -> bool {
        match self.plain() {
            Some(plain) => plain == other,
            None => matches!(self.unescape(), Unescaped::WellFormed(string) if string == other),
        }
    }
}

/// A byte with the value 1 in each place of a word.
pub(super) const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// Marks the high bit of each byte below `limit`, and perhaps of bytes behind the first such one.
#[inline(always)]
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7)
}

/// Marks the high bit of each byte that is this one, and perhaps of bytes behind the first such one.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// The bits of the bytes before the first quote of a word, or all.
pub(crate) fn before_quote(word: u64) -> u64 {
    let quotes = equal(word, b'"');
    let first = quotes & quotes.wrapping_neg();
    (first >> 7).wrapping_sub(1)
}

/// Whether there is a byte that devalue escapes and JSON does not, or perhaps only begins so.
fn may_need_escape(token: &[u8]) -> bool {
    let (words, rest) = token.as_chunks();
    let found = |word: u64| (equal(word, b'<') | word) & (ONES << 7) != 0;
    if words.iter().any(|word| found(u64::from_le_bytes(*word)))
        || rest.iter().any(|&byte| byte == b'<' || !byte.is_ascii())
    {
        // Text in other languages takes this way, and nearly all of it is plain.
        return token.contains(&b'<') || token.contains(&0xe2);
    }
    false
}

/// Whether this is a string token, surely as [`write`] would have written it.
pub(crate) fn is_canonical_token(token: &[u8]) -> bool {
    matches!(token, [b'"', body @ .., b'"'] if is_written_plain(body))
}

/// Marks the high bit of each quote, backslash and control character, and perhaps of bytes behind the first one.
#[inline(always)]
fn special(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    // With one bit of each byte changed, a quote is next to the control characters, and no other byte is.
    let quote_or_control = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (quote_or_control | backslash) & !word & (ONES << 7)
}

/// The first quote, backslash or control character from `start` on, or the end: eight bytes at a time.
pub(crate) fn skip_plain(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special(*bytes);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().position(is_special).map_or(text.len().max(start), |found| at + found)
}

/// The first byte from `start` on that cannot stand in a string as devalue writes it, or that perhaps begins such a
/// thing; or the end.
#[inline(always)]
pub(crate) fn skip_canonical(text: &[u8], start: usize) -> usize {
    // Most keys end within the first word.
    match text.get(start..).and_then(<[u8]>::first_chunk).map(find_not_canonical) {
        Some(Some(place)) if text.get(start + place) != Some(&b'|') => start + place,
        _ => skip_long_canonical(text, start),
    }
}

#[inline(never)]
fn skip_long_canonical(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) {
        match find_not_canonical(bytes) {
            None => at += 8,
            Some(place) if bytes[place] == b'|' => at += place + 1,
            Some(place) => return at + place,
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'<' | 0xe2 | 0..0x20);
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().position(is_special).map_or(text.len().max(start), |found| at + found)
}

/// The place of the first quote in a word.
#[inline(always)]
pub(crate) fn find_quote(bytes: [u8; 8]) -> Option<usize> {
    let found = equal(u64::from_le_bytes(bytes), b'"');
    (found != 0).then_some(found.trailing_zeros() as usize / 8)
}

/// The place of the first such byte in a word, or of a bar.
#[inline(always)]
fn find_not_canonical(bytes: &[u8; 8]) -> Option<usize> {
    let found = mark_escaped(u64::from_le_bytes(*bytes));
    (found != 0).then_some(found.trailing_zeros() as usize / 8)
}

/// Whether there is no quote, backslash or control character between two offsets: eight bytes at a time.
#[inline(always)]
pub(crate) fn is_plain(text: &[u8], start: usize, end: usize) -> bool {
    let Some(mut rest) = text.get(start..end) else { return false };
    while let Some((word, behind)) = rest.split_first_chunk() {
        if special(*word) != 0 {
            return false;
        }
        rest = behind;
    }
    // What follows in the text may fill the last word: only the marks of the bytes before it count.
    match text.get(end - rest.len()..).and_then(<[u8]>::first_chunk) {
        Some(word) => special(*word) & ((1 << (8 * rest.len())) - 1) == 0,
        None => !rest.iter().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)),
    }
}

/// The end of the escape that begins with a backslash at `start`.
fn scan_escape(text: &[u8], start: usize) -> Result<usize> {
    match text.get(start + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(start + 2),
        Some(b'u') => {
            for at in start + 2..start + 6 {
                match text.get(at) {
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    Some(_) => return Err(Error::syntax("expected a hexadecimal digit", at)),
                    None => return Err(Error::eof(at)),
                }
            }
            Ok(start + 6)
        }
        Some(_) => Err(Error::syntax("unknown escape in a string", start)),
        None => Err(Error::eof(start + 1)),
    }
}

/// The UTF-16 unit and the length of an escape that [`scan_escape`] has accepted.
fn unescape_one(escape: &[u8]) -> (u16, usize) {
    let unit = match escape.get(1) {
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => {
            let digits = escape.get(2..6).unwrap_or_default().iter();
            let unit = digits.fold(0, |unit, &digit| {
                unit << 4 | char::from(digit).to_digit(16).unwrap_or(0) as u16
            });
            return (unit, 6);
        }
        Some(&itself) => itself,
        None => return (u16::from(b'\\'), 1),
    };
    (unit.into(), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(string: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, string);
        String::from_utf8(out).unwrap()
    }

    fn read(text: &str) -> Unescaped<'_> {
        let (string, end) = RawString::scan(text.as_bytes(), 0).unwrap();
        assert_eq!(end, text.len());
        string.unescape()
    }

    #[test]
    fn every_byte_is_looked_at_wherever_it_is() {
        let special = |byte| matches!(byte, b'"' | b'\\' | 0..0x20);
        for byte in 0..0x80 {
            for length in 1..20 {
                for place in 0..length {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    let string = std::str::from_utf8(&text).unwrap();
                    let escaped = written(string) != format!("\"{string}\"");
                    assert_eq!(escaped, special(byte) || byte == b'<', "{byte} at {place}");
                    // Whatever is around it.
                    for end in [&b""[..], b"\"", b"\",\0\0\0\0\0\0\0\0"] {
                        let text = [b"\"", &*text, end].concat();
                        assert_eq!(is_plain(&text, 1, length + 1), !special(byte));
                    }
                }
            }
        }
        assert!(is_plain(b"\"\"", 1, 1) && !is_plain(b"", 0, 1) && !is_plain(b"ab", 2, 1));
        for (string, expected) in [
            ("ab\u{2028}", "\"ab\\u2028\""),
            ("\u{2029}", "\"\\u2029\""),
            ("\u{2030}", "\"\u{2030}\""),
        ] {
            assert_eq!(written(string), expected);
        }
    }

    #[test]
    fn escapes_are_read_as_json_has_them() {
        assert_eq!(read(r#""plain é""#), Unescaped::WellFormed(Cow::Borrowed("plain é")));
        assert_eq!(
            read(r#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00!""#),
            Unescaped::WellFormed("\"\\/\u{8}\u{c}\n\r\tAé😀!".into()),
        );
    }

    #[test]
    fn unpaired_surrogates_are_kept() {
        assert_eq!(
            read(r#""a\ud83d\n\ud83d\ude00\udc00""#),
            Unescaped::IllFormed(vec![0x61, 0xd83d, 0x0a, 0xd83d, 0xde00, 0xdc00]),
        );
        let (string, _) = RawString::scan(br#""\ud83d""#, 0).unwrap();
        assert!(string.to_str().unwrap_err().is_data());
    }

    #[test]
    fn what_json_refuses_is_an_error_at_its_byte() {
        for (text, offset) in
            [(&b"\"a\nb\""[..], 2), (br#""\x41""#, 1), (br#""\u00g0""#, 5), (b"\"a\xffb\"", 2)]
        {
            let error = RawString::scan(text, 0).unwrap_err();
            assert!(error.is_syntax());
            assert_eq!(error.offset(), Some(offset));
        }
        for cut in ["\"", "\"a", "\"\\", "\"\\u00"] {
            assert!(RawString::scan(cut.as_bytes(), 0).unwrap_err().is_eof(), "{cut}");
        }
    }

    #[test]
    fn plain_text_is_skipped_to_the_first_special_byte() {
        for byte in 0..=u8::MAX {
            let special = matches!(byte, b'"' | b'\\' | 0..0x20);
            for place in 0..20 {
                let mut text = [[b'a'; 20], [b'!'; 20], [0xff; 20], [0x80; 20]].map(|mut text| {
                    text[place] = byte;
                    text
                });
                for text in &mut text {
                    let expected = if special { place } else { 20 };
                    assert_eq!(skip_plain(text, 0), expected, "{byte} at {place}");
                    text[19] = b'"';
                    assert!(skip_plain(text, 0) <= 19);
                }
            }
        }
        assert_eq!(skip_plain(b"abc", 7), 7);
    }
}
