//! Real clients: unstorage's own driver, and ours.

use std::path::Path;

use cloakroom_storage::{ItemKey, RemoveOutcome, SetOutcome, When, conformance};
use interop_peers::{JavaScript, Proxy};
use serde_json::{Value, json};

use crate::support::{Server, driver};

#[path = "../../../cloakroom-drivers/tests/drivers/javascript/mod.rs"]
mod javascript;

use javascript::Texts;

fn files(base: &Path) -> String {
    format!("base={}", base.display())
}

fn http(server: &Server) -> Value {
    json!({ "base": server.url() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_client_shares_files_with_a_rust_program_that_opens_them_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--driver", "fs-lite", "--option", &files(folder.path())]);
    let ours = driver("fs-lite", &json!({ "base": folder.path() })).await;
    let Some(mut theirs) = JavaScript::open("http", &http(&server)) else { return };
    javascript::both_directions(&ours, &mut theirs, Texts::Any).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_client_and_our_driver_share_a_server_over_memory() {
    let server = Server::start_with(&["--driver", "memory"], &[("CLOAKROOM_TOKEN", "token")]);
    let mut options = http(&server);
    options["headers"] = json!({ "Authorization": "Bearer token" });
    let ours = driver("http", &options).await;
    let Some(mut theirs) = JavaScript::open("http", &options) else { return };
    javascript::both_directions(&ours, &mut theirs, Texts::Any).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_client_sees_what_is_below_the_base_alone() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--driver", "fs-lite", "--option", &files(folder.path()), "--base", "sess"];
    let server = Server::start(&arguments);
    let all = driver("fs-lite", &json!({ "base": folder.path() })).await;
    let ours = driver("fs-lite", &json!({ "base": folder.path().join("sess") })).await;
    let other = ItemKey::new("sessions").unwrap();
    _ = all.set(&other, "kept".into(), When::Always, None).await.unwrap();
    let Some(mut theirs) = JavaScript::open("http", &http(&server)) else { return };
    javascript::both_directions(&ours, &mut theirs, Texts::Any).await;
    assert!(all.get(&other).await.unwrap().is_some(), "it cleared more than its own");
}

#[tokio::test]
async fn unstorages_client_stores_and_gets_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--driver", "fs-lite", "--option", &files(folder.path())]);
    let Some(mut theirs) = JavaScript::open("http", &http(&server)) else { return };
    theirs.call("setItemRaw", &[json!("raw"), json!([0, 255, 195, 40])]);
    assert_eq!(std::fs::read(folder.path().join("raw")).unwrap(), [0, 255, 195, 40]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_driver_obeys_every_rule_through_a_server_over_memory() {
    let server = Server::start(&["--driver", "memory", "--max-size", "8MiB"]);
    let options = http(&server);
    conformance::run(|| driver("http", &options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_driver_obeys_every_rule_through_two_servers_over_files() {
    let folder = tempfile::tempdir().unwrap();
    let base = files(folder.path());
    let arguments = ["--driver", "fs-lite", "--option", &base, "--max-size", "8MiB"];
    let servers = [Server::start(&arguments), Server::start(&arguments)];
    let turn = std::sync::atomic::AtomicUsize::new(0);
    conformance::run(|| {
        let turn = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let options = http(&servers[turn % 2]);
        async move { driver("http", &options).await }
    })
    .await;
}

/// Where a version is the item's own bytes.
#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_driver_obeys_every_rule_through_a_server_over_redis() {
    let Some(redis) = interop_peers::Redis::start() else { return };
    let url = format!("url={}", redis.url());
    let server = Server::start(&["--driver", "redis", "--option", &url, "--max-size", "8MiB"]);
    let options = http(&server);
    conformance::run(|| driver("http", &options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_driver_obeys_every_rule_through_a_server_that_lets_it_read_alone() {
    let server = Server::start(&["--driver", "memory", "--read-only"]);
    let options = http(&server);
    conformance::run(|| driver("http", &options)).await;
}

#[tokio::test]
async fn every_call_through_a_server_costs_one_round_trip() {
    let server = Server::start(&["--driver", "memory"]);
    let proxy = Proxy::start(server.port);
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let driver = driver("http", &json!({ "base": url })).await;
    let key = ItemKey::new("id").unwrap();
    let count = |name: &str| {
        assert_eq!(proxy.round_trips(), 1, "{name}");
        proxy.reset();
    };
    proxy.reset();
    let created = driver.set(&key, "one".into(), When::Absent, None).await.unwrap();
    assert!(matches!(created, SetOutcome::Written { .. }));
    count("create");
    let item = driver.get(&key).await.unwrap().unwrap();
    count("read");
    let when = When::Version(item.version);
    let written = driver.set(&key, "two".into(), when.clone(), None).await.unwrap();
    assert!(matches!(written, SetOutcome::Written { .. }));
    count("write");
    let late = driver.set(&key, "three".into(), when, None).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
    count("conflict");
    assert!(driver.touch(&key, None).await.unwrap());
    count("touch");
    for expected in [RemoveOutcome::Removed, RemoveOutcome::Missing] {
        assert_eq!(driver.remove(&key, When::Always).await.unwrap(), expected);
        count("remove");
    }
}
