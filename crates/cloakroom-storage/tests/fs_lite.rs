//! The `fs-lite` driver.
#![cfg(feature = "fs-lite")]

use std::sync::Arc;

use cloakroom_storage::drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{DynDriver, conformance};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fs_lite_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conformance::run(|| async {
        Arc::new(FsLite::new(Options::new(folder.path())).unwrap()) as DynDriver
    })
    .await;
}
