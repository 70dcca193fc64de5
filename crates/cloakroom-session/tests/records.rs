//! Records that JavaScript, an older version or a hostile hand may have left, and lifetimes at their limits.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use cloakroom_session::{Config, ErrorKind, SessionId, SetOptions};
use common::Site;

const ID: &str = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";

async fn site_with(record: &str) -> (Site, SessionId) {
    let site = Site::new().await;
    let id = SessionId::parse(ID).unwrap();
    site.write_raw(id, record).await;
    (site, id)
}

#[tokio::test]
async fn of_a_repeated_key_the_last_entry_counts_in_the_place_of_the_first() {
    let (site, id) = site_with(
        r#"[["Map",1,2,4,5,1,7],"a",{"data":3,"expires":-1},"old","b",{"data":6,"expires":-1},2,{"data":8,"expires":-1},"new"]"#,
    )
    .await;
    assert_eq!(site.read(id, "a").await.as_deref(), Some("new"));
    let session = site.request(id);
    assert_eq!(session.keys().await.unwrap(), ["a", "b"]);
    session.delete("b");
    session.finish().await.unwrap();
    assert_eq!(
        site.raw(id).await.as_deref(),
        Some(r#"[["Map",1,2],"a",{"data":3,"expires":-1},"new"]"#)
    );
}

#[tokio::test]
async fn repeated_keys_are_found_among_many_too() {
    let names: Vec<String> = (0..40).map(|number| format!("k{number}")).collect();
    let repeated = ["k3", "k30"];
    let slots = names.iter().map(String::as_str).chain(repeated);
    let slots: Vec<String> = slots.map(|name| format!("{name:?}")).collect();
    let entry = |place| if place < names.len() { 1 } else { 3 };
    let pairs: Vec<String> =
        (0..slots.len()).map(|place| format!("{},{}", place + 5, entry(place))).collect();
    let (site, id) = site_with(&format!(
        r#"[["Map",{}],{{"data":2,"expires":-1}},"old",{{"data":4,"expires":-1}},"new",{}]"#,
        pairs.join(","),
        slots.join(","),
    ))
    .await;
    assert_eq!(site.request(id).keys().await.unwrap(), names);
    for name in &names {
        let expected = if repeated.contains(&name.as_str()) { "new" } else { "old" };
        assert_eq!(site.read(id, name).await.as_deref(), Some(expected), "{name}");
    }
    let session = site.request(id);
    for name in names.iter().filter(|name| !repeated.contains(&name.as_str())) {
        session.delete(name);
    }
    session.finish().await.unwrap();
    assert_eq!(
        site.raw(id).await.as_deref(),
        Some(r#"[["Map",1,2,4,2],"k3",{"data":3,"expires":-1},"new","k30"]"#)
    );
}

#[tokio::test]
async fn an_entry_that_is_no_object_is_reported_kept_and_does_not_hide_the_others() {
    let record = r#"[["Map",1,2,3,4],"a",7,"b",{"data":5,"expires":-1},"ok"]"#;
    let (site, id) = site_with(record).await;
    assert_eq!(site.read(id, "b").await.as_deref(), Some("ok"));
    let session = site.request(id);
    assert_eq!(session.get::<u32>("a").await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(session.keys().await.unwrap_err().kind(), ErrorKind::Corrupt);
    session.set("b", "new").unwrap();
    assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(site.raw(id).await.as_deref(), Some(record));
}

#[tokio::test]
async fn an_entry_without_data_is_undefined_and_one_without_expires_does_not_expire() {
    let (site, id) = site_with(r#"[["Map",1,2,3,4],"a",{},"b",{"data":5},"ok"]"#).await;
    let session = site.request(id);
    assert!(session.has("a").await.unwrap());
    assert_eq!(session.get::<Option<u32>>("a").await.unwrap(), Some(None));
    assert_eq!(site.read(id, "b").await.as_deref(), Some("ok"));
}

#[tokio::test]
async fn expires_is_a_number_before_now_and_nothing_else() {
    // NaN (-3), Infinity (-4), a string and null keep an entry; -Infinity (-5) and a past moment end it.
    let (site, id) = site_with(
        r#"[["Map",1,2,4,5,6,7,8,9,11,12,14,15,16,17],"nan",{"data":3,"expires":-3},1,"infinity",{"data":3,"expires":-4},"gone",{"data":3,"expires":-5},"text",{"data":3,"expires":10},"soon","null",{"data":3,"expires":13},null,"past",{"data":3,"expires":3},"minus zero",{"data":3,"expires":-6}]"#,
    )
    .await;
    assert_eq!(site.request(id).keys().await.unwrap(), ["nan", "infinity", "text", "null"]);
}

#[tokio::test]
async fn a_record_whose_entries_have_all_expired_is_an_empty_session_that_can_be_filled_again() {
    let (site, id) = site_with(r#"[["Map",1,2],"a",{"data":3,"expires":4},"old",1000]"#).await;
    let session = site.request(id);
    assert!(session.keys().await.unwrap().is_empty());
    assert_eq!(session.get::<String>("a").await.unwrap(), None);
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get"], "reading it writes nothing");

    let session = site.request(id);
    session.set("b", "new").unwrap();
    session.finish().await.unwrap();
    assert_eq!(session.id(), Some(id));
    assert_eq!(site.request(id).keys().await.unwrap(), ["b"]);
}

#[tokio::test]
async fn an_emptied_record_lives_as_long_as_the_configured_ttl_and_not_for_ever() {
    let ttl = Duration::from_secs(60);
    let site = Site::with(Config::new("memory").ttl(ttl)).await;
    let id = site.stored(&[("flash", "saved")]).await;
    let session = site.request(id);
    session.take::<String>("flash").await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.last_ttl(), Some(ttl));

    let session = site.visitor();
    session.regenerate().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.last_ttl(), Some(ttl));
}

#[tokio::test]
async fn a_ttl_of_zero_expires_with_the_request_that_set_it() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set_with("code", "1234", SetOptions::new().ttl(Duration::ZERO)).unwrap();
    assert_eq!(session.get::<String>("code").await.unwrap().as_deref(), Some("1234"));
    session.finish().await.unwrap();
    assert!(site.last_ttl().unwrap() <= Duration::from_millis(1));
}

#[tokio::test]
async fn the_longest_ttls_are_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let files = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
    for config in [Config::new("memory"), files] {
        let site = Site::with(config).await;
        for ttl in [Duration::MAX, Duration::from_secs(u64::MAX / 2), Duration::from_secs(1 << 40)]
        {
            let session = site.visitor();
            session.set_with("a", "1", SetOptions::new().ttl(ttl)).unwrap();
            session.finish().await.unwrap();
            assert_eq!(
                site.read(session.id().unwrap(), "a").await.as_deref(),
                Some("1"),
                "{ttl:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_record_beyond_the_limit_can_still_be_made_smaller() {
    let mut config = Config::new("memory");
    config.max_size = 1000;
    let site = Site::with(config).await;
    let id = SessionId::parse(ID).unwrap();
    let large = "x".repeat(2000);
    site.write_raw(
        id,
        &format!(r#"[["Map",1,2,4,5],"a",{{"data":3,"expires":-1}},"{large}","b",{{"data":6,"expires":-1}},1]"#),
    )
    .await;
    let session = site.request(id);
    session.delete("b");
    session.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap(), ["a"]);
    let session = site.request(id);
    session.set("c", "1").unwrap();
    assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::TooLarge);
}
