//! Records that nobody can read any more, where the configuration moves them aside (`corrupt = "quarantine"`).

use std::sync::Arc;
use std::time::Duration;

use crate::common::Site;
use crate::common::log::Log;
use cloakroom_session::adapter::Commit;
use cloakroom_session::storage::{Driver, ItemKey};
use cloakroom_session::{Config, CorruptPolicy, ErrorKind, SessionId, Sessions};

/// What two writes at once leave in a file: the end of the longer one after the shorter one.
const TORN: &str = r#"[["Map",1,2],"user",{"data":3,"expires":-1},"Ann"]s":-1},"a longer name"]"#;
const WHOLE: &str = r#"[["Map",1,2],"user",{"data":3,"expires":-1},"Ann"]"#;
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn quarantine(mut config: Config) -> Config {
    config.corrupt = CorruptPolicy::Quarantine;
    config
}

/// A site with a record that holds this.
async fn site_with(record: &str) -> (Site, SessionId) {
    let site = Site::with(quarantine(Config::new("memory"))).await;
    let id = site.stored(&[("user", "Ann")]).await;
    site.write_raw(id, record).await;
    (site, id)
}

/// What is kept aside of a session, and for how long.
async fn aside(site: &Site, id: SessionId) -> Option<(String, Option<Duration>)> {
    let key = ItemKey::new(&format!("corrupt:{id}")).unwrap();
    let (item, ttl) = site.sessions.driver().get_with_ttl(&key).await.unwrap()?;
    Some((String::from_utf8(item.value.to_vec()).unwrap(), ttl))
}

#[tokio::test(start_paused = true)]
async fn a_torn_record_is_moved_aside_and_its_visitor_begins_anew() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    for torn in [TORN, r#"[["Map",1"#, "[[", ""] {
        let (site, id) = site_with(torn).await;
        let session = site.request(id);
        assert_eq!(session.get::<String>("user").await.unwrap(), None, "{torn}");
        session.set("user", "Eve").unwrap();
        let cookie = session.finish().await.unwrap().set_cookie.unwrap();
        assert!(!cookie.contains(&id.to_string()), "no ID is given again");

        let (kept, ttl) = aside(&site, id).await.unwrap();
        assert_eq!(kept, torn);
        assert!(ttl.is_some_and(|ttl| ttl <= WEEK && ttl > WEEK / 2), "{ttl:?}");
        assert_eq!(site.raw(id).await, None);
        assert_eq!(site.read(session.id().unwrap(), "user").await.as_deref(), Some("Eve"));
        assert!(!log.text().contains(&id.to_string()), "{}", log.text());
    }
    assert_eq!(log.text().matches("was moved aside").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn so_it_is_by_a_request_that_only_writes() {
    let (site, id) = site_with(TORN).await;
    let session = site.request(id);
    session.set("user", "Eve").unwrap();
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    assert_ne!(session.id(), Some(id));
    assert!(aside(&site, id).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_still_being_written_is_waited_for() {
    for pause in [30, 300, 1_200] {
        let (site, id) = site_with(r#"[["Map",1"#).await;
        let writer = site.clone();
        let writes = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            writer.write_raw(id, WHOLE).await;
        });
        assert_eq!(site.read(id, "user").await.as_deref(), Some("Ann"), "{pause} ms");
        writes.await.unwrap();
        assert_eq!(aside(&site, id).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_mended_at_the_last_moment_stays() {
    let (site, id) = site_with(TORN).await;
    site.before_remove(move |site| async move { site.write_raw(id, WHOLE).await });
    assert_eq!(site.read(id, "user").await.as_deref(), Some("Ann"));
    assert_eq!(site.raw(id).await.as_deref(), Some(WHOLE));
}

#[tokio::test(start_paused = true)]
async fn what_no_session_begins_with_stays_where_it_is() {
    // Somebody else's data, or another key's ciphertext: we are the ones who look in the wrong place.
    for other in ["hello", "{}", "[1]", r#"{"cart":["hat"]}"#, "\u{1}\u{2}\u{3}"] {
        let (site, id) = site_with(other).await;
        let error = site.request(id).get::<String>("user").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{other}");
        assert_eq!(site.raw(id).await.as_deref(), Some(other));
        assert_eq!(aside(&site, id).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_destroyed_is_kept_nowhere() {
    let (site, id) = site_with(TORN).await;
    site.log_out(id).await;
    assert_eq!(site.fate(id).await, Some("destroyed"));
    assert_eq!(aside(&site, id).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_had_loaded_the_session_is_told_that_it_is_gone() {
    let site = Site::with(quarantine(Config::new("memory"))).await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.get::<String>("user").await.unwrap();
    site.write_raw(id, TORN).await;
    let error = session.update("hits", |hits: &mut u32| *hits += 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Destroyed);
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert_eq!(site.records().await, 1, "what is aside");
}

#[tokio::test(start_paused = true)]
async fn of_many_requests_at_once_none_fails() {
    let (site, id) = site_with(TORN).await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let site = site.clone();
        requests.spawn(async move { site.read(id, "user").await });
    }
    while let Some(found) = requests.join_next().await {
        assert_eq!(found.unwrap(), None);
    }
    assert_eq!(aside(&site, id).await.unwrap().0, TORN);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_aside_stays_where_it_is() {
    let (site, id) = site_with(TORN).await;
    site.set_fail_writes(true);
    let error = site.request(id).get::<String>("user").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(site.raw(id).await.as_deref(), Some(TORN));
}

#[tokio::test]
async fn a_driver_that_cannot_compare_is_refused() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    let mut config = quarantine(Config::new("memory"));
    config.sweep_interval = None;
    let error = Sessions::with_driver(Arc::new(site.recorder.clone()), &config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("corrupt is \"quarantine\""), "{error}");
}

#[tokio::test]
async fn in_a_folder_it_is_a_file_in_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
    let site = Site::with(quarantine(config)).await;
    let id = site.stored(&[("user", "Ann")]).await;
    let file = folder.path().join(id.to_string());
    std::fs::write(&file, TORN).unwrap();
    assert_eq!(site.read(id, "user").await, None);
    let kept = folder.path().join("corrupt").join(id.to_string());
    assert_eq!(std::fs::read_to_string(kept).unwrap(), TORN);
    assert!(!file.exists());
}
