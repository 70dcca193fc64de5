//! What is not as it should be in a store is named, and mended without anybody losing anything.

use std::fs;

use cloakroom_session::SessionId;
use cloakroom_session::storage::{Driver as _, DynDriver, ItemKey, When};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use crate::keys;
use crate::support::{Ran, Site};

async fn driver(site: &Site) -> DynDriver {
    site.sessions().await.driver().clone()
}

fn key(id: SessionId) -> ItemKey {
    ItemKey::new(&id.to_string()).unwrap()
}

/// The bytes under a key.
async fn bytes(site: &Site, key: &ItemKey) -> Option<String> {
    let item = driver(site).await.get(key).await.unwrap();
    item.map(|item| String::from_utf8(item.value.to_vec()).unwrap())
}

async fn put(site: &Site, key: &ItemKey, bytes: &str) {
    let written = driver(site).await.set(key, bytes.to_owned().into(), When::Always, None).await;
    _ = written.unwrap();
}

/// The page of the only principal's index.
async fn page(site: &Site) -> ItemKey {
    let keys: Vec<ItemKey> = driver(site).await.keys("principal").try_collect().await.unwrap();
    assert_eq!(keys.len(), 1);
    keys.into_iter().next().unwrap()
}

/// Entries of the index, changed by hand.
async fn edit(site: &Site, edit: impl Fn(&mut Value)) {
    let key = page(site).await;
    let mut page: Value = serde_json::from_str(&bytes(site, &key).await.unwrap()).unwrap();
    page["sessions"].as_array_mut().unwrap().iter_mut().for_each(edit);
    put(site, &key, &page.to_string()).await;
}

/// The names of the faults, and the counts.
fn told(ran: &Ran) -> (Vec<String>, Value) {
    let mut lines = ran.json();
    let counts = lines.pop().unwrap();
    let names = lines.iter().map(|line| line["fault"].as_str().unwrap().to_owned());
    (names.collect(), counts)
}

/// One fault is found by looking alone, which changes nothing, and mended once.
fn assert_mended(site: &Site, store: &str, fault: &str, became: &str) {
    // Who logs out leaves one of those.
    let code = if fault == "outlived" { 0 } else { 5 };
    for _ in 0..2 {
        let found = site.run(&["verify", "--json"]);
        assert_eq!(
            (found.code, told(&found).0),
            (code, vec![fault.to_owned()]),
            "{store}: {}",
            found.errors
        );
        assert!(found.json()[0]["repaired"].is_null());
    }
    let mended = site.run(&["verify", "--repair", "--json"]);
    assert_eq!(
        (mended.code, told(&mended).0),
        (0, vec![fault.to_owned()]),
        "{store}: {}",
        mended.errors
    );
    assert_eq!(mended.json()[0]["repaired"], became, "{store}");
    assert_fine(site, store);
}

