//! The session object, method by method, as Astro documents it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::{Site, with_ttl};
use cloakroom_session::adapter::Commit;
use cloakroom_session::devalue::Value;
use cloakroom_session::{Config, ErrorKind, Key, SessionId, SetOptions};

#[tokio::test]
async fn get_returns_what_set_stored_in_an_earlier_request() {
    let site = Site::new().await;
    let id = site.stored(&[("theme", "dark")]).await;
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
    assert_eq!(site.read(id, "other").await, None);
}

#[tokio::test]
async fn set_is_seen_at_once_and_saved_only_at_the_end() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("theme", "dark").unwrap();
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));
    assert!(site.calls().is_empty(), "nothing was written or read yet");
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["set"], "a new session is one write and no read");
}

#[tokio::test]
async fn the_stored_bytes_are_astros() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("cart", &["apple", "pear"]).unwrap();
    session.finish().await.unwrap();
    assert_eq!(
        site.raw(session.id().unwrap()).await.unwrap(),
        r#"[["Map",1,2],"cart",{"data":3,"expires":-1},[4,5],"apple","pear"]"#
    );
}

#[tokio::test]
async fn a_typed_key_names_its_value() {
    const VISITS: Key<u32> = Key::new("visits");
    let site = Site::new().await;
    let session = site.visitor();
    session.set(VISITS, &3).unwrap();
    assert_eq!(session.get(VISITS).await.unwrap(), Some(3));
    assert_eq!(session.get(&VISITS).await.unwrap(), Some(3));
}

#[tokio::test]
async fn has_sees_a_key_whose_value_is_undefined() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("nothing", &Value::Undefined).unwrap();
    session.finish().await.unwrap();
    let session = site.request(session.id().unwrap());
    assert!(session.has("nothing").await.unwrap());
    assert!(!session.has("other").await.unwrap());
}

#[tokio::test]
async fn keys_values_and_entries_come_in_map_order_with_this_requests_changes() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1"), ("b", "2"), ("c", "3")]).await;
    let session = site.request(id);
    assert_eq!(session.keys().await.unwrap(), ["a", "b", "c"]);
    session.set("d", "4").unwrap();
    session.set("b", "two").unwrap();
    session.delete("a");
    session.delete("c");
    session.set("c", "three").unwrap();
    assert_eq!(session.keys().await.unwrap(), ["b", "d", "c"]);
    let text = |value: &str| Value::from(value);
    assert_eq!(session.values().await.unwrap(), [text("two"), text("4"), text("three")]);
    session.finish().await.unwrap();
    let entries = site.request(id).entries().await.unwrap();
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["b", "d", "c"], "the saved order is the order that was seen");
}

#[tokio::test]
async fn what_is_set_before_the_load_comes_first_as_astro_merges_what_it_loads() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1"), ("b", "2")]).await;
    let session = site.request(id);
    session.set("c", "3").unwrap();
    session.set("b", "two").unwrap();
    assert_eq!(session.keys().await.unwrap(), ["c", "b", "a"]);
    session.set("d", "4").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap(), ["c", "b", "a", "d"]);
}

#[tokio::test]
async fn what_is_set_after_a_read_of_ones_own_stands_where_it_would_after_a_load_though_nothing_was_loaded()
 {
    let site = Site::new().await;
    let id = site.stored(&[("b", "1"), ("a", "2"), ("0", "pear")]).await;
    let session = site.request(id);
    session.set("d", "4").unwrap();
    session.delete("a");
    assert_eq!(session.get::<String>("d").await.unwrap().as_deref(), Some("4"));
    session.set("0", "apple").unwrap();
    session.set("e", "5").unwrap();
    session.set("a", "again").unwrap();
    assert!(site.calls().is_empty(), "what the request has set itself is known without the store");
    assert_eq!(session.keys().await.unwrap(), ["d", "b", "0", "e", "a"]);
    session.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap(), ["d", "b", "0", "e", "a"]);
}

