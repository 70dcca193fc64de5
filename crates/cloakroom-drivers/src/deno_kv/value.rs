//! A value as Deno stores it: a text as V8 serialises it, any other bytes as they are.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::message::{KvValue, ValueEncoding};
use cloakroom_storage::{Error, ErrorKind, Result};

/// The longest value as it is stored.
const LONGEST_STORED: usize = 64 * 1024;
/// The longest value, whether it is a text or not: what a text of one byte a letter has besides.
pub(super) const LONGEST: usize = LONGEST_STORED - 6;

/// Before the version of the format.
const VERSION_TAG: u8 = 0xff;
/// The version that V8 writes since 2022. Texts are the same in all of them.
const VERSION: u8 = 15;
const PADDING_TAG: u8 = 0;
const ONE_BYTE_TEXT_TAG: u8 = b'"';
const TWO_BYTE_TEXT_TAG: u8 = b'c';
const UTF_8_TEXT_TAG: u8 = b'S';

/// What JavaScript would store for these bytes: for a text what `setItem` does, for others what `setItemRaw` does.
///
/// # Errors
/// With [`TooLarge`](ErrorKind::TooLarge).
pub(super) fn encode(value: &Bytes) -> Result<KvValue> {
    let (data, encoding) = match std::str::from_utf8(value) {
        Ok(text) => (encode_text(text), ValueEncoding::V8),
        Err(_) => (value.clone(), ValueEncoding::Bytes),
    };
    let longest = if encoding == ValueEncoding::V8 { LONGEST_STORED } else { LONGEST };
    if data.len() > longest {
        let message = format!(
            "Deno KV takes values of at most {longest} bytes, and this one has {}",
            data.len()
        );
        return Err(Error::new(ErrorKind::TooLarge, message).with_unapplied(true));
    }
    Ok(KvValue { data, encoding: encoding.into() })
}

/// The bytes that were stored.
///
/// # Errors
/// With [`Corrupt`](ErrorKind::Corrupt) when they are none that any driver stores.
pub(super) fn decode(stored: &KvValue) -> Result<Bytes> {
    match ValueEncoding::try_from(stored.encoding) {
        Ok(ValueEncoding::Bytes) => Ok(stored.data.clone()),
        Ok(ValueEncoding::V8) => decode_text(&stored.data).map(Bytes::from).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "JavaScript stored a value there that is neither a text nor bytes; it is left as it is",
            )
        }),
        _ => Err(Error::new(
            ErrorKind::Corrupt,
            "there is a number, or a value of a kind that is not known; it is left as it is",
        )),
    }
}

/// As V8 writes a string: a byte for each letter where that is enough for all, else UTF-16.
fn encode_text(text: &str) -> Bytes {
    // More than the header, the padding, the tag and the length.
    let mut data = BytesMut::with_capacity(16 + text.len());
    data.put_slice(&[VERSION_TAG, VERSION]);
    if text.chars().all(|letter| u8::try_from(letter).is_ok()) {
        data.put_u8(ONE_BYTE_TEXT_TAG);
        put_length(&mut data, text.chars().count());
        data.extend(text.chars().filter_map(|letter| u8::try_from(letter).ok()));
        return data.freeze();
    }
    let length = 2 * text.encode_utf16().count();
    // So that V8 finds the units at even places.
    if (data.len() + 1 + prost::length_delimiter_len(length)) % 2 == 1 {
        data.put_u8(PADDING_TAG);
    }
    data.put_u8(TWO_BYTE_TEXT_TAG);
    put_length(&mut data, length);
    data.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    data.freeze()
}

/// Seven bits in each byte, the lowest first.
fn put_length(data: &mut BytesMut, mut length: usize) {
    while length > 0x7f {
        data.put_u8(length as u8 | 0x80);
        length >>= 7;
    }
    data.put_u8(length as u8);
}

