//! The table of drivers says what is so.

use crate::{Capabilities, Driver, drivers};

/// Compares what a driver declares with its row in the table, if it has one.
pub(super) fn agrees_with(driver: &dyn Driver) {
    let Some(row) = drivers().iter().find(|row| row.name == driver.name()) else { return };
    // A matter of options.
    let declared = Capabilities { read_only: false, ..driver.capabilities() };
    let name = row.name;
    if !row.varies {
        assert_eq!(declared, row.capabilities, "`{name}` is another one in the table of drivers");
    }
    let most = |more: bool, what: bool| more || !what;
    let Capabilities {
        retains,
        compare_and_swap,
        version_per_write: _,
        expiry,
        native_ttl: _,
        iteration,
        durable,
        shared,
        read_only: _,
        empty_values,
        longest_value: _,
    } = declared;
    let row = row.capabilities;
    assert!(
        most(row.retains, retains)
            && most(row.compare_and_swap, compare_and_swap)
            && most(row.expiry, expiry)
            && most(row.iteration, iteration)
            && most(row.durable, durable)
            && most(row.shared, shared)
            && most(row.empty_values, empty_values),
        "`{name}` declares more than the table of drivers says: {declared:?}"
    );
}
