//! What Astro does badly, each flaw with the test that shows its absence. Torn files (the first flaw) are the
//! file driver's matter and tested there.

use std::time::Duration;

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, CookieHeaders, ErrorKind, Sessions, SetOptions};

const FORGED: &str = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";

#[tokio::test]
async fn last_write_wins_on_the_whole_record_no_more_two_requests_that_change_different_keys_both_win()
 {
    let site = Site::new().await;
    let id = site.stored(&[("a", "old"), ("b", "old")]).await;
    let (first, second) = (site.request(id), site.request(id));
    first.get::<String>("a").await.unwrap();
    second.get::<String>("b").await.unwrap();
    first.set("a", "new").unwrap();
    second.set("b", "new").unwrap();
    first.finish().await.unwrap();
    second.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("new"));
    assert_eq!(site.read(id, "b").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn delete_then_set_before_the_load_keeps_what_was_set() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "old"), ("b", "kept")]).await;
    let session = site.request(id);
    session.delete("a");
    session.set("a", "new").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("new"));
    assert_eq!(site.read(id, "b").await.as_deref(), Some("kept"));
}

#[tokio::test]
async fn delete_before_the_load_survives_the_load() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1"), ("b", "2")]).await;
    let session = site.request(id);
    session.delete("a");
    assert_eq!(session.get::<String>("a").await.unwrap(), None);
    assert_eq!(session.keys().await.unwrap(), ["b"]);
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await, None);
}

#[tokio::test]
async fn set_destroy_set_leaves_only_the_new_session_and_its_cookie() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "old")]).await;
    let session = site.request(id);
    session.set("a", "lost").unwrap();
    session.destroy();
    session.set("b", "new").unwrap();
    let finished = session.finish().await.unwrap();
    let new = session.id().unwrap();
    assert_ne!(new, id);
    assert!(finished.set_cookie.unwrap().contains(&new.to_string()));
    assert_eq!(site.raw(id).await, None);
    assert_eq!(site.request(new).keys().await.unwrap(), ["b"]);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn set_and_destroy_without_a_cookie_leave_nothing_at_all() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    session.destroy();
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert!(site.calls().is_empty());
}

#[tokio::test]
async fn delete_without_a_cookie_writes_no_orphan() {
    let site = Site::new().await;
    let session = site.visitor();
    session.delete("a");
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert!(site.calls().is_empty());
}

#[tokio::test]
async fn delete_with_a_stale_cookie_writes_no_orphan() {
    let site = Site::new().await;
    let session = site.request(FORGED);
    session.delete("a");
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert_eq!(site.calls(), ["get"]);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn an_unparseable_record_is_reported_and_kept() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    for broken in ["[[\"Map\",1", "hello", "{}", "[1]", "[[\"Map\",1,9]]"] {
        site.write_raw(id, broken).await;
        let session = site.request(id);
        assert_eq!(
            session.get::<String>("a").await.unwrap_err().kind(),
            ErrorKind::Corrupt,
            "{broken}"
        );
        session.set("b", "2").unwrap();
        assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Corrupt, "{broken}");
        assert_eq!(site.raw(id).await.as_deref(), Some(broken), "the bytes are kept");
    }
}

