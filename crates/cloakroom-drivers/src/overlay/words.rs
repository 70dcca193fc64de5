//! What an overlay leaves in its first layer beside the items: for itself, and for whoever moves a store by means of it.

use bytes::Bytes;
use cloakroom_storage::{Driver, ItemKey, Result};
use sha2::{Digest as _, Sha256};

/// What an item is in the first layer when it was removed.
pub(super) const REMOVED: Bytes = Bytes::from_static(b"__OVERLAY_REMOVED__");

/// The end of a key whose presence says that the lower layers count no more.
pub(super) const MARK: &str = "$expires$";

/// The longest key that its mark is named after: with its end it has still to be a key, and its last part a file's name.
const LONGEST_MARKED: usize = 1024 - MARK.len();
const LONGEST_PART_MARKED: usize = 240 - MARK.len();

/// Whether a value is a word of an overlay's: of an item that was removed, or whose lower layers count no more. Where no overlay
/// reads the store any more, it is of no use.
pub fn is_word(value: &[u8]) -> bool {
    value == REMOVED
}

/// Whether a store that is, or was, the first layer of an overlay says that what the layers below have under `key` counts no
/// more: it had an item with a deadline there, which covered theirs. So what it has not now, it shall not get from them.
///
/// # Errors
/// As [`Driver::get`].
pub async fn counts_no_more(first: &dyn Driver, key: &ItemKey) -> Result<bool> {
    Ok(first.get(&mark_of(key)?).await?.is_some())
}

/// Where the mark of a key is. One that is too long has it under its digest.
pub(super) fn mark_of(key: &ItemKey) -> Result<ItemKey> {
    let key = key.as_str();
    match is_named_after(key) {
        true => ItemKey::new(&format!("{key}{MARK}")),
        false => {
            let digest: String =
                Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
            ItemKey::new(&format!("{digest}{MARK}"))
        }
    }
}

/// Whether the mark of a key is named after it.
pub(super) fn is_named_after(key: &str) -> bool {
    let last = key.rsplit(':').next().unwrap_or_default();
    key.len() <= LONGEST_MARKED && last.len() <= LONGEST_PART_MARKED
}
