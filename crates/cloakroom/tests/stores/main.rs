//! What holds on every store: each test once on each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Makes a module of the test's name with one test for each server.
macro_rules! on_every_server {
    ($test:ident) => {
        mod $test {
            on_servers!($test);
        }
    };
}

/// Makes a module of the test's name with one test for each store.
macro_rules! on_every_store {
    ($test:ident) => {
        mod $test {
            on!($test, fs_lite, fs_lite());
            on!($test, overlay, overlay());
            on!($test, redis_cluster, redis_cluster());
            on!($test, redis_sentinel, redis_sentinel());
            on!($test, sql_on_sqlite, sqlite("sql"));
            on!($test, db0_on_sqlite, sqlite("db0"));
            on!($test, netlify_blobs, netlify_blobs());
            on_servers!($test);
        }
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

use axum::http::HeaderValue;
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
    Sessions::from_config(Config::from_json(config).unwrap()).await.unwrap()
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

/// The keys of all records.
async fn records(sessions: &Sessions) -> Vec<ItemKey> {
    sessions.driver().keys("").try_collect().await.unwrap()
}
