//! What each driver must do, of the driver and of the same store whose keys are hashed and whose values are sealed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use cloakroom_drivers::conformance;
// Not that of the drivers, which wants what the table says of each: sealed, any store takes empty values.
use cloakroom_storage::conformance as rules;
use cloakroom_storage::{DynDriver, Encrypted, EncryptionKey, HashedKeys, KeyHasher, KeyRing};

/// [`conformance::run`], of the driver by itself and at rest.
pub(crate) async fn run<F, Fut>(make_driver: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
{
    conformance::run(&make_driver).await;
    run_at_rest(make_driver).await;
}

/// [`conformance::run_with_restart`], and at rest what [`run`] does.
pub(crate) async fn run_with_restart<F, Fut, R, Restarted>(make_driver: F, restart: R)
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
    R: FnOnce() -> Restarted,
    Restarted: Future<Output = ()>,
{
    conformance::run_with_restart(&make_driver, restart).await;
    run_at_rest(make_driver).await;
}

/// Once for each driver and each product behind it: which of its options are set is no matter to what is sealed.
async fn run_at_rest<F, Fut>(make_driver: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = DynDriver>,
{
    static RAN: Mutex<BTreeSet<(&str, &str)>> = Mutex::new(BTreeSet::new());
    let driver = make_driver().await;
    let is_first = RAN.lock().unwrap().insert((driver.name(), driver.system()));
    if is_first {
        rules::run(|| async { at_rest(make_driver().await) }).await;
    }
}

/// A driver as a configuration with `hashIds` and `encryption` puts it together.
fn at_rest(driver: DynDriver) -> DynDriver {
    let ring = KeyRing::new([EncryptionKey::new([1; 32])]).unwrap();
    Arc::new(HashedKeys::new(Encrypted::new(driver, ring), KeyHasher::sha256()))
}
