//! The sessions of a store go into another one: all of them, and nothing of the target's is lost.

mod ends;
mod follow;
mod killed;
mod newer;
mod recipe;
mod running_site;
pub(crate) mod support;

use cloakroom_storage::{Driver as _, When};
use serde_json::json;

use crate::support::Site;
use support::{Pair, assert_alike, contents, driver, key, left, plain, put, text};

#[tokio::test(flavor = "multi_thread")]
async fn every_store_goes_into_every_other() {
    let mut sites = vec![("files", plain())];
    sites.extend(Site::on_each().await.into_iter().skip(1));
    sites.push(("files again", plain()));
    let first = &sites[0].1;
    let ids =
        [first.signed_in("ann").await, first.signed_in("ann").await, first.signed_in("bob").await];
    assert_eq!(first.sessions().await.of("bob").revoke_all().await.unwrap(), 1);
    for pair in sites.windows(2) {
        let [(name, from), (there, to)] = pair else { unreachable!() };
        let why = format!("{name} to {there}");
        let report = Pair::of(&from.config, &to.config).migrated(false);
        // Three sessions, of which one is a tombstone, and an index.
        for (what, count) in [("items", 4), ("same", 4), ("copied", 4), ("onlyInTarget", 0)] {
            assert_eq!(report[what], count, "{why}: {what} of {report}");
        }
        let (from, held) = (driver(&from.config).await, driver(&to.config).await);
        assert_alike(&from, &held, &why).await;
        assert_eq!(
            report["bytes"],
            contents(&held).await.values().map(|it| it.0.len()).sum::<usize>()
        );
        assert!(to.is_alive(ids[0]).await && to.is_alive(ids[1]).await, "{why}");
        assert!(!to.is_alive(ids[2]).await, "a logout stands: {why}");
        assert_eq!(to.sessions().await.of("ann").count().await.unwrap(), 2, "{why}");
    }
    let (_, last) = sites.last().unwrap();
    assert_eq!(last.sessions().await.of("ann").revoke_all().await.unwrap(), 2);
    assert!(!last.is_alive(ids[0]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_finds_all_done() {
    let (from, to) = (plain(), plain());
    from.signed_in("ann").await;
    let pair = Pair::of(&from.config, &to.config);
    assert_eq!(pair.migrated(false)["copied"], 2);
    let again = pair.migrated(false);
    assert_eq!((&again["copied"], &again["same"]), (&0.into(), &2.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_stays_where_it_is_and_what_expires_is_not_brought_back() {
    let (from, to) = (plain(), plain());
    let (source, target) = (driver(&from.config).await, driver(&to.config).await);
    put(&source, &cloakroom_storage::ItemKey::new("queue:jobs").unwrap(), "somebody else's", None)
        .await;
    put(&source, &key(1), "[[\"Map\"]]", Some(3600)).await;
    put(&source, &key(2), "[[\"Map\"]]", None).await;
    put(&target, &key(3), "[[\"Map\"]]", None).await;
    let ran = Pair::of(&from.config, &to.config).migrate(false);
    assert_eq!(
        (ran.code, &ran.json()[0]["items"], &ran.json()[0]["onlyInTarget"]),
        (0, &2.into(), &1.into())
    );
    assert!(ran.errors.contains("is in the target alone"), "{}", ran.errors);
    // By its handle.
    assert!(!ran.errors.contains(key(3).as_str()), "{}", ran.errors);
    assert_eq!(contents(&target).await.len(), 3);
    assert!((3590..=3600).contains(&left(&target, &key(1)).await));
    assert_eq!(contents(&target).await[key(2).as_str()].1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_state_what_the_source_has_changed_since_is_changed_in_the_target() {
    for (store, to) in Site::on_each().await {
        let from = plain();
        let (source, target) = (driver(&from.config).await, driver(&to.config).await);
        for number in 1..=5 {
            put(&source, &key(number), "before", Some(3600)).await;
        }
        let pair = Pair::of(&from.config, &to.config);
        assert_eq!(pair.migrated(true)["copied"], 5, "{store}");

        put(&source, &key(1), "after", Some(3600)).await;
        source.remove(&key(2), When::Always).await.unwrap();
        source.touch(&key(3), Some(std::time::Duration::from_secs(7200))).await.unwrap();
        source.touch(&key(4), Some(std::time::Duration::from_secs(60))).await.unwrap();
        let report = pair.migrated(true);
        assert_eq!((&report["copied"], &report["removed"]), (&3.into(), &1.into()), "{store}");
        assert_eq!(text(&target, &key(1)).await.as_deref(), Some("after"), "{store}");
        assert_alike(&source, &target, store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_and_what_is_not_taken_is_named() {
    let site = plain();
    let source = driver(&site.config).await;
    put(&source, &key(1), &"x".repeat(2000), None).await;
    put(&source, &key(2), "short", None).await;
    let served = crate::support::Served::start(&["--driver", "memory", "--max-size", "1KiB"]);
    let to = json!({ "driver": "http", "options": { "base": served.url } });
    let ran = Pair::of(&site.config, &to).migrate(false);
    assert_eq!(
        (ran.code, &ran.json()[0]["refused"], &ran.json()[0]["same"]),
        (6, &1.into(), &1.into())
    );
    assert!(
        ran.errors.contains("is not taken") && !ran.errors.contains(key(1).as_str()),
        "{}",
        ran.errors
    );

    let sealed = support::on_files(json!({ "encryption": { "keys": [crate::keys::OLD] } }));
    let id = sealed.signed_in("ann").await;
    put(&driver(&sealed.config).await, &key(1), "not sealed", None).await;
    let ran = Pair::of(&sealed.config, &plain().config).migrate(false);
    assert_eq!(
        (ran.code, &ran.json()[0]["unreadable"], &ran.json()[0]["same"]),
        (4, &1.into(), &2.into())
    );
    assert!(
        ran.errors.contains("cannot be read") && !ran.errors.contains(&id.to_string()),
        "{}",
        ran.errors
    );
}