#[tokio::test]
async fn a_read_before_destroy_does_not_place_what_comes_after_it() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1"), ("b", "2")]).await;
    let other = site.stored(&[("a", "1"), ("b", "2")]).await;
    let session = site.request(id);
    session.delete("a");
    assert!(!session.has("a").await.unwrap());
    session.destroy();
    session.load(&other.to_string()).await.unwrap();
    session.set("b", "two").unwrap();
    assert_eq!(session.keys().await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn a_stored_value_is_a_snapshot() {
    let site = Site::new().await;
    let session = site.visitor();
    let mut cart = vec!["scarf"];
    session.set("cart", &cart).unwrap();
    cart.push("hat");
    assert_eq!(session.get::<Vec<String>>("cart").await.unwrap().unwrap(), ["scarf"]);
}

#[tokio::test]
async fn an_empty_key_and_an_unserialisable_value_fail_where_the_mistake_is() {
    let site = Site::new().await;
    let session = site.visitor();
    assert_eq!(session.set("", "x").unwrap_err().kind(), ErrorKind::EmptyKey);
    let poison = BTreeMap::from([("__proto__", 1)]);
    let error = session.set("settings", &poison).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSerializable);
    assert!(error.to_string().contains("\"settings\""), "{error}");
    assert_eq!(session.finish().await.unwrap().set_cookie, None, "nothing was set");
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_that_names_the_key_and_keeps_the_value() {
    let site = Site::new().await;
    let id = site.stored(&[("cart", "not a list")]).await;
    let session = site.request(id);
    let error = session.get::<Vec<String>>("cart").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert!(error.to_string().contains("\"cart\""), "{error}");
    assert_eq!(site.read(id, "cart").await.as_deref(), Some("not a list"));
}

#[tokio::test]
async fn what_was_set_before_a_session_turned_out_to_be_gone_can_be_deleted() {
    let site = Site::new().await;
    let id = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    let session = site.request(id);
    session.set("cart", &1_u8).unwrap();
    assert_eq!(session.get::<u8>("user").await.unwrap(), None);
    assert_eq!(session.take::<u8>("cart").await.unwrap(), Some(1));
    assert!(!session.has("cart").await.unwrap());
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_session_begun_after_destroy_that_got_nothing_leaves_no_cookie() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("cart", &1_u8).unwrap();
    session.finish().await.unwrap();
    let session = site.request(session.id().unwrap());
    session.destroy();
    session.set("user", &1_u8).unwrap();
    session.delete("user");
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    assert!(cookie.starts_with("astro-session=deleted;"), "{cookie}");
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn take_returns_a_value_once() {
    let site = Site::new().await;
    let id = site.stored(&[("flash", "saved")]).await;
    let session = site.request(id);
    assert_eq!(session.take::<String>("flash").await.unwrap().as_deref(), Some("saved"));
    assert_eq!(session.take::<String>("flash").await.unwrap(), None);
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "flash").await, None);
}

#[tokio::test]
async fn the_id_is_known_once_something_resolved_it() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    assert_eq!(session.id(), None);
    session.get::<String>("a").await.unwrap();
    assert_eq!(session.id(), Some(id));
    let visitor = site.visitor();
    visitor.set("a", "1").unwrap();
    assert!(visitor.id().is_some(), "the first write generates it");
}

#[tokio::test]
async fn regenerate_keeps_the_data_under_a_new_id_and_the_old_one_is_dead() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    let finished = session.finish().await.unwrap();
    let new = session.id().unwrap();
    assert_ne!(new, old);
    assert!(finished.set_cookie.unwrap().starts_with(&format!("astro-session={new};")));
    assert_eq!(site.read(new, "cart").await.as_deref(), Some("scarf"));
    assert_eq!(site.read(new, "user").await.as_deref(), Some("Ann"));
    assert_eq!(site.raw(old).await, None);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn regenerate_alone_persists_and_twice_leaves_one_record() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    session.regenerate().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.read(session.id().unwrap(), "cart").await.as_deref(), Some("scarf"));
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn regenerate_without_a_session_creates_one_as_astro_does() {
    let site = Site::new().await;
    let session = site.visitor();
    session.regenerate().await.unwrap();
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    assert_eq!(site.raw(session.id().unwrap()).await.as_deref(), Some(r#"[["Map"]]"#));
}

#[tokio::test]
async fn destroy_removes_the_record_and_the_cookie_without_loading() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.destroy();
    assert_eq!(session.get::<String>("user").await.unwrap(), None);
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    assert!(
        cookie.starts_with("astro-session=deleted; Path=/; Expires=Thu, 01 Jan 1970"),
        "{cookie}"
    );
    assert_eq!(site.calls(), ["get", "retire"], "no tombstone for an ID that somebody made up");
    assert_eq!(site.raw(id).await, None);
}

#[tokio::test]
async fn load_takes_over_a_stored_session_and_refuses_what_is_none() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.visitor();
    assert!(session.load(&id.to_string()).await.unwrap());
    assert_eq!(session.get::<String>("user").await.unwrap().as_deref(), Some("Ann"));
    assert!(session.finish().await.unwrap().set_cookie.unwrap().contains(&id.to_string()));

    let session = site.visitor();
    assert!(!session.load("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").await.unwrap());
    assert_eq!(session.load("../secrets").await.unwrap_err().kind(), ErrorKind::InvalidId);
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
}

