//! Stores whose keys are hashed and whose values are sealed, held to the same rules as any other.

use std::sync::Arc;

// Not that of the drivers, which wants what the table says of each: sealed, files take empty values too.
use cloakroom_storage::{
    DynDriver, Encrypted, EncryptionKey, HashedKeys, KeyHasher, KeyRing, conformance,
};
use serde_json::{Value, json};

/// A driver as a configuration with `encryption`, and with `hashIds` besides, puts it together.
async fn open(name: &str, options: Value, hashes: bool) -> DynDriver {
    let driver = cloakroom_drivers::open(name, options.as_object().unwrap()).await.unwrap();
    let ring = KeyRing::new([EncryptionKey::new([1; 32])]).unwrap();
    let sealed = Encrypted::new(driver, ring);
    match hashes {
        true => Arc::new(HashedKeys::new(sealed, KeyHasher::sha256())),
        false => Arc::new(sealed),
    }
}

#[cfg(feature = "fs-lite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sealed_files_conform() {
    for hashes in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let options = json!({ "base": folder.path().join("data").to_str().unwrap() });
        conformance::run(|| open("fs-lite", options.clone(), hashes)).await;
    }
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sealed_redis_conforms() {
    let Some(redis) = interop_peers::Redis::start() else { return };
    for hashes in [false, true] {
        let options = json!({ "url": redis.url() });
        conformance::run(|| open("redis", options.clone(), hashes)).await;
    }
}

/// What the near cache keeps is what the store has, sealed.
#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sealed_redis_conforms_with_the_near_cache() {
    let Some(redis) = interop_peers::Redis::start() else { return };
    let driver = open("redis", json!({ "url": redis.url(), "nearCache": true }), true).await;
    conformance::run(|| async { driver.clone() }).await;
}