fn assert_fine(site: &Site, store: &str) {
    let fine = site.run(&["verify", "--json"]);
    assert_eq!((fine.code, told(&fine).0), (0, vec![]), "{store}: {}{}", fine.output, fine.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_wrong_it_says_what_was_read() {
    for (store, mut site) in Site::on_each().await {
        for hashes in [false, true] {
            site.config["hashIds"] = hashes.into();
            site.signed_in("ann").await;
            site.signed_in("bob").await;
            let ran = site.run(&["verify", "--json"]);
            let (faults, counts) = told(&ran);
            assert_eq!((ran.code, faults.len()), (0, 0), "{store}: {}{}", ran.output, ran.errors);
            assert_eq!(counts["sessions"], 2, "{store}: {counts}");
            assert_eq!(counts["indexes"], 2, "{store}: {counts}");
            keys::clear(&driver(&site).await).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_cannot_be_read_is_named_and_the_others_are_kept() {
    for (store, site) in Site::on_each().await {
        let id = site.signed_in("ann").await;
        let text = r#"[["Map",1,2],"cart","hat"]"#;
        put(&site, &key(id), text).await;
        let ran = site.run(&["verify", "--repair", "--json"]);
        let (faults, counts) = told(&ran);
        assert!(
            faults.contains(&"brokenEntry".to_owned()),
            "{store}: {}{}",
            ran.output,
            ran.errors
        );
        assert_eq!((ran.code, &counts["left"]), (5, &1.into()), "{store}: {counts}");
        assert_eq!(bytes(&site, &key(id)).await.as_deref(), Some(text), "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nobody_can_read_are_moved_aside_and_never_deleted() {
    for (store, site) in Site::on_each().await {
        let id = site.signed_in("ann").await;
        put(&site, &key(id), r#"[["Map",1,2],"cart""#).await;
        assert_mended(&site, store, "unreadable", "movedAside");
        assert_eq!(bytes(&site, &key(id)).await, None, "{store}");
        let aside = ItemKey::new(&format!("corrupt:{id}")).unwrap();
        assert_eq!(
            bytes(&site, &aside).await.as_deref(),
            Some(r#"[["Map",1,2],"cart""#),
            "{store}"
        );
        assert_eq!(told(&site.run(&["verify", "--json"])).1["aside"], 1, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_hashed_ids_too() {
    for (store, mut site) in Site::on_each().await {
        site.config["hashIds"] = true.into();
        let id = site.signed_in("ann").await;
        put(&site, &key(id), "[[\"Map\",1").await;
        assert_mended(&site, store, "unreadable", "movedAside");
        site.config["hashIds"] = false.into();
        assert_eq!(told(&site.run(&["verify", "--json"])).1["aside"], 1, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_an_entry_gets_one() {
    for (store, site) in Site::on_each().await {
        site.signed_in("ann").await;
        let page = page(&site).await;
        _ = driver(&site).await.remove(&page, When::Always).await.unwrap();
        assert_eq!(site.sessions().await.of("ann").count().await.unwrap(), 0, "{store}");
        assert_mended(&site, store, "unlisted", "mended");
        assert_eq!(site.sessions().await.of("ann").revoke_all().await.unwrap(), 1, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_a_session_is_taken_out() {
    for (store, site) in Site::on_each().await {
        let id = site.signed_in("ann").await;
        site.signed_in("ann").await;
        _ = driver(&site).await.remove(&key(id), When::Always).await.unwrap();
        // One that has been entered just now may be on its way.
        assert_fine(&site, store);
        edit(&site, |entry| entry["at"] = 1_700_000_000_000_i64.into()).await;
        assert_mended(&site, store, "outlived", "mended");
        assert_eq!(site.sessions().await.of("ann").count().await.unwrap(), 1, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_begun_is_finished() {
    for (store, site) in Site::on_each().await {
        let id = site.signed_in("ann").await;
        edit(&site, |entry| entry["ending"] = true.into()).await;
        assert_mended(&site, store, "unfinished", "mended");
        assert!(!site.is_alive(id).await, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_person_can_judge_is_named_and_left() {
    for (store, mut site) in Site::on_each().await {
        let id = site.signed_in("ann").await;
        // Another program's, under a key that could be an ID.
        let other = ItemKey::new("11111111-1111-4111-8111-111111111111").unwrap();
        put(&site, &other, r#"{"job":1}"#).await;
        site.config["maxSize"] = 10.into();
        let ran = site.run(&["verify", "--repair", "--json"]);
        let (mut faults, counts) = told(&ran);
        faults.sort();
        assert_eq!(
            (ran.code, faults),
            (5, vec!["tooLarge".into(), "unreadable".into()]),
            "{store}"
        );
        assert_eq!((&counts["faults"], &counts["left"]), (&json!(2), &json!(2)), "{store}");
        assert_eq!(bytes(&site, &other).await.as_deref(), Some(r#"{"job":1}"#), "{store}");
        assert!(site.is_alive(id).await, "{store}");

        put(&site, &page(&site).await, "{").await;
        let ran = site.run(&["verify", "--repair", "--json"]);
        assert!(told(&ran).0.contains(&"unreadableIndex".to_owned()), "{store}: {}", ran.output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_wrong_key_nothing_is_moved() {
    for (store, mut site) in Site::on_each().await {
        site.config["encryption"] = json!({ "keys": [keys::OLD] });
        let id = site.signed_in("ann").await;
        for encryption in [json!({ "keys": [keys::NEW] }), Value::Null] {
            let mut wrong = site.config.clone();
            match encryption {
                Value::Null => _ = wrong.as_object_mut().unwrap().remove("encryption"),
                encryption => wrong["encryption"] = encryption,
            }
            let right = std::mem::replace(&mut site.config, wrong);
            let ran = site.run(&["verify", "--repair", "--json"]);
            assert_eq!(
                (ran.code, &told(&ran).1["left"]),
                (5, &json!(2)),
                "{store}: {}",
                ran.output
            );
            site.config = right;
        }
        assert!(site.is_alive(id).await, "{store}");
        assert_fine(&site, store);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_killed_processes_left_is_removed_by_a_repair() {
    let site = Site::on_files();
    site.signed_in("ann").await;
    let folder = std::path::Path::new(site.config["options"]["base"].as_str().unwrap());
    let left = folder.join(".cloakroom/00-0123456789abcdef.tmp$");
    fs::write(&left, "half").unwrap();
    assert_eq!(site.run(&["verify", "--repair"]).code, 0);
    assert!(!left.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_mended_keeps_nothing_else_from_it() {
    let site = Site::on_files();
    let file = |id: SessionId| {
        std::path::Path::new(site.config["options"]["base"].as_str().unwrap()).join(id.to_string())
    };
    let stuck = site.signed_in("ann").await;
    edit(&site, |entry| entry["at"] = 1_700_000_000_000_i64.into()).await;
    let torn = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    fs::write(file(torn), "[[\"Map\",1").unwrap();
    // In the place of a session that the index has, and no tombstone can be put there.
    fs::remove_file(file(stuck)).unwrap();
    fs::create_dir(file(stuck)).unwrap();
    let ran = site.run(&["verify", "--repair", "--json"]);
    let became = |line: &Value| line["repaired"].as_str().map(str::to_owned);
    let mut became: Vec<_> = ran.json().iter().filter_map(became).collect();
    became.sort();
    assert_eq!(
        (ran.code, &became[..]),
        (5, &["left".to_owned(), "movedAside".into()][..]),
        "{}",
        ran.output
    );
}
