//! The example configurations, each with the store that it is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Client, Process};

/// Every configuration here, each with a test below.
const TESTED: [&str; 7] = [
    "db0.toml",
    "files.toml",
    "mariadb.toml",
    "memory.toml",
    "postgres.toml",
    "redis.toml",
    "sqlite.toml",
];

fn folder_of_the_shop() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Starts the shop with one of the configurations, and adds to a cart. `url` is where the store is in this test.
/// Returns what the shop says about where the sessions are.
async fn add_to_a_cart(file: &str, url: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut config = fs::read_to_string(folder_of_the_shop().join(file)).unwrap();
    if let Some(url) = url {
        let (before, rest) = config.split_once("url = \"").unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        config = format!("{before}url = \"{url}\"{after}");
    }
    fs::write(folder.path().join(file), config).unwrap();

    let mut carts = Vec::new();
    let mut shop = Process::start(folder.path(), &["--config", file]).await;
    let mut client = Client::new(shop.shop());
    client.add_to_cart("felt-hat").await.json();
    carts.push(client.cart().await);
    if file != "memory.toml" {
        // The cart is in the store, not in the shop.
        shop = Process::start(folder.path(), &["--config", file]).await;
        carts.push(client.at(&shop.shop()).cart().await);
    }
    assert!(carts.iter().all(|cart| cart == &["felt-hat"]), "{file}: {carts:?}");
    shop.lines[1].strip_prefix("shop: sessions in ").unwrap().to_owned()
}

#[test]
fn every_example_is_tested() {
    let files: BTreeSet<String> = fs::read_dir(folder_of_the_shop())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml") && name != "Cargo.toml")
        .collect();
    assert_eq!(files, TESTED.map(str::to_owned).into());
}

#[tokio::test]
async fn memory() {
    assert_eq!(add_to_a_cart("memory.toml", None).await, "memory, this process");
}

#[tokio::test]
async fn files() {
    assert_eq!(add_to_a_cart("files.toml", None).await, "fs-lite, .data/sessions");
}

#[cfg(feature = "databases")]
#[tokio::test]
async fn sqlite() {
    assert_eq!(add_to_a_cart("sqlite.toml", None).await, "sql, sqlite:.data/sessions.db");
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn redis() {
    let Some(server) = interop_peers::Redis::start() else { return };
    let place = add_to_a_cart("redis.toml", Some(&server.url())).await;
    assert_eq!(place, format!("redis, redis://127.0.0.1:{}", server.port()));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn redis_with_a_password_which_is_not_shown() {
    let Some(server) = interop_peers::Redis::start_with(&["--requirepass", "secret"]) else {
        return;
    };
    let url = format!("redis://:secret@127.0.0.1:{}", server.port());
    let place = add_to_a_cart("redis.toml", Some(&url)).await;
    assert_eq!(place, format!("redis, redis://127.0.0.1:{}", server.port()));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn valkey() {
    let Some(server) = interop_peers::Redis::valkey() else { return };
    add_to_a_cart("redis.toml", Some(&server.url())).await;
}

#[cfg(feature = "databases")]
#[tokio::test]
async fn postgres() {
    let Some(server) = interop_peers::Postgres::start() else { return };
    let place = add_to_a_cart("postgres.toml", Some(&server.url())).await;
    assert_eq!(place, format!("sql, postgres://127.0.0.1:{}/cloakroom", server.port()));
}

#[cfg(feature = "databases")]
#[tokio::test]
async fn mariadb() {
    let Some(server) = interop_peers::MariaDb::start() else { return };
    let url = server.url().replace("mysql://", "mariadb://");
    let place = add_to_a_cart("mariadb.toml", Some(&url)).await;
    assert_eq!(place, format!("sql, mariadb://127.0.0.1:{}/cloakroom", server.port()));
}

#[cfg(feature = "databases")]
#[tokio::test]
async fn db0() {
    let Some(server) = interop_peers::Postgres::start() else { return };
    add_to_a_cart("db0.toml", Some(&server.url())).await;
}
