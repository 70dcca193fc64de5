//! Strings as devalue writes them.

use super::string::ONES;

/// Writes a string with its quotes, escaped as devalue escapes (`stringify_string`).
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, string: &str) {
    write_with(out, string, *b"\"");
}

/// Writes a string with its quotes, what is behind it among the last one.
#[inline(always)]
pub(crate) fn write_with<const N: usize>(out: &mut Vec<u8>, string: &str, end: [u8; N]) {
    let bytes = string.as_bytes();
    // What is short is copied as one or two words, without a call.
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (None, _) => {
            let word = short_word(bytes);
            if !may_be_escaped(word | beyond(bytes.len())) {
                let length = out.len() + 1 + bytes.len();
                out.extend_from_slice(&(word << 8 | u64::from(b'"')).to_le_bytes());
                out.truncate(length);
                return out.extend_from_slice(&end);
            }
        }
        (Some(first), Some(last)) if bytes.len() <= 16 => {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            if !may_be_escaped(first) && !may_be_escaped(last) {
                let first = u128::from(first) << 8 | u128::from(b'"');
                let length = out.len() + bytes.len() - 7;
                out.extend_from_slice(&first.to_le_bytes());
                out.truncate(length);
                out.extend_from_slice(&last.to_le_bytes());
                return out.extend_from_slice(&end);
            }
        }
        _ => {}
    }
    write_long(out, bytes);
    out.extend_from_slice(&end);
}

/// Up to seven bytes.
#[inline(always)]
fn short_word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
            u64::from(u32::from_le_bytes(*first)) | last
        }
        _ => match *bytes {
            [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
            [a, b] => u64::from(a) | u64::from(b) << 8,
            [a] => a.into(),
            _ => 0,
        },
    }
}

/// Bytes behind so many that need no escape.
#[inline(always)]
fn beyond(length: usize) -> u64 {
    (ONES * u64::from(b'a')) << (8 * length)
}

#[inline(never)]
fn write_long(out: &mut Vec<u8>, bytes: &[u8]) {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last))
            if bytes.len() <= 32 && !may_hold_escaped(first) && !may_hold_escaped(last) =>
        {
            out.push(b'"');
            out.extend_from_slice(first);
            out.truncate(out.len() + bytes.len() - 32);
            return out.extend_from_slice(last);
        }
        _ if is_plain_chunks(bytes) => {
            out.push(b'"');
            return out.extend_from_slice(bytes);
        }
        _ => {}
    }
    out.reserve(bytes.len() + 8);
    out.push(b'"');
    write_escaped(out, bytes);
}

/// Whether there are 16 bytes or more, and none that is escaped in writing or begins what is.
#[inline(always)]
fn is_plain_chunks(bytes: &[u8]) -> bool {
    // The last chunk may overlap the one before.
    let (chunks, _) = bytes.as_chunks();
    bytes.last_chunk().is_some_and(|last| !may_hold_escaped(last))
        && !chunks.iter().any(may_hold_escaped)
}

/// Whether a string is surely written as it is.
#[inline]
pub(super) fn is_written_plain(bytes: &[u8]) -> bool {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) if bytes.len() <= 16 => {
            !may_be_escaped(u64::from_le_bytes(*first))
                && !may_be_escaped(u64::from_le_bytes(*last))
        }
        (None, _) => !may_be_escaped(short_word(bytes) | beyond(bytes.len())),
        _ => is_plain_chunks(bytes),
    }
}

fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'<' => b"\\u003C",
            0x08 => b"\\b",
            0x0c => b"\\f",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => &unicode_escape(byte.into()),
            // U+2028 and U+2029: valid in JSON, but line ends in the scripts that devalue's text may be put into.
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa8") => b"\\u2028",
            0xe2 if bytes[at..].starts_with(b"\xe2\x80\xa9") => b"\\u2029",
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(escape);
        copied = at + if byte == 0xe2 { 3 } else { 1 };
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// Writes a string of UTF-16 units with its quotes; unpaired surrogates are escaped, as devalue does since 6.0.
pub(crate) fn write_utf16(out: &mut Vec<u8>, units: &[u16]) {
    out.push(b'"');
    let mut run = String::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(character) => run.push(character),
            Err(unpaired) => {
                write_escaped(out, run.as_bytes());
                run.clear();
                out.extend_from_slice(&unicode_escape(unpaired.unpaired_surrogate()));
            }
        }
    }
    write_escaped(out, run.as_bytes());
    out.push(b'"');
}

/// `\uXXXX` with lower-case digits.
fn unicode_escape(unit: u16) -> [u8; 6] {
    let digit = |shift: u16| b"0123456789abcdef"[usize::from(unit >> shift & 0xf)];
    [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]
}

/// Whether there is a byte that is escaped in writing, or that begins what is, or perhaps only a bar.
#[inline(always)]
fn may_be_escaped(word: u64) -> bool {
    mark_escaped(word) != 0
}

/// Marks the high bit of each such byte, and perhaps of bytes behind the first.
#[inline(always)]
pub(super) fn mark_escaped(word: u64) -> u64 {
    // With one bit of each byte changed, a quote is next to the control characters, and no other byte is.
    let quote_or_control = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    // A backslash and `<` are in different halves of one sixteenth of the table, with a bar and a control character.
    let backslash_or_less = ((word & (ONES * 0x9f)) ^ (ONES * 0x1c)).wrapping_sub(ONES);
    let found = (quote_or_control | backslash_or_less) & !word;
    let line_end = (word ^ (ONES * 0xe2)).wrapping_sub(ONES) & word;
    (found | line_end) & (ONES << 7)
}

/// The same for more bytes at once, and without bars.
#[inline(always)]
fn may_hold_escaped(bytes: &[u8; 16]) -> bool {
    // One by one, these are compiled to a vector instruction or two each.
    let contains = |wanted: u8| bytes.iter().fold(false, |found, &byte| found | (byte == wanted));
    let control = bytes.iter().fold(false, |found, &byte| found | (byte < 0x20));
    control | contains(b'"') | contains(b'\\') | contains(b'<') | contains(0xe2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(string: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, string);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_written_as_devalue_writes_them() {
        assert_eq!(
            written("\"\\\u{8}\u{c}\n\r\t\0\u{1f}<>&/\u{7f}\u{2028}\u{2029}\u{2027}é😀"),
            "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u003C>&/\u{7f}\\u2028\\u2029\u{2027}é😀\"",
        );
    }

    #[test]
    fn unpaired_surrogates_are_written_escaped() {
        let mut out = Vec::new();
        write_utf16(&mut out, &[0x3c, 0xd83d, 0xde00, 0xd83d, 0x61, 0xdc00]);
        assert_eq!(String::from_utf8(out).unwrap(), "\"\\u003C😀\\ud83da\\udc00\"");
    }
}