/// `None` for what is no text.
fn decode_text(data: &[u8]) -> Option<String> {
    let [VERSION_TAG, _, rest @ ..] = data else { return None };
    let start = rest.iter().position(|byte| *byte != PADDING_TAG)?;
    let (tag, mut rest) = rest.get(start..)?.split_first()?;
    let length = prost::decode_length_delimiter(&mut rest).ok()?;
    // V8 passes by what follows; so does this.
    let units = rest.get(..length)?;
    match *tag {
        ONE_BYTE_TEXT_TAG => Some(units.iter().copied().map(char::from).collect()),
        TWO_BYTE_TEXT_TAG => {
            let (units, rest) = units.as_chunks();
            let units = units.iter().copied().map(u16::from_le_bytes);
            let text: Result<String, _> = char::decode_utf16(units).collect();
            text.ok().filter(|_| rest.is_empty())
        }
        UTF_8_TEXT_TAG => String::from_utf8(units.to_vec()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `v8.serialize` of Node.js 22 gives begins with these bytes, and has this length.
    fn serialised() -> Vec<(String, &'static [u8], usize)> {
        vec![
            (String::new(), b"\xff\x0f\x22\x00", 4),
            ("abc".into(), b"\xff\x0f\x22\x03abc", 7),
            ("grüße".into(), b"\xff\x0f\x22\x05gr\xfc\xdfe", 9),
            ("x".repeat(200), b"\xff\x0f\x22\xc8\x01xx", 205),
            ("汉字".into(), b"\xff\x0f\x63\x04\x49\x6c\x57\x5b", 8),
            ("汉".repeat(63), b"\xff\x0f\x63\x7e\x49\x6c", 130),
            ("汉".repeat(64), b"\xff\x0f\x00\x63\x80\x01\x49\x6c", 134),
            ("汉".repeat(8191), b"\xff\x0f\x00\x63\xfe\x7f\x49\x6c", 16388),
            ("汉".repeat(8192), b"\xff\x0f\x63\x80\x80\x01\x49\x6c", 16390),
        ]
    }

    fn v8(data: &'static [u8]) -> KvValue {
        KvValue { data: data.into(), encoding: ValueEncoding::V8.into() }
    }

    #[test]
    fn texts_are_written_as_v8_writes_them_and_read_again() {
        for (text, start, length) in serialised() {
            let stored = encode(&Bytes::from(text.clone())).expect("short enough");
            assert_eq!(stored.encoding, i32::from(ValueEncoding::V8));
            assert!(stored.data.starts_with(start), "{:?}", &stored.data[..10.min(length)]);
            assert_eq!(stored.data.len(), length);
            assert_eq!(decode(&stored).expect("a text"), text);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_stored_as_they_are() {
        let stored = encode(&Bytes::from_static(b"\xff\0")).expect("short enough");
        assert_eq!((&stored.data[..], stored.encoding), (&b"\xff\0"[..], 3));
        assert_eq!(decode(&stored).expect("bytes"), &b"\xff\0"[..]);
    }

    #[test]
    fn the_longest_value_is_measured_as_it_is_stored() {
        let is_taken = |text: &str, times| encode(&Bytes::from(text.repeat(times))).is_ok();
        assert!(is_taken("x", LONGEST) && !is_taken("x", LONGEST + 1));
        assert!(is_taken("汉", LONGEST / 2) && !is_taken("汉", LONGEST / 2 + 1));
        let bytes = |length| encode(&Bytes::from(vec![0xff; length]));
        assert!(bytes(LONGEST).is_ok() && bytes(LONGEST + 1).is_err());
    }

    #[test]
    fn a_text_in_utf_8_or_with_more_padding_is_read_too() {
        assert_eq!(decode(&v8(b"\xff\x0fS\x03\xe6\xb1\x89")).expect("a text"), "汉");
        assert_eq!(decode(&v8(b"\xff\x0d\0\0\0\x22\x01a")).expect("a text"), "a");
    }

    #[test]
    fn what_is_no_text_is_an_error_and_never_a_panic() {
        for data in [
            &b""[..],
            b"\xff",
            b"\xff\x0f",
            b"\xff\x0f\0\0",
            b"\xff\x0f0",
            b"\xff\x0fo\x22\x01aI\x02{\x01",
            b"\xff\x0f\x22\x05abc",
            b"\xff\x0f\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
            b"\xff\x0f\x22\x80",
            b"\xff\x0fc\x03abc",
            // Half of a pair.
            b"\xff\x0fc\x02\x00\xd8",
            b"\xff\x0fS\x01\xff",
            b"abc",
        ] {
            let error = decode(&v8(data)).expect_err("no text");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{data:?}");
        }
        for encoding in [0, 2, 7, -1] {
            let stored = KvValue { data: Bytes::from_static(b"12345678"), encoding };
            assert_eq!(decode(&stored).expect_err("no text").kind(), ErrorKind::Corrupt);
        }
    }
}
