//! What stores can do, of the kinds that most are of.

use cloakroom_storage::Capabilities;

/// What a store can do that has everything and sweeps its expired items.
pub(crate) const SWEPT: Capabilities = Capabilities {
    retains: true,
    compare_and_swap: true,
    version_per_write: false,
    expiry: true,
    native_ttl: false,
    iteration: true,
    durable: true,
    shared: true,
    read_only: false,
    empty_values: true,
    longest_value: None,
};

/// What a store can do that has everything, and frees expired items by itself.
pub(crate) const FREED: Capabilities = Capabilities { native_ttl: true, ..SWEPT };

/// What a store in the memory of a process can do.
pub(crate) const MEMORY: Capabilities =
    Capabilities { version_per_write: true, durable: false, shared: false, ..SWEPT };
