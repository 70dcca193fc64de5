//! What holds on every store: each test once on each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Makes a module of the test's name with one test for each server whose round trips are counted.
macro_rules! on_every_server {
    ($test:ident) => {
        mod $test {
            on_servers!($test);
            on!($test, upstash, upstash());
            on!($test, mongodb, mongodb());
        }
    };
}

/// Makes a module of the test's name with one test for each store.
macro_rules! on_every_store {
    ($test:ident) => {
        mod $test {
            on_real_stores!($test);
            on_stand_ins!($test);
        }
    };
}

/// As [`on_every_store`], for those that are what sites run on.
macro_rules! on_every_real_store {
    ($test:ident) => {
        mod $test {
            on_real_stores!($test);
        }
    };
}

/// As [`on_every_store`], for those that stand in for a vendor's, and are slow.
macro_rules! on_every_stand_in {
    ($test:ident) => {
        mod $test {
            on_stand_ins!($test);
        }
    };
}

macro_rules! on_real_stores {
    ($test:ident) => {
        on!($test, deno_kv, deno_kv());
        on!($test, etcd, etcd());
        on!($test, fs_lite, fs_lite());
        on!($test, nats, nats());
        on!($test, newest_nats, newest_nats());
        on!($test, overlay, overlay());
        on!($test, redis_cluster, redis_cluster());
        on!($test, redis_sentinel, redis_sentinel());
        on!($test, sql_on_sqlite, sqlite("sql"));
        on!($test, db0_on_sqlite, sqlite("db0"));
        on_servers!($test);
    };
}

macro_rules! on_servers {
    ($test:ident) => {
        on!($test, redis, redis());
        on!($test, valkey, valkey());
        on!($test, sql_on_postgres, postgres("sql"));
        on!($test, sql_on_mariadb, mariadb("sql"));
        on!($test, db0_on_postgres, postgres("db0"));
        on!($test, db0_on_mariadb, mariadb("db0"));
    };
}

macro_rules! on_stand_ins {
    ($test:ident) => {
        on!($test, azure_cosmos, azure_cosmos());
        on!($test, azure_storage_blob, azure_storage_blob());
        on!($test, azure_storage_table, azure_storage_table());
        on!($test, dynamodb, dynamodb());
        on!($test, gcs, gcs());
        on!($test, mongodb, mongodb());
        on!($test, netlify_blobs, netlify_blobs());
        on!($test, planetscale, planetscale());
        on!($test, s3, s3());
        on!($test, upstash, upstash());
    };
}

macro_rules! on {
    ($test:ident, $store:ident, $start:ident($($driver:literal)?)) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $store() {
            if let Some(store) = interop_peers::Store::$start($($driver)?) {
                super::$test(store).await;
            }
        }
    };
}

mod adapter;
mod lifetime;
mod logout;
mod processes;
mod round_trips;

use std::time::Duration;

use axum::http::HeaderValue;
use cloakroom::adapter::Commit;
use cloakroom::storage::ItemKey;
use cloakroom::{Config, CookieHeaders, Key, Sessions};
use futures_util::TryStreamExt as _;
use interop_peers::Store;

const CART: Key<Vec<String>> = Key::new("cart");

/// Sessions on the store, over a connection of their own.
async fn sessions(store: &Store) -> Sessions {
    configured(&store.config()).await
}

async fn configured(config: &str) -> Sessions {
    let mut config = Config::from_json(config).unwrap();
    // Many servers share this machine's disk, and one that waits for it is not what these tests are about.
    config.timeout = Duration::from_secs(30);
    Sessions::from_config(config).await.unwrap()
}

/// Stores a new session and gives its cookie, as a browser sends it.
async fn visit(sessions: &Sessions) -> String {
    let session = sessions.session(cookies(""));
    session.set("theme", "dark").unwrap();
    let set_cookie = session.finish().await.unwrap().set_cookie.unwrap();
    set_cookie.split(';').next().unwrap().to_owned()
}

/// The header that a browser sends; nothing for a new visitor.
fn cookies(cookie: &str) -> CookieHeaders {
    match cookie {
        "" => CookieHeaders::default(),
        cookie => HeaderValue::from_str(cookie).unwrap().into(),
    }
}

/// The keys of all sessions, without those that were retired a moment ago.
async fn records(sessions: &Sessions) -> Vec<ItemKey> {
    let driver = sessions.driver();
    let keys: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
    let mut records = Vec::new();
    for key in keys {
        let item = driver.get(&key).await.unwrap();
        if item.is_some_and(|item| !item.value.ends_with(b"e-999")) {
            records.push(key);
        }
    }
    records
}
