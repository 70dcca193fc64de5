//! A value as unstorage keeps it where there are texts only: bytes that are none as Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// What stands before the Base64, as unstorage's `setItemRaw` writes it.
const PREFIX: &str = "base64:";

/// The text for these bytes. One that would be read as other bytes is written as Base64 too.
pub(super) fn encode(value: Bytes) -> Bytes {
    // A zero ends a text in some programs.
    let is_text = |value: &Bytes| std::str::from_utf8(value).is_ok() && !value.contains(&0);
    match is_text(&value) && raw(&value).is_none() {
        true => value,
        false => format!("{PREFIX}{}", STANDARD.encode(&value)).into(),
    }
}

/// The bytes of this text.
pub(super) fn decode(text: Bytes) -> Bytes {
    raw(&text).unwrap_or(text)
}

fn raw(text: &[u8]) -> Option<Bytes> {
    STANDARD.decode(text.strip_prefix(PREFIX.as_bytes())?).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_and_other_bytes_become_base64_and_both_come_back() {
        for (value, text) in [
            (&b"[{\"cart\":1}]"[..], "[{\"cart\":1}]"),
            ("grüße 🧥".as_bytes(), "grüße 🧥"),
            (b"", ""),
            (b"\xff\0", "base64:/wA="),
            (b"a\0", "base64:YQA="),
            (b"base64:YQA=", "base64:YmFzZTY0OllRQT0="),
            (b"base64:not so", "base64:not so"),
        ] {
            let encoded = encode(Bytes::from(value));
            assert_eq!(encoded, text);
            assert_eq!(decode(encoded), value);
        }
    }
}
