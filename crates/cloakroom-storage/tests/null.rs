//! The `null` driver.
#![cfg(feature = "null")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use cloakroom_storage::drivers::null::Null;
use cloakroom_storage::{DynDriver, conformance};

#[tokio::test]
async fn null_conforms() {
    conformance::run(|| async { Arc::new(Null::new()) as DynDriver }).await;
}
