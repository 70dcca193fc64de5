//! The `null` driver.

use std::sync::Arc;

use crate::conformance;
use cloakroom_drivers::null::Null;
use cloakroom_storage::DynDriver;

#[tokio::test]
async fn null_conforms() {
    conformance::run(|| async { Arc::new(Null::new()) as DynDriver }).await;
}