#[tokio::test]
async fn an_entry_is_gone_once_its_ttl_has_passed_and_the_others_stay() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set_with("code", "1234", SetOptions::new().ttl(Duration::from_millis(20))).unwrap();
    session.set("theme", "dark").unwrap();
    session.finish().await.unwrap();
    let id = session.id().unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while site.read(id, "code").await.is_some() {
        assert!(std::time::Instant::now() < deadline, "the entry never expired");
        tokio::task::yield_now().await;
    }
    let session = site.request(id);
    assert!(!session.has("code").await.unwrap());
    assert_eq!(session.keys().await.unwrap(), ["theme"]);
}

#[tokio::test]
async fn the_configured_ttl_holds_for_entries_without_their_own() {
    let site = Site::with(with_ttl(Duration::from_secs(60))).await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    session.finish().await.unwrap();
    let text = site.raw(session.id().unwrap()).await.unwrap();
    let expires: f64 = text.trim_end_matches(']').rsplit(',').next().unwrap().parse().unwrap();
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
            as f64;
    assert!((expires - now - 60_000.0).abs() < 5_000.0, "{text}");
}

#[tokio::test]
async fn save_writes_now_and_the_end_of_the_request_does_not_write_again() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    session.save().await.unwrap();
    assert_eq!(site.calls(), ["set"]);
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    assert!(site.calls().is_empty());
}

#[tokio::test]
async fn update_starts_from_the_default_and_returns_what_was_stored() {
    let site = Site::new().await;
    let session = site.visitor();
    let cart =
        session.update("cart", |cart: &mut Vec<String>| cart.push("scarf".into())).await.unwrap();
    assert_eq!(cart, ["scarf"]);
    session.finish().await.unwrap();
    let session = site.request(session.id().unwrap());
    let cart =
        session.update("cart", |cart: &mut Vec<String>| cart.push("hat".into())).await.unwrap();
    assert_eq!(cart, ["scarf", "hat"]);
}

#[tokio::test]
async fn get_or_default_takes_the_keys_own_default_before_that_of_the_type_and_writes_nothing() {
    const VISITS: Key<u32> = Key::new("visits");
    const PAGE_SIZE: Key<u32> = Key::new("pageSize").with_default(|| 20);
    let site = Site::new().await;
    let session = site.visitor();
    assert_eq!(session.get_or_default(VISITS).await.unwrap(), 0);
    assert_eq!(session.get_or_default(PAGE_SIZE).await.unwrap(), 20);
    assert_eq!(session.get_or_default(&PAGE_SIZE).await.unwrap(), 20);
    assert_eq!(session.get_or_default::<u32>("pageSize").await.unwrap(), 0, "a string has none");
    assert_eq!(session.get(PAGE_SIZE).await.unwrap(), None);
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert!(site.calls().is_empty());

    let session = site.visitor();
    session.set(PAGE_SIZE, &50).unwrap();
    assert_eq!(session.get_or_default(PAGE_SIZE).await.unwrap(), 50);
}

#[tokio::test]
async fn a_default_stands_for_what_is_missing_and_not_for_what_is_of_another_type() {
    let site = Site::new().await;
    let id = site.stored(&[("visits", "many")]).await;
    let error = site.request(id).get_or_default::<u32>("visits").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
}

#[tokio::test]
async fn update_starts_from_the_keys_own_default() {
    const PAGE_SIZE: Key<u32> = Key::new("pageSize").with_default(|| 20);
    let site = Site::new().await;
    let session = site.visitor();
    assert_eq!(session.update(PAGE_SIZE, |size| *size += 1).await.unwrap(), 21);
    assert_eq!(session.update(&PAGE_SIZE, |size| *size += 1).await.unwrap(), 22);
    session.delete(PAGE_SIZE.name());
    assert_eq!(session.update(PAGE_SIZE, |size| *size += 1).await.unwrap(), 21);
}

#[tokio::test]
async fn clones_are_the_same_session_and_share_one_load() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1"), ("b", "2")]).await;
    let session = site.request(id);
    let other = session.clone();
    let (a, b) = tokio::join!(session.get::<String>("a"), other.get::<String>("b"));
    assert_eq!((a.unwrap().as_deref(), b.unwrap().as_deref()), (Some("1"), Some("2")));
    assert_eq!(site.calls(), ["get"]);
}

#[tokio::test]
async fn an_oversized_value_is_refused_where_it_is_set_and_nothing_is_lost() {
    let mut config = Config::new("memory");
    config.max_size = 1000;
    let site = Site::with(config).await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    assert_eq!(session.set("b", &"x".repeat(2000)).unwrap_err().kind(), ErrorKind::TooLarge);
    session.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap(), ["a"]);

    let session = site.request(id);
    for key in ["b", "c", "d"] {
        session.set(key, &key.repeat(400)).unwrap();
    }
    assert_eq!(
        session.finish().await.unwrap_err().kind(),
        ErrorKind::TooLarge,
        "the sum counts, too"
    );
    assert_eq!(site.request(id).keys().await.unwrap(), ["a"]);
}
