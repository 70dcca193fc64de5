//! One of unstorage's own drivers beside ours, on the same store: same keys, same bytes, whoever wrote them.
#![allow(dead_code)] // Each test needs a part of it.

use std::time::{Duration, Instant};

use cloakroom_storage::{DynDriver, ItemKey, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt as _;
use interop_peers::JavaScript;
use serde_json::{Value, json};

/// What Astro stores.
const SESSION: &str = r#"[["Map",1,2,9,10],"cart",{"data":3,"expires":8},[4,5,6,7],"felt-hat","🧥 \"wool\"",["Date","2026-01-02T03:04:05.678Z"],["BigInt","9007199254740993"],4102444800000,"empty",{"data":11,"expires":-1},""]"#;
const OTHER: &str = r#"[["Map",1,2],"cart",{"data":3,"expires":-1},[]]"#;

const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
const PATIENCE: Duration = Duration::from_secs(60);

/// What a driver makes of texts that are no sessions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Texts {
    /// It gives every text back as it was.
    Any,
    /// Its client takes a text for JSON where it can, so that only sessions are compared.
    SessionsOnly,
}

/// Holds both drivers to everything that one store for both means. Ends with an empty store.
pub(crate) async fn both_directions(ours: &DynDriver, theirs: &mut JavaScript, texts: Texts) {
    items_in_both_directions(ours, theirs, texts).await;
    if ours.capabilities().iteration {
        listings(ours, theirs).await;
        theirs.call("clear", &[]);
        let left: Vec<ItemKey> = ours.keys("").try_collect().await.unwrap();
        assert!(left.is_empty(), "JavaScript clears what both wrote");
    }
}

