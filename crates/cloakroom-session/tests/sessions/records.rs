//! Records that JavaScript, an older version or a hostile hand may have left, and lifetimes at their limits.

use std::time::Duration;

use crate::common::{Site, with_ttl};
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind, SessionId, SetOptions};

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
    let site = Site::with(with_ttl(ttl)).await;
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

/// A record of JavaScript's with one entry that has a key of another kind than a string, and one of ours beside it.
fn beside(key: &str, expires: &str) -> String {
    format!(
        r#"[["Map",1,2,5,6],"ours",{{"data":3,"expires":4}},"kept",9007199254740991,{key},{{"data":7,"expires":{expires}}},"theirs",1000]"#
    )
}

#[tokio::test]
async fn an_entry_whose_key_is_no_string_is_carried_along() {
    let keys = [
        "42",
        r#""\ud800""#,
        r#""a\udc00b""#,
        r#"["Date","2026-11-29T00:00:00.000Z"]"#,
        r#"["BigInt","42"]"#,
        "true",
        "null",
        "1.5",
        "[]",
        r#"["Object",3]"#,
    ];
    let slots = keys.map(|key| beside(key, "-1"));
    // Undefined, NaN, the infinities and -0 have no slot of their own.
    let sentinels = ["-1", "-3", "-4", "-5", "-6"].map(|sentinel| {
        format!(
            r#"[["Map",1,2,{sentinel},5],"ours",{{"data":3,"expires":4}},"kept",9007199254740991,{{"data":6,"expires":-1}},"theirs"]"#
        )
    });
    for record in slots.iter().chain(&sentinels) {
        let (site, id) = site_with(record).await;
        let session = site.request(id);
        assert_eq!(session.keys().await.unwrap(), ["ours"], "{record}");
        assert_eq!(session.entries().await.unwrap(), [("ours".to_owned(), "kept".into())]);
        assert_eq!(session.values().await.unwrap().len(), 1, "{record}");
        assert_eq!(site.read(id, "ours").await.as_deref(), Some("kept"), "{record}");

        let session = site.request(id);
        assert!(!session.has("new").await.unwrap());
        session.set("new", "value").unwrap();
        session.finish().await.unwrap();
        assert_eq!(
            site.last_ttl(),
            None,
            "{record}: an entry without a deadline keeps the session"
        );
        let written = site.raw(id).await.unwrap();
        let carried = record.split_once(r#""kept",9007199254740991"#).unwrap().1;
        let carried = carried.strip_suffix(",1000]").or(carried.strip_suffix(']')).unwrap();
        assert!(written.contains(carried), "{record} became {written}");

        session.set("ours", "changed").unwrap();
        session.update("new", |value: &mut String| value.push('s')).await.unwrap();
        assert_eq!(site.read(id, "ours").await.as_deref(), Some("changed"), "{record}");
        assert_eq!(site.read(id, "new").await.as_deref(), Some("values"), "{record}");
        assert!(site.raw(id).await.unwrap().contains("theirs"), "{record}");
    }
}

#[tokio::test]
async fn keys_that_would_be_the_same_text_are_different_entries() {
    let record = r#"[["Map",1,2,4,5,7,8,10,11],42,{"data":3,"expires":-1},"number","42",{"data":6,"expires":-1},"string","\ud800",{"data":9,"expires":-1},"high","\ud801",{"data":12,"expires":-1},"other"]"#;
    let (site, id) = site_with(record).await;
    assert_eq!(site.request(id).keys().await.unwrap(), ["42"]);
    assert_eq!(site.read(id, "42").await.as_deref(), Some("string"));
    let session = site.request(id);
    session.delete("42");
    session.finish().await.unwrap();
    assert_eq!(
        site.raw(id).await.as_deref(),
        Some(
            r#"[["Map",1,2,4,5,7,8],42,{"data":3,"expires":-1},"number","\ud800",{"data":6,"expires":-1},"high","\ud801",{"data":9,"expires":-1},"other"]"#
        )
    );
}

#[tokio::test]
async fn an_expired_entry_without_a_name_ends_as_any_other() {
    let (site, id) = site_with(&beside("42", "8")).await;
    let session = site.request(id);
    session.set("new", "value").unwrap();
    session.finish().await.unwrap();
    assert!(!site.raw(id).await.unwrap().contains("theirs"));
}

#[tokio::test]
async fn an_entry_that_is_no_object_keeps_nothing_from_being_written() {
    for entry in ["7", r#""text""#, "[]", r#"["Date",""]"#, r#"["Map"]"#, "null", "true"] {
        let record = format!(r#"[["Map",1,2,3,4],"a",{entry},"b",{{"data":5,"expires":-1}},"ok"]"#);
        let (site, id) = site_with(&record).await;
        let session = site.request(id);
        assert_eq!(session.keys().await.unwrap(), ["a", "b"], "{entry}");
        let error = session.get::<u32>("a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{entry}");
        let error = session.entries().await.unwrap_err();
        assert!(error.to_string().contains("\"a\""), "{error}");
        session.set("b", "new").unwrap();
        session.finish().await.unwrap();
        assert!(site.raw(id).await.unwrap().contains(&format!("\"a\",{entry},")), "{entry}");
        assert_eq!(site.read(id, "b").await.as_deref(), Some("new"), "{entry}");

        let session = site.request(id);
        session.set("a", "mended").unwrap();
        session.finish().await.unwrap();
        assert_eq!(site.read(id, "a").await.as_deref(), Some("mended"), "{entry}");
    }
}

#[tokio::test]
async fn one_value_beyond_a_limit_leaves_the_others_readable() {
    let digits = "9".repeat(10_001);
    let levels: String = (6..706).map(|inner| format!(",[{inner}]")).collect();
    let shared = format!("[{}],\"{}\"", vec!["6"; 40_000].join(","), "x".repeat(40_000));
    for beyond in [format!(r#"["BigInt","{digits}"]"#), format!("[6]{},1", &levels[4..]), shared] {
        let record = format!(
            r#"[["Map",1,2,3,4],"large",{{"data":5,"expires":-1}},"small",{{"data":1,"expires":-1}},{beyond}]"#
        );
        let (site, id) = site_with(&record).await;
        let session = site.request(id);
        assert_eq!(session.keys().await.unwrap(), ["large", "small"]);
        assert!(session.has("large").await.unwrap());
        let error = session.get::<serde_json::Value>("large").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BeyondLimit, "{error}");
        let error = session.values().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BeyondLimit, "{error}");
        assert!(error.to_string().contains("\"large\""), "{error}");
        assert_eq!(site.read(id, "small").await.as_deref(), Some("large"));

        session.set("other", "1").unwrap();
        session.finish().await.unwrap();
        let length = beyond.len().min(10_000);
        assert!(site.raw(id).await.unwrap().len() > length + 100);
        assert_eq!(site.request(id).keys().await.unwrap(), ["large", "small", "other"]);
    }
}

#[tokio::test]
async fn what_set_accepts_can_be_read_by_the_next_request() {
    for (length, count) in [(1000, 1500), (5000, 300), (3000, 1000), (800, 10_000), (4000, 20_000)]
    {
        let site = Site::new().await;
        let value = vec!["x".repeat(length); count];
        let session = site.visitor();
        match session.set("v", &value) {
            Ok(()) => {
                session.finish().await.unwrap();
                let id = session.id().unwrap();
                let read = site.request(id).get::<Vec<String>>("v").await.unwrap();
                assert!(read.is_some_and(|read| read == value));
                let values = site.request(id).values().await.unwrap();
                assert_eq!(values.len(), 1);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
                assert!(length * count > 16 << 20, "{length} × {count}");
            }
        }
    }
}

#[tokio::test]
async fn nesting_is_refused_by_set_as_by_get() {
    let nested =
        |levels: usize| (0..levels).fold(serde_json::Value::Null, |inner, _| vec![inner].into());
    let site = Site::new().await;
    let session = site.visitor();
    session.set("deep", &nested(500)).unwrap();
    assert_eq!(session.set("deeper", &nested(501)).unwrap_err().kind(), ErrorKind::TooLarge);
    session.finish().await.unwrap();
    let read = site.request(session.id().unwrap()).get::<serde_json::Value>("deep").await;
    assert_eq!(read.unwrap(), Some(nested(500)));
}

/// 20,000 entries, and whatever they share is as long as the text: to look at it for each of them would take minutes.
#[tokio::test]
async fn what_entries_share_is_read_once() {
    const N: usize = 20_000;
    let numbered = |first: usize| {
        let keys: Vec<_> = (0..N).map(|key| format!("{},1", key + first)).collect();
        let names: Vec<_> = (0..N).map(|key| format!("\"k{key}\"")).collect();
        (keys.join(","), names.join(","))
    };
    let repeated = vec!["\"data\":2"; N].join(",");
    let (keys, names) = numbered(3);
    let metadata = format!(r#"[["Map",{keys}],{{{repeated}}},"v",{names}]"#);
    let (keys, names) = numbered(4);
    let spaces = " ".repeat(10 * N);
    let expires = format!(
        r#"[["Map",{keys}],{{"data":2,"expires":3}},"v",{spaces}9007199254740991,{names}]"#
    );
    let same = vec!["3,1"; N].join(",");
    let key = format!(r#"[["Map",{same}],{{"data":2}},"v","{}"]"#, "\\u0041".repeat(2 * N));
    let surrogate = format!(r#"[["Map",{same}],{{"data":2}},"v","{}"]"#, "\\ud800".repeat(2 * N));
    let pairs: Vec<_> = (1..=N).map(|value| format!("{},{value}", N + 1)).collect();
    let values = vec!["{}"; N].join(",");
    let behind = format!(r#"[["Map",{}],{values},"{}"]"#, pairs.join(","), "k".repeat(2 * N));
    let records = [(metadata, N), (expires, N), (key, 1), (surrogate, 0), (behind, 1)];
    for (record, count) in records {
        let (site, id) = site_with(&record).await;
        let session = site.request(id);
        assert_eq!(session.keys().await.unwrap().len(), count);
        assert_eq!(session.get::<String>("absent").await.unwrap(), None);
        session.set("new", "value").unwrap();
        session.finish().await.unwrap();
        assert_eq!(site.read(id, "new").await.as_deref(), Some("value"));
        // Another value in place of one that is there is written in a way of its own.
        let session = site.request(id);
        session.get::<String>("k7").await.unwrap();
        session.set("k7", "other").unwrap();
        session.finish().await.unwrap();
        assert_eq!(site.read(id, "k7").await.as_deref(), Some("other"));
    }
}

/// A thousand entries of some bytes each, and each stands for millions: what one value may take, a thousand would together.
#[tokio::test]
async fn what_entries_share_takes_no_more_memory_for_all_of_them_than_for_one() {
    const N: usize = 1_000;
    let entries: Vec<_> = (0..N).map(|entry| format!("{},{}", entry + 3, entry + 3 + N)).collect();
    let names: Vec<_> = (0..N).map(|entry| format!("\"k{entry}\"")).collect();
    let own: Vec<_> = (0..N).map(|entry| format!(r#"{{"data":{}}}"#, entry + 3 + 2 * N)).collect();
    let lists = vec!["[1]"; N].join(",");
    let shared = format!(r#"[{}],"{}""#, vec!["2"; 4_000].join(","), "x".repeat(1_000));
    let record = format!(
        r#"[["Map",{}],{shared},{},{},{lists}]"#,
        entries.join(","),
        names.join(","),
        own.join(",")
    );
    let (site, id) = site_with(&record).await;
    let session = site.request(id);
    assert!(session.get::<Vec<Vec<String>>>("k999").await.unwrap().is_some());
    let error = session.values().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BeyondLimit, "{error}");
    session.set("other", "1").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap().len(), N + 1);
}
