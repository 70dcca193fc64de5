//! Compare and swap, and compare and remove, in one round trip.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use sha1_smol::Sha1;

use super::Expiry;

/// From this length on, what was seen is sent as its SHA-1 and not as it is.
///
/// Measured on Redis 7.0: the script takes as long either way (25 µs for 4 KB, 4.2 ms for 1 MB), so a digest saves half
/// of what goes over the wire and costs nothing but our own hashing. Below, there is hardly a packet to save.
const DIGEST_FROM: usize = 4096;

const TEXT: &str = include_str!("script.lua");

/// What to put in place of what was seen.
#[derive(Clone, Copy)]
pub(crate) enum Replacement<'a> {
    Nothing,
    Value(&'a Bytes, Expiry),
}

/// What the script found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swapped {
    Done,
    Missing,
    Changed,
}

impl Swapped {
    pub(crate) fn read(answer: i64) -> Swapped {
        match answer {
            1 => Swapped::Done,
            0 => Swapped::Missing,
            _ => Swapped::Changed,
        }
    }
}

/// The script, for a server that may not know it, and will.
pub(crate) fn text() -> &'static str {
    TEXT
}

/// What a server that knows the script calls it.
pub(crate) fn hash() -> &'static str {
    static HASH: LazyLock<String> = LazyLock::new(|| Sha1::from(TEXT).digest().to_string());
    &HASH
}

/// The arguments after the key. What was seen is always text, as not every carrier takes other bytes.
pub(crate) fn arguments<'a>(seen: &'a Bytes, replacement: Replacement<'a>) -> Vec<Cow<'a, [u8]>> {
    let mut arguments = match seen.len() < DIGEST_FROM && std::str::from_utf8(seen).is_ok() {
        true => vec![Cow::from(&seen[..]), Cow::from(&b""[..])],
        false => {
            let digest = Sha1::from(seen).digest().to_string();
            vec![Cow::from(digest.into_bytes()), Cow::from(seen.len().to_string().into_bytes())]
        }
    };
    if let Replacement::Value(value, expiry) = replacement {
        arguments.push(Cow::from(&value[..]));
        if let Expiry::After(milliseconds) = expiry {
            arguments.push(Cow::from(milliseconds.to_string().into_bytes()));
        }
    }
    arguments
}
