//! [`cloakroom_storage::conformance`] for the drivers of this crate: each has to do, and to be able to do, what its row in the
//! table says.

// A test suite fails by panicking.
#![allow(clippy::panic)]

use cloakroom_storage::{Capabilities, Driver, DynDriver, conformance};

use crate::drivers;

/// Compares what the driver declares with its row in the [table of drivers](drivers()), if it has one; then does what
/// [`conformance::run`] does.
///
/// # Panics
/// As [`conformance::run`], and where the row says something else.
pub async fn run<F, Fut>(make_driver: F) -> usize
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
{
    agrees_with_its_row(&make_driver().await);
    conformance::run(make_driver).await
}

/// As [`run`], with a restart as [`conformance::run_with_restart`] has one.
///
/// # Panics
/// As [`run`].
pub async fn run_with_restart<F, Fut, R, Restarted>(make_driver: F, restart: R) -> usize
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
    R: FnOnce() -> Restarted,
    Restarted: Future<Output = ()>,
{
    agrees_with_its_row(&make_driver().await);
    conformance::run_with_restart(make_driver, restart).await
}

/// Compares what a driver declares with its row in the table, if it has one.
fn agrees_with_its_row(driver: &dyn Driver) {
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
