//! Numbers that no other store in memory has given.

use cloakroom_storage::platform::random::number;

/// Where a store in memory begins to count versions, so that those of another such store, which an earlier process had under
/// the same keys, are not met again.
pub(crate) fn first_version() -> u64 {
    // As many are left to count as there are to begin with.
    number() >> 1
}
