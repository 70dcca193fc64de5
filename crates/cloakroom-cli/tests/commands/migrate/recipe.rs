//! "Another store", as `docs/operations.md` has it, with a site that goes on: from files to Redis, and to PostgreSQL.

use std::path::Path;

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::running_site::{Servers, Visitor, meanwhile};
use super::support::{Pair, contents, driver, plain, put, stopped_server};
use crate::support::{Served, Site};

const SERVERS: usize = 3;
const VISITORS: usize = 18;

/// What the middle serves, and everything else as the site has it.
fn with_store(site: &Value, store: &Value) -> Value {
    let mut config = site.clone();
    config["driver"] = store["driver"].clone();
    config["options"] = store["options"].clone();
    config
}

fn store_of(config: &Value) -> Value {
    json!({ "driver": config["driver"], "options": config["options"] })
}

/// `cloakroom serve` with this store, on the same port as the one before.
async fn serve(folder: &Path, before: Option<Served>, store: &Value) -> Served {
    let path = folder.join("served.json");
    std::fs::write(&path, store.to_string()).unwrap();
    spawn_blocking(move || {
        let address = before.map(stopped_server);
        let address = address.as_deref().unwrap_or("127.0.0.1:0");
        Served::at(address, &["--config", path.to_str().unwrap()])
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_site_changes_its_store_and_loses_neither_an_update_nor_a_logout() {
    let folder = tempfile::tempdir().unwrap();
    for (store, to) in
        Site::on_each().await.into_iter().filter(|(store, _)| ["redis", "postgres"].contains(store))
    {
        let from = plain();
        let (old, new) = (store_of(&from.config), store_of(&to.config));
        let servers = Servers::start(SERVERS, &from.config).await;
        let mut visitors = Vec::new();
        for number in 0..VISITORS {
            visitors.push(Visitor::new(&servers, number).await);
        }
        // Who is away while all of this happens.
        let away = from.signed_in("away").await;

        // 1. All servers reach the old store by one `cloakroom serve`, server by server.
        let middle = serve(folder.path(), None, &old).await;
        let over_http = with_store(
            &from.config,
            &json!({ "driver": "http", "options": { "base": middle.url } }),
        );
        for number in 0..servers.number() {
            let restart = servers.restart(number, &over_http);
            meanwhile(&servers, &mut visitors, "server by server into the middle", restart).await;
        }

        // 2. The middle alone is started anew, with the new store above the old one.
        let overlay = json!({ "driver": "overlay", "options": { "layers": [new, old] } });
        let anew = serve(folder.path(), Some(middle), &overlay);
        let middle = meanwhile(&servers, &mut visitors, "the overlay begins", anew).await;

        // 3. The rest is copied.
        let pair = Pair::of(&old, &new);
        let command = pair.command(false, &[]);
        let copy = async { spawn_blocking(|| super::support::ran(command)).await.unwrap() };
        let ran = meanwhile(&servers, &mut visitors, "the rest is copied", copy).await;
        assert_eq!(ran.code, 0, "{store}: {}", ran.errors);
        assert!(
            ran.json()[0]["same"].as_u64().unwrap() >= 2,
            "{store}: who was away, at least: {}",
            ran.output
        );

        // 4. The middle is started anew with the new store alone, and the old one is of no more use.
        let anew = serve(folder.path(), Some(middle), &new);
        let middle = meanwhile(&servers, &mut visitors, "the overlay ends", anew).await;
        std::fs::remove_dir_all(old["options"]["base"].as_str().unwrap()).unwrap();
        let sweep = async { to.run(&["sweep", "--after-overlay"]) };
        let swept = meanwhile(&servers, &mut visitors, "the words are taken out", sweep).await;
        assert_eq!(swept.code, 0, "{store}: {}", swept.errors);
        let words = contents(&driver(&new).await).await.into_values();
        assert_eq!(words.filter(|(value, _)| value == "__OVERLAY_REMOVED__").count(), 0, "{store}");

        // 5. Out of the middle, server by server.
        for number in 0..servers.number() {
            let restart = servers.restart(number, &to.config);
            meanwhile(&servers, &mut visitors, "server by server out of the middle", restart).await;
        }
        drop(middle);
        meanwhile(&servers, &mut visitors, "without the middle", async {}).await;

        assert!(to.is_alive(away).await, "{store}: who was away is still signed in");
        for visitor in &visitors {
            assert!(
                to.sessions().await.of(visitor.name()).revoke_all().await.unwrap() >= 1,
                "{store}"
            );
            assert!(visitor.is_out(&servers).await, "{store}: the index knows the session");
        }
    }
}

/// With the overlay a logout leaves no more, after its minute, than the overlay's mark: the copying heeds that.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_by_the_overlay_stands_when_its_minute_is_over_and_the_rest_is_copied() {
    use cloakroom_storage::{Driver as _, ItemKey, When};

    for (store, to) in Site::on_each().await {
        let from = plain();
        let ids = [from.signed_in("ann").await, from.signed_in("bob").await];
        let overlay = json!({ "driver": "overlay", "options": { "layers": [store_of(&to.config), store_of(&from.config)] } });
        let overlay = super::support::on_files(overlay);
        assert_eq!(overlay.sessions().await.of("ann").revoke_all().await.unwrap(), 1, "{store}");
        let target = driver(&to.config).await;
        let tombstone = ItemKey::new(&ids[0].to_string()).unwrap();
        // As when its time is over, which is not waited for.
        target.remove(&tombstone, When::Always).await.unwrap();
        // And one that is removed without a tombstone, as JavaScript does it.
        let removed = ItemKey::new(&ids[1].to_string()).unwrap();
        put(&target, &removed, "__OVERLAY_REMOVED__", None).await;

        let pair = Pair::of(&from.config, &to.config);
        for state in [false, true, true] {
            let report = pair.migrated(state);
            assert_eq!(report["ended"], 3, "{store}, with ann's index: {report}");
            assert!(!overlay.is_alive(ids[0]).await && !overlay.is_alive(ids[1]).await, "{store}");
            assert_eq!(target.get(&tombstone).await.unwrap(), None, "{store}");
        }
        assert_eq!(to.run(&["sweep", "--after-overlay"]).code, 0, "{store}");
        assert!(!to.is_alive(ids[0]).await && !to.is_alive(ids[1]).await, "{store}");
    }
}
