//! JavaScript's `ArrayBuffer`, and its base64.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use crate::tag;

/// A JavaScript `ArrayBuffer`: bytes. Other formats see bytes.
///
/// Bytes that JavaScript should see as a `Uint8Array` (and Node.js as a `Buffer`) go through the `serde_bytes` crate
/// or a [`TypedArray`](crate::TypedArray).
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct ArrayBuffer(pub Vec<u8>);

impl fmt::Debug for ArrayBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArrayBuffer({:02x?})", self.0)
    }
}

impl From<Vec<u8>> for ArrayBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        ArrayBuffer(bytes)
    }
}

impl Serialize for ArrayBuffer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::ARRAY_BUFFER, &Bytes(&self.0))
    }
}

/// Serializes as bytes, which a slice does not do by itself.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// Appends the bytes in base64, with the standard alphabet and padding.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // The room is exact, so that encoding cannot fail.
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

/// Reads base64 as Node.js's `Buffer.from(text, "base64")` does: either alphabet, padding optional, other characters
/// skipped, nothing after the first `=`.
pub(crate) fn read_base64(text: &str) -> Vec<u8> {
    if let Ok(bytes) = STANDARD.decode(text) {
        return bytes;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut group, mut sextets) = (0u32, 0);
    for byte in text.bytes().take_while(|&byte| byte != b'=') {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        group = group << 6 | u32::from(sextet);
        sextets += 1;
        if sextets == 4 {
            bytes.extend_from_slice(&group.to_be_bytes()[1..]);
            (group, sextets) = (0, 0);
        }
    }
    match sextets {
        2 => bytes.push((group >> 4) as u8),
        3 => bytes.extend_from_slice(&((group >> 2) as u16).to_be_bytes()),
        _ => {}
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_node_reads_it() {
        for (text, bytes) in [
            ("AQI=", &[1, 2][..]),
            ("AQI", &[1, 2]),
            ("-_8=", &[0xfb, 0xff]),
            ("A!Q*I=D", &[1, 2]),
            ("A", &[]),
            ("AR==", &[1]),
            ("", &[]),
        ] {
            assert_eq!(read_base64(text), bytes, "{text:?}");
        }
    }

    #[test]
    fn base64_is_written_with_padding() {
        let mut out = b"x".to_vec();
        write_base64(&mut out, &[0xfb, 0xff]);
        assert_eq!(out, b"x+/8=");
    }
}
