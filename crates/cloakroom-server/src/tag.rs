//! Versions as `ETag`s, and back.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use cloakroom_storage::{Item, Version};
use sha2::{Digest as _, Sha256};

/// The longest version that is told whole.
const LONGEST: usize = 1024;

/// Makes tags of versions.
///
/// A tag says the version itself where that is short, so that a conditional write takes one call to the store. Where the
/// item's own bytes are in it, which are not for those who see headers, it says a digest, and the version has to be read
/// again.
#[derive(Clone, Debug)]
pub(crate) struct Tags {
    /// What numbers are followed by where they begin anew with this process, so that those of an earlier one match nothing.
    run: String,
}

impl Tags {
    pub(crate) fn new(is_durable: bool) -> Tags {
        let run = match is_durable {
            true => String::new(),
            false => format!("-{:016x}", RandomState::new().hash_one(0)),
        };
        Tags { run }
    }

    /// The tag of an item, without its quotes.
    pub(crate) fn of(&self, item: &Item) -> String {
        self.tag(&item.version, &item.value)
    }

    /// The tag of the version that a value was written at.
    pub(crate) fn tag(&self, version: &Version, value: &Bytes) -> String {
        match (version.as_number(), version.as_bytes()) {
            (_, Some(bytes)) if bytes.len() > LONGEST || is_within(value, bytes) => {
                format!("d{}", BASE64.encode(Sha256::digest(bytes)))
            }
            (_, Some(bytes)) => format!("b{}", BASE64.encode(bytes)),
            (number, None) => {
                let mut tag = String::from("n");
                // A version is a number where it is no bytes.
                _ = write!(tag, "{:x}{}", number.unwrap_or_default(), self.run);
                tag
            }
        }
    }

    /// The version that a tag says, where it says one.
    pub(crate) fn version(&self, tag: &str) -> Option<Version> {
        if let Some(bytes) = tag.strip_prefix('b') {
            return BASE64.decode(bytes).ok().map(|bytes| Bytes::from(bytes).into());
        }
        let number = tag.strip_prefix('n')?.strip_suffix(self.run.as_str())?;
        u64::from_str_radix(number, 16).ok().map(Version::from)
    }
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
        for tags in [Tags::new(true), Tags::new(false)] {
            for version in [Version::from(0), Version::from(u64::MAX), Bytes::from("\"a\"").into()]
            {
                let tag = tags.tag(&version, &VALUE);
                assert_eq!(tags.version(&tag), Some(version), "{tag}");
            }
        }
    }

    #[test]
    fn a_version_that_has_the_value_is_a_digest_and_tells_nothing_of_it() {
        for version in [VALUE, Bytes::from_static(b"of layer 0: value")] {
            let tag = Tags::new(true).tag(&version.into(), &VALUE);
            assert!(tag.starts_with('d') && tag.len() == 44, "{tag}");
            assert_eq!(Tags::new(true).version(&tag), None);
        }
    }

    #[test]
    fn a_number_of_an_earlier_process_matches_nothing_where_nothing_is_kept() {
        let tag = Tags::new(false).tag(&Version::from(7), &VALUE);
        assert_eq!(Tags::new(false).version(&tag), None);
        assert_eq!(Tags::new(true).version(&tag), None);
        assert_eq!(Tags::new(true).version("n7"), Some(Version::from(7)));
    }
}
