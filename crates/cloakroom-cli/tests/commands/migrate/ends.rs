//! Which two stores can be the ends of a migration, and what is sealed and hashed on the way.

use cloakroom_storage::{Driver as _, When};
use serde_json::{Value, json};

use super::support::{Pair, contents, driver, key, on_files, plain, put};
use crate::keys::{NEW, OLD};
use crate::support::Served;

const SECRET: &str = "a secret of this site's own";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_and_hashed_is_so_as_the_target_is_configured() {
    let sealed = |key: &str| json!({ "encryption": { "keys": [key] } });
    let hashed = json!({ "hashIds": { "secret": SECRET } });
    let both =
        |key: &str| json!({ "hashIds": { "secret": SECRET }, "encryption": { "keys": [key] } });
    for (from, to) in [
        (json!({}), sealed(NEW)),
        (sealed(OLD), json!({})),
        (sealed(OLD), sealed(NEW)),
        (sealed(OLD), sealed(OLD)),
        (json!({}), hashed.clone()),
        (json!({}), both(NEW)),
        (sealed(OLD), both(NEW)),
        (hashed.clone(), hashed.clone()),
        (hashed.clone(), both(NEW)),
        (both(OLD), both(NEW)),
        (both(OLD), both(OLD)),
    ] {
        let why = format!("{from} to {to}");
        let (from, to) = (on_files(from), on_files(to));
        let ids = [from.signed_in("ann").await, from.signed_in("ann").await];
        let pair = Pair::of(&from.config, &to.config);
        let report = pair.migrated(true);
        assert_eq!(
            (&report["same"], &report["onlyInTarget"]),
            (&3.into(), &0.into()),
            "{why}: {report}"
        );
        assert_eq!(pair.migrated(false)["copied"], 0, "{why}");
        assert!(to.is_alive(ids[0]).await, "{why}");

        // Neither a key nor a value has an ID where they are hashed.
        if to.config.get("hashIds").is_some() {
            for (key, (value, _)) in contents(&driver(&to.config).await).await {
                let value = String::from_utf8_lossy(&value);
                let shown = ids.map(|id| id.to_string());
                let shows = |id: &String| key.contains(id) || value.contains(id);
                assert!(!shown.iter().any(shows), "{why}: {key}");
            }
        }
        assert_eq!(to.sessions().await.of("ann").revoke_all().await.unwrap(), 2, "{why}");
        assert!(!to.is_alive(ids[0]).await && from.is_alive(ids[0]).await, "{why}");

        // What the source has ended since is taken out, also where its keys are others.
        from.sessions().await.of("ann").revoke_all().await.unwrap();
        assert_eq!(pair.migrate(true).code, 0, "{why}");
        assert!(!to.is_alive(ids[1]).await, "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_no_migration_is_refused_before_anything_is_written() {
    let site = plain();
    put(&driver(&site.config).await, &key(1), "[[\"Map\"]]", None).await;
    let files = |with: Value| on_files(with).config;
    let hashed = || files(json!({ "hashIds": true }));
    let overlay = json!({ "driver": "overlay", "options": { "layers": [
        { "driver": "fs-lite", "options": plain().config["options"] }, { "driver": "fs-lite", "options": site.config["options"] },
    ] } });
    let above_target = plain().config;
    let above = json!({ "driver": "overlay", "options": { "layers": [
        { "driver": "fs-lite", "options": above_target["options"] }, { "driver": "fs-lite", "options": site.config["options"] },
    ] } });
    let served = Served::start(&[
        "--driver",
        "fs-lite",
        "--option",
        &format!("base={}", site.config["options"]["base"].as_str().unwrap()),
    ]);
    let same_over_http = json!({ "driver": "http", "options": { "base": served.url } });
    let read_only = Served::start(&["--driver", "memory", "--read-only"]);
    let read_only = json!({ "driver": "http", "options": { "base": read_only.url } });
    for (from, to, part) in [
        (site.config.clone(), site.config.clone(), "the same store"),
        (site.config.clone(), same_over_http, "the same store"),
        (above, above_target, "one is above the other"),
        (site.config.clone(), overlay, "first layer alone"),
        (hashed(), plain().config, "nobody knows an ID from its hash"),
        (hashed(), files(json!({ "hashIds": { "secret": SECRET } })), "the same `hashIds`"),
        (site.config.clone(), json!({ "driver": "memory" }), "ends with this command"),
        (json!({ "driver": "memory" }), plain().config, "lives in one process"),
        (site.config.clone(), json!({ "driver": "null" }), "ends with this command"),
        (site.config.clone(), read_only, "cannot be written to"),
        (site.config.clone(), json!({ "driver": "redsi" }), "redis"),
    ] {
        let ran = Pair::of(&from, &to).migrate(false);
        assert_eq!(ran.code, 1, "{from} {to}: {}", ran.errors);
        assert!(ran.errors.contains(part), "{from} {to}: {}", ran.errors);
    }
    assert_eq!(contents(&driver(&site.config).await).await.len(), 1, "no trace is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_for_two_stores_alone() {
    let (from, to, other) = (plain(), plain(), plain());
    put(&driver(&from.config).await, &key(1), "[[\"Map\"]]", None).await;
    let pair = Pair::of(&from.config, &to.config);
    pair.migrated(true);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(pair.path("state")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    pair.write(&from.config, &other.config);
    let ran = pair.migrate(true);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("about two other stores"), "{}", ran.errors);
    assert!(contents(&driver(&other.config).await).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_has_lost_what_it_had_is_no_migration_that_is_done() {
    let (from, to) = (plain(), plain());
    let (source, target) = (driver(&from.config).await, driver(&to.config).await);
    for number in 0..50 {
        put(&source, &key(number), "[[\"Map\"]]", None).await;
    }
    let pair = Pair::of(&from.config, &to.config);
    pair.migrated(true);
    for number in 0..40 {
        _ = target.remove(&key(number), When::Always).await.unwrap();
    }
    let ran = pair.migrate(true);
    assert_eq!(ran.code, 1);
    assert!(
        ran.errors.contains("40 items that were written to the target are missing"),
        "{}",
        ran.errors
    );
    // Some may have been ended.
    assert_eq!(contents(&target).await.len(), 10);
    std::fs::remove_file(pair.path("state")).unwrap();
    assert_eq!(pair.migrated(true)["copied"], 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_suddenly_empty_empties_nothing() {
    let (from, to) = (plain(), plain());
    let source = driver(&from.config).await;
    for number in 0..50 {
        put(&source, &key(number), "[[\"Map\"]]", None).await;
    }
    let pair = Pair::of(&from.config, &to.config);
    pair.migrated(true);
    std::fs::remove_dir_all(from.config["options"]["base"].as_str().unwrap()).unwrap();
    let ran = pair.migrate(true);
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("the source is empty, and was not"), "{}", ran.errors);
    assert_eq!(contents(&driver(&to.config).await).await.len(), 50);
}