#[tokio::test]
async fn an_invalid_cookie_name_is_an_error_before_anything_is_saved() {
    let mut config = Config::new("memory");
    config.cookie.name = "a b".into();
    let error = Sessions::from_config(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[tokio::test]
async fn set_after_the_response_started_is_an_error_and_not_silent() {
    let site = Site::new().await;
    let session = site.visitor();
    session.finish().await.unwrap();
    assert_eq!(session.set("a", "1").unwrap_err().kind(), ErrorKind::ResponseStarted);
    assert_eq!(session.regenerate().await.unwrap_err().kind(), ErrorKind::ResponseStarted);
    let update = session.update("a", |value: &mut u32| *value += 1).await;
    assert_eq!(update.unwrap_err().kind(), ErrorKind::ResponseStarted);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn set_after_the_response_started_is_saved_where_the_session_exists() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.get::<String>("a").await.unwrap();
    session.finish().await.unwrap();
    session.set("a", "2").unwrap();
    assert!(session.is_changed());
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn the_store_is_told_when_the_last_entry_expires() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set_with("short", "1", SetOptions::new().ttl(Duration::from_secs(10))).unwrap();
    session.set_with("long", "2", SetOptions::new().ttl(Duration::from_secs(100))).unwrap();
    session.finish().await.unwrap();
    let ttl = site.last_ttl().expect("every entry expires, so the record does");
    assert!((99.0..=101.0).contains(&ttl.as_secs_f64()), "{ttl:?}");

    let session = site.request(session.id().unwrap());
    session.set("endless", "3").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.last_ttl(), None, "an entry without expiry keeps its record");
}

#[tokio::test]
async fn a_new_sessions_first_write_reads_nothing_and_a_stale_cookie_is_asked_about_once() {
    let site = Site::new().await;
    let visitor = site.visitor();
    visitor.get::<String>("a").await.unwrap();
    visitor.set("a", "1").unwrap();
    visitor.finish().await.unwrap();
    assert_eq!(site.calls(), ["set"]);

    let stale = site.request(FORGED);
    for key in ["a", "b", "c"] {
        stale.get::<String>(key).await.unwrap();
    }
    assert!(!stale.has("a").await.unwrap());
    stale.finish().await.unwrap();
    assert_eq!(site.calls(), ["get"]);
}

#[tokio::test]
async fn what_did_not_change_is_not_written() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.set("a", "1").unwrap();
    session.delete("absent");
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get"]);
}

#[tokio::test]
async fn regenerate_writes_the_new_record_before_the_old_one_goes() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.regenerate().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get", "set", "retire"]);
}

#[tokio::test]
async fn a_regenerate_whose_write_fails_leaves_the_old_session() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.regenerate().await.unwrap();
    site.set_fail_writes(true);
    assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Unavailable);
    site.set_fail_writes(false);
    assert_eq!(site.read(id, "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_clients_id_is_never_adopted() {
    let site = Site::new().await;
    let session = site.request(FORGED);
    session.set("a", "1").unwrap();
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    assert!(!cookie.contains(FORGED));
    assert_ne!(session.id().unwrap().to_string(), FORGED);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn malformed_ids_never_reach_the_store() {
    let site = Site::new().await;
    for cookie in [
        "astro-session=../../etc/passwd",
        "astro-session=",
        "astro-session=%00",
        "astro-session=0e7d2a53-6d0f-1a52-9d0e-2f8a4f1f6b11",
    ] {
        let session = site.with_cookie(cookie);
        assert_eq!(session.get::<String>("a").await.unwrap(), None);
        session.delete("a");
        session.destroy();
        session.finish().await.unwrap();
        assert!(site.calls().is_empty(), "{cookie}");
    }
}

#[tokio::test]
async fn an_untouched_session_does_no_io_and_sends_no_cookie() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    let finished = session.finish().await.unwrap();
    assert_eq!((finished.set_cookie, finished.used), (None, false));
    assert!(site.calls().is_empty());
}

#[tokio::test]
async fn reading_sends_no_cookie_and_writes_nothing() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.get::<String>("a").await.unwrap();
    session.keys().await.unwrap();
    let finished = session.finish().await.unwrap();
    assert_eq!((finished.set_cookie, finished.used), (None, true));
    assert_eq!(site.calls(), ["get"]);
}

#[tokio::test]
async fn an_outage_is_an_error_and_never_an_empty_session() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    site.set_down(true);
    let session = site.request(id);
    let error = session.get::<String>("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
    session.set("a", "2").unwrap();
    assert!(session.finish().await.is_err(), "a failed commit sends no cookie");
    site.set_down(false);
    assert_eq!(site.read(id, "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_session_whose_entries_have_all_expired_is_removed_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
    config.sweep_interval = Some(Duration::from_millis(10));
    let sessions = Sessions::from_config(config).await.unwrap();
    let save = async |ttl| {
        let session = sessions.session(CookieHeaders::default());
        session.set_with("code", "1234", SetOptions::new().ttl(ttl)).unwrap();
        session.finish().await.unwrap();
        folder.path().join(session.id().unwrap().to_string())
    };
    let kept = save(Duration::from_secs(3600)).await;
    let expired = save(Duration::from_millis(50)).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while expired.exists() {
        assert!(std::time::Instant::now() < deadline, "nothing removed the record");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(kept.exists());
}
