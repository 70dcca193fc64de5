//! The index of a principal's sessions: what is in the store, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_session::adapter::Commit;
use cloakroom_session::drivers::memory::Memory;
use cloakroom_session::storage::{Driver as _, DynDriver, ItemKey, When};
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, CookieHeaders, ErrorKind, IndexSecret, Sessions};
use futures_util::TryStreamExt as _;

use crate::common::Site;
use crate::principals::browser;

/// Its tombstone is gone when the record is written at last.
#[tokio::test]
async fn a_sign_in_that_took_long_is_looked_at_once_more_before_anybody_is_told() {
    for is_ended in [true, false] {
        let site = TestSite::new();
        let session = site.session();
        session.sign_in("ann").await.unwrap();
        if is_ended {
            assert_eq!(site.sessions().of("ann").revoke_all().await.unwrap(), 1);
        }
        // Another process ended it, which this one does not remember.
        site.advance(Duration::from_secs(200));
        let other = site.clone();
        match session.finish().await {
            Ok(finished) => assert!(!is_ended && finished.set_cookie.is_some()),
            Err(error) => assert!(is_ended && error.is_destroyed(), "{error}"),
        }
        assert_eq!(other.sessions().of("ann").count().await.unwrap(), usize::from(!is_ended));
    }
}

#[tokio::test]
async fn where_there_are_no_tombstones_every_sign_in_is_looked_at_once_more() {
    let site = Site::that_cannot_expire(Config::new("memory")).await.unwrap();
    let session = site.visitor();
    session.set("browser", "Firefox").unwrap();
    session.sign_in("ann").await.unwrap();
    // Another process, of which this one remembers nothing.
    let elsewhere = Sessions::with_driver(site.store(), &Config::new("memory")).unwrap();
    assert_eq!(elsewhere.of("ann").revoke_all().await.unwrap(), 1);
    assert!(session.finish().await.unwrap_err().is_destroyed());
    assert_eq!(site.sessions.of("ann").count().await.unwrap(), 0);
    assert_eq!(site.records().await, 0);

    let session = site.visitor();
    session.sign_in("ann").await.unwrap();
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    assert_eq!(elsewhere.of("ann").count().await.unwrap(), 1);
}

#[tokio::test]
async fn the_name_of_an_index_shows_no_principal_and_with_a_secret_cannot_be_guessed() {
    let name = async |config: Config| {
        let site = TestSite::with(config);
        browser(&site, "Firefox", "ann@example.com").await;
        let keys: Vec<ItemKey> =
            site.store().undisturbed().keys("principal:").try_collect().await.unwrap();
        keys[0].as_str().to_owned()
    };
    let plain = name(Config::new("memory")).await;
    assert!(!plain.contains("ann"), "{plain}");
    let mut config = Config::new("memory");
    config.index_secret = Some(IndexSecret::new("sixteen bytes or more").unwrap());
    assert!(!format!("{config:?}").contains("sixteen"));
    let keyed = name(config.clone()).await;
    assert_eq!(keyed, name(config).await);
    assert_ne!(keyed, plain);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_an_error_and_stays_as_it_is() {
    let site = TestSite::new();
    let committed = browser(&site, "Firefox", "ann").await;
    let store = site.store().undisturbed();
    let keys: Vec<ItemKey> = store.keys("principal:").try_collect().await.unwrap();
    _ = store.set(&keys[0], "{".into(), When::Always, None).await.unwrap();
    let anns = site.sessions().of("ann");
    assert_eq!(anns.list().await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(anns.revoke_all().await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(site.session().sign_in("ann").await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(store.get(&keys[0]).await.unwrap().unwrap().value, "{");
    // Who is signed in goes on.
    let session = site.next(&committed);
    assert_eq!(session.principal().await.unwrap().as_deref(), Some("ann"));
    session.set("visits", &1).unwrap();
    site.commit(&session).await.unwrap();
}

#[tokio::test]
async fn an_end_that_was_begun_is_finished_by_whoever_comes_next() {
    let site = TestSite::new();
    let committed = browser(&site, "Firefox", "ann").await;
    let held = site.store().hold_next_write();
    let anns = site.sessions().of("ann");
    // The mark is written, and whoever wrote it dies before the record goes.
    drop(held);
    let second = site.store().hold_next_write();
    let third = site.store().hold_next_write();
    let task = tokio::spawn(async move { anns.revoke_all().await });
    second.arrived().await;
    drop(second);
    third.arrived().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    drop(third);
    assert_eq!(site.next(&committed).principal().await.unwrap().as_deref(), Some("ann"));
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
    assert_eq!(site.next(&committed).principal().await.unwrap(), None);
}

#[tokio::test]
async fn many_sessions_take_many_pages_and_end_all_the_same() {
    let memory: DynDriver = Arc::new(Memory::new());
    let sessions = Sessions::with_driver(Arc::clone(&memory), &Config::new("memory")).unwrap();
    for _ in 0..300 {
        let session = sessions.session(CookieHeaders::default());
        session.sign_in("ann").await.unwrap();
        session.finish().await.unwrap();
    }
    let pages: Vec<ItemKey> = memory.keys("principal:").try_collect().await.unwrap();
    assert_eq!(pages.len(), 3);
    let anns = sessions.of("ann");
    let listed = anns.list().await.unwrap();
    assert_eq!(listed.len(), 300);
    assert!(anns.revoke(listed[150].handle()).await.unwrap());
    assert_eq!(anns.revoke_all().await.unwrap(), 299);
    assert_eq!(anns.count().await.unwrap(), 0);

    // A limit that comes later.
    for _ in 0..200 {
        let session = sessions.session(CookieHeaders::default());
        session.sign_in("bob").await.unwrap();
        session.finish().await.unwrap();
    }
    let mut config = Config::new("memory");
    config.max_sessions = Some(2);
    let limited = Sessions::with_driver(memory, &config).unwrap();
    let session = limited.session(CookieHeaders::default());
    session.sign_in("bob").await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(limited.of("bob").count().await.unwrap(), 2);
}

/// A request that was on its way may take the tombstone for its session, and move its deadline.
#[tokio::test]
async fn a_tombstone_that_the_store_keeps_too_long_is_in_nobodys_way() {
    let site = TestSite::new();
    let committed = browser(&site, "Firefox", "ann").await;
    let key = ItemKey::new(&committed.id().unwrap().to_string()).unwrap();
    let leave = site.next(&committed);
    leave.sign_out();
    site.commit(&leave).await.unwrap();
    let store = site.store().undisturbed();
    assert!(store.touch(&key, Some(Duration::from_secs(24 * 3600))).await.unwrap());
    site.advance(Duration::from_secs(300));
    browser(&site, "Chromium", "ann").await;
    let anns = site.sessions().of("ann");
    assert_eq!(anns.count().await.unwrap(), 1);
    anns.revoke_all().await.unwrap();
    assert_eq!(anns.count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_saved_in_the_middle_of_a_slow_sign_in_is_looked_at_once_more_too() {
    let site = TestSite::new();
    let session = site.session();
    session.sign_in("ann").await.unwrap();
    site.sessions().of("ann").revoke_all().await.unwrap();
    site.advance(Duration::from_secs(200));
    assert!(session.save().await.unwrap_err().is_destroyed());
    // The handler tells somebody, and its request is given up.
    let id = session.id().unwrap();
    drop(session);
    tokio::task::yield_now().await;
    let key = ItemKey::new(&id.to_string()).unwrap();
    let store = site.store().undisturbed();
    while store.get(&key).await.unwrap().is_some_and(|item| item.value.starts_with(b"[")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
}
