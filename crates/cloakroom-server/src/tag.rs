//! Versions as `ETag`s, and back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use cloakroom_storage::{Item, Version};
use sha2::{Digest as _, Sha256};

/// The longest version that is told whole.
const LONGEST: usize = 1024;

/// What a tag ends with, so that whatever a proxy puts behind it is told from it.
const END: char = '.';

/// The tag of an item, without its quotes.
pub(crate) fn of(item: &Item) -> String {
    tag(&item.version, &item.value)
}

/// The tag of the version that a value was written at.
///
/// It says the version itself where that is short, so that a conditional write takes one call to the store. Where the item's
/// own bytes are in it, which are not for those who see headers, it says a digest, and the version has to be read again.
pub(crate) fn tag(version: &Version, value: &Bytes) -> String {
    match (version.as_number(), version.as_bytes()) {
        (_, Some(bytes)) if bytes.len() > LONGEST || is_within(value, bytes) => {
            format!("d{}{END}", BASE64.encode(Sha256::digest(bytes)))
        }
        (_, Some(bytes)) => format!("b{}{END}", BASE64.encode(bytes)),
        // A version is a number where it is no bytes.
        (number, None) => format!("n{:x}{END}", number.unwrap_or_default()),
    }
}

/// The version that a tag says, where it says one.
pub(crate) fn version(tag: &str) -> Option<Version> {
    let tag = tag.strip_suffix(END)?;
    if let Some(bytes) = tag.strip_prefix('b') {
        return BASE64.decode(bytes).ok().map(|bytes| Bytes::from(bytes).into());
    }
    u64::from_str_radix(tag.strip_prefix('n')?, 16).ok().map(Version::from)
}

fn is_within(value: &[u8], bytes: &[u8]) -> bool {
    !value.is_empty() && bytes.windows(value.len()).any(|part| part == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: Bytes = Bytes::from_static(b"value");

    #[test]
    fn a_short_version_comes_back_from_its_tag() {
        for given in [Version::from(0), Version::from(u64::MAX), Bytes::from("\"a\"").into()] {
            let tag = tag(&given, &VALUE);
            assert_eq!(version(&tag), Some(given), "{tag}");
        }
    }

    #[test]
    fn a_version_that_has_the_value_is_a_digest_and_tells_nothing_of_it() {
        for given in [VALUE, Bytes::from_static(b"of layer 0: value")] {
            let tag = tag(&given.into(), &VALUE);
            assert!(tag.starts_with('d') && tag.len() == 45, "{tag}");
            assert_eq!(version(&tag), None);
        }
    }

    #[test]
    fn what_a_proxy_has_put_behind_a_tag_makes_it_another_one() {
        assert_eq!(version("n7."), Some(Version::from(7)));
        for tag in ["n7", "n7.-gzip", "n7-gzip", "", ".", "x7."] {
            assert_eq!(version(tag), None, "{tag}");
        }
    }
}
