//! What went wrong in other session libraries and must not here. What goes over the wire is in the
//! behaviours that every framework is held to. In `cloakroom-drivers`: a memory store that never frees
//! (`expired_items_are_freed_by_later_writes_without_a_sweep`), and a deletion task that ends at its first error
//! (`a_sweeper_survives_errors_and_ends_when_dropped`). These have tests elsewhere in this crate:
//!
//! - a write in flight undoes a logout, or moves it to a new ID: `a_logout_between_load_and_write_is_not_undone`
//! - an explicit save saves twice: `save_writes_now_and_the_end_of_the_request_does_not_write_again`
//! - removing an absent key writes: `what_did_not_change_is_not_written`
//! - a client's ID is adopted and echoed: `a_clients_id_is_never_adopted`
//! - a load error becomes an empty session: `an_outage_is_an_error_and_never_an_empty_session`
//! - a `__Host-` cookie is written under one name, read under another, and removed without `Secure`:
//!   `the_host_prefix_is_written_and_read_under_one_name_and_deleted_with_secure`

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::storage::{ItemKey, Timeout, When};
use cloakroom_session::{Config, CookieHeaders, ErrorKind, Sessions, SetOptions};
use http::HeaderValue;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_concurrent_increments_are_sixty_four() {
    let site = Site::new().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let mut requests = JoinSet::new();
    for _ in 0..64 {
        let site = site.clone();
        requests.spawn(async move {
            let session = site.request(id);
            session.update("count", |count: &mut u32| *count += 1).await.unwrap();
            session.finish().await.unwrap();
        });
    }
    while let Some(outcome) = requests.join_next().await {
        outcome.unwrap();
    }
    assert_eq!(site.request(id).get::<u32>("count").await.unwrap(), Some(64));
}

#[tokio::test]
async fn a_write_that_a_regenerate_overtakes_leaves_the_old_id_dead() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    site.before_set(move |site| async move {
        let login = site.request(old);
        login.regenerate().await.unwrap();
        login.finish().await.unwrap();
    });
    let session = site.request(old);
    session.set("lastVisit", "now").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.raw(old).await, None);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn update_persists() {
    let site = Site::new().await;
    let id = site.stored(&[("count", "0")]).await;
    let session = site.request(id);
    session.update("count", |count: &mut String| count.push('1')).await.unwrap();
    assert_eq!(site.read(id, "count").await.as_deref(), Some("01"), "even before the request ends");
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "count").await.as_deref(), Some("01"));
}

#[tokio::test]
async fn a_late_save_of_a_session_that_expired_or_was_removed_does_not_create_another() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.get::<String>("user").await.unwrap();
    let key = ItemKey::new(&id.to_string()).unwrap();
    let _ = site.sessions.driver().remove(&key, When::Always).await.unwrap();
    session.set("user", "Bob").unwrap();
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Destroyed);
    session.finish().await.unwrap();
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn every_store_is_swept_the_second_in_a_process_too() {
    let ttl = SetOptions::new().ttl(Duration::from_millis(1));
    let mut stores = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
        config.sweep_interval = Some(Duration::from_millis(1));
        let sessions = Sessions::from_config(config).await.unwrap();
        let session = sessions.session(CookieHeaders::default());
        session.set_with("code", "1234", ttl).unwrap();
        session.finish().await.unwrap();
        let file = folder.path().join(session.id().unwrap().to_string());
        stores.push((file, sessions, folder));
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while stores.iter().any(|(file, ..)| file.exists()) {
        assert!(Instant::now() < deadline, "an expired record was never removed");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_store_that_hangs_is_unavailable_after_the_deadline() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let hanging = Timeout::new(site.recorder.clone(), Duration::from_millis(20));
    let sessions = Sessions::with_driver(Arc::new(hanging), &Config::new("memory")).unwrap();
    site.before_set(|_| std::future::pending());
    let session = sessions.session(HeaderValue::try_from(format!("astro-session={id}")).unwrap());
    session.set("a", "2").unwrap();
    let error = session.finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
}