/// The same but for lists, where JavaScript's driver can neither list nor clear.
pub(crate) async fn items_in_both_directions(
    ours: &DynDriver,
    theirs: &mut JavaScript,
    texts: Texts,
) {
    sessions(ours, theirs).await;
    if texts == Texts::Any {
        other_texts(ours, theirs).await;
    }
    removals(ours, theirs).await;
    lifetimes(ours, theirs).await;
    versions(ours, theirs).await;
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn read(ours: &DynDriver, name: &str) -> Option<String> {
    let item = ours.get(&key(name)).await.unwrap()?;
    Some(String::from_utf8(item.value.to_vec()).unwrap())
}

async fn write(ours: &DynDriver, name: &str, text: &str, ttl: Option<Duration>) {
    let value = text.to_owned().into();
    let outcome = ours.set(&key(name), value, When::Always, ttl).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

/// Whether JavaScript's driver gives this text, or what its client made of it.
fn reads(theirs: &mut JavaScript, name: &str, text: &str) -> bool {
    match theirs.call("getItem", &[json!(name)]) {
        Value::String(read) => read == text,
        value => serde_json::from_str::<Value>(text).is_ok_and(|parsed| parsed == value),
    }
}

async fn sessions(ours: &DynDriver, theirs: &mut JavaScript) {
    let id = "0b4c2d3e-6f1a-4b5c-8d7e-9f0a1b2c3d4e";
    theirs.call("writeSession", &[json!(id), json!(SESSION)]);
    assert_eq!(read(ours, id).await.as_deref(), Some(SESSION), "written by JavaScript");
    write(ours, id, OTHER, HOUR).await;
    assert!(reads(theirs, id, OTHER), "written by Rust over what JavaScript wrote");
    assert_eq!(theirs.call("readSession", &[json!(id)]), json!(OTHER));
    theirs.call("writeSession", &[json!(id), json!(SESSION)]);
    assert_eq!(read(ours, id).await.as_deref(), Some(SESSION), "written over by JavaScript");
    write(ours, "from-rust", SESSION, None).await;
    assert_eq!(theirs.call("readSession", &[json!("from-rust")]), json!(SESSION));
}

async fn other_texts(ours: &DynDriver, theirs: &mut JavaScript) {
    // Twenty bytes of UTF-16 are more than one takes.
    let most = ours.capabilities().longest_value.map_or(9_000, |bytes| bytes / 20);
    let long = "🧥 wool ".repeat(most);
    for text in [
        "plain",
        r#"'"\ `?$1:key%_${}--/*&<>"#,
        "æøå ßẞ Ⅻ 汉字 עברית 🧥👨‍👩‍👧",
        " \t\r\n text \n\r\t ",
        "0012.50e1",
        "null",
        &long,
    ] {
        theirs.call("setItem", &[json!("text"), json!(text)]);
        assert_eq!(read(ours, "text").await.as_deref(), Some(text), "written by JavaScript");
        write(ours, "text-of-rust", text, None).await;
        assert_eq!(theirs.call("getItem", &[json!("text-of-rust")]), json!(text));
    }
}

async fn removals(ours: &DynDriver, theirs: &mut JavaScript) {
    theirs.call("setItem", &[json!("removed"), json!(SESSION)]);
    let removed = ours.remove(&key("removed"), When::Always).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    assert_eq!(theirs.call("hasItem", &[json!("removed")]), json!(false));
    write(ours, "removed", SESSION, HOUR).await;
    assert_eq!(theirs.call("hasItem", &[json!("removed")]), json!(true));
    theirs.call("removeItem", &[json!("removed")]);
    assert_eq!(read(ours, "removed").await, None);
}

async fn listings(ours: &DynDriver, theirs: &mut JavaScript) {
    theirs.call("clear", &[]);
    let ours_alone = ["1-ours", "shop:ours", "shop:a:b"];
    let theirs_alone = ["2-theirs", "shop:theirs", "shop:c:d"];
    for name in ours_alone {
        write(ours, name, OTHER, HOUR).await;
    }
    for name in theirs_alone {
        theirs.call("setItem", &[json!(name), json!(OTHER)]);
    }
    let mut all = [ours_alone, theirs_alone].concat();
    all.sort_unstable();
    let listed: Vec<ItemKey> = ours.keys("").try_collect().await.unwrap();
    let mut listed: Vec<&str> = listed.iter().map(ItemKey::as_str).collect();
    listed.sort_unstable();
    assert_eq!(listed, all, "Rust lists what both wrote");
    let listed = theirs.call("getKeys", &[]);
    let mut listed: Vec<&str> =
        listed.as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(listed, all, "JavaScript lists what both wrote");
    for name in all {
        assert_eq!(read(ours, name).await.as_deref(), Some(OTHER), "{name}");
        assert!(reads(theirs, name, OTHER), "{name}");
    }
}

async fn lifetimes(ours: &DynDriver, theirs: &mut JavaScript) {
    if !ours.capabilities().expiry {
        return;
    }
    let short = Some(Duration::from_millis(1500));
    write(ours, "written-over", SESSION, short).await;
    write(ours, "left-alone", SESSION, short).await;
    theirs.call("setItem", &[json!("written-over"), json!(OTHER)]);
    let begin = Instant::now();
    while read(ours, "left-alone").await.is_some() {
        assert!(begin.elapsed() < PATIENCE, "an item outlives its ttl");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let written_over = read(ours, "written-over").await;
    assert_eq!(written_over.as_deref(), Some(OTHER), "a deadline outlived its value");
    assert!(reads(theirs, "written-over", OTHER));
}

async fn versions(ours: &DynDriver, theirs: &mut JavaScript) {
    if ours.capabilities().compare_and_swap {
        write(ours, "raced", OTHER, HOUR).await;
        let loaded = ours.get(&key("raced")).await.unwrap().unwrap();
        theirs.call("setItem", &[json!("raced"), json!(SESSION)]);
        let when = When::Version(loaded.version);
        let late = ours.set(&key("raced"), "late".into(), when.clone(), HOUR).await.unwrap();
        assert_eq!(late, SetOutcome::Conflict, "a change of JavaScript's was lost");
        assert_eq!(ours.remove(&key("raced"), when).await.unwrap(), RemoveOutcome::Conflict);
        assert_eq!(read(ours, "raced").await.as_deref(), Some(SESSION));
        let absent = ours.set(&key("raced"), "new".into(), When::Absent, HOUR).await.unwrap();
        assert_eq!(absent, SetOutcome::Conflict);
        // What JavaScript wrote can be built upon.
        let loaded = ours.get(&key("raced")).await.unwrap().unwrap();
        let when = When::Version(loaded.version);
        let next = ours.set(&key("raced"), OTHER.into(), when, HOUR).await.unwrap();
        assert!(matches!(next, SetOutcome::Written { .. }));
        assert!(reads(theirs, "raced", OTHER));
    }
}
