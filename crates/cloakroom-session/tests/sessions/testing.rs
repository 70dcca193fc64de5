//! The kit for tests of a site says what a request did, by the test's own time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom_session::storage::{
    Driver, DynDriver, ErrorKind as StorageErrorKind, ItemKey, When, conformance,
};
use cloakroom_session::testing::{TestSite, TestStore};
use cloakroom_session::{Config, ErrorKind, Key, Session, SetOptions};

const MINUTE: Duration = Duration::from_secs(60);
const NAME: Key<String> = Key::new("name");

fn name(session: &Session) -> cloakroom_session::Result<()> {
    session.set(NAME, "Ann")
}

#[tokio::test]
async fn a_request_that_did_nothing_changed_nothing() {
    let site = TestSite::new();
    let session = site.session_with(name).await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert!(!committed.was_used() && !committed.was_regenerated() && !committed.was_destroyed());
    assert!(committed.changed().is_empty() && committed.cookie().is_none());
    assert_eq!(site.next(&committed).get(NAME).await.unwrap().as_deref(), Some("Ann"));
}

#[tokio::test]
async fn what_was_set_changed_and_deleted_is_told() {
    let site = TestSite::new();
    let fill = |session: &Session| {
        name(session)?;
        session.set("old", &1)?;
        session.set("same", &1)
    };
    let session = site.session_with(fill).await.unwrap();
    session.set(NAME, "Bob").unwrap();
    session.set("same", &1).unwrap();
    session.set("new", &1).unwrap();
    session.delete("old");
    let committed = site.commit(&session).await.unwrap();
    let mut changed = committed.changed().to_vec();
    changed.sort();
    assert_eq!(changed, ["name", "new", "old"]);
}

#[tokio::test]
async fn a_first_write_hands_out_a_cookie() {
    let site = TestSite::new();
    let session = site.session();
    name(&session).unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert!(committed.cookie().unwrap().starts_with("astro-session="));
    assert_eq!(committed.id(), session.id());
    assert!(!committed.was_regenerated(), "there was none before");
}

#[tokio::test]
async fn a_login_regenerates_and_a_logout_destroys() {
    let site = TestSite::new();
    let session = site.session_with(name).await.unwrap();
    session.regenerate().await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert!(committed.was_regenerated() && committed.changed().is_empty());

    let session = site.next(&committed);
    session.destroy();
    let committed = site.commit(&session).await.unwrap();
    assert!(committed.was_destroyed());
    assert_eq!(committed.changed(), ["name"]);
    assert_eq!(site.next(&committed).get(NAME).await.unwrap(), None);
}

#[tokio::test]
async fn sessions_and_entries_end_when_the_test_says_so() {
    let mut config = Config::new("memory");
    config.idle = Some(10 * MINUTE);
    config.absolute = Some(25 * MINUTE);
    config.touch_interval = Some(Duration::ZERO);
    let site = TestSite::with(config);
    let fill = |session: &Session| {
        session.set_with("code", &1234, SetOptions::new().ttl(MINUTE))?;
        name(session)
    };
    let mut session = site.session_with(fill).await.unwrap();
    site.advance(MINUTE + Duration::from_secs(1));
    assert!(!session.has("code").await.unwrap() && session.has(NAME).await.unwrap());
    // Each use moves the idle deadline, and none the absolute one.
    for _ in 0..2 {
        let committed = site.commit(&session).await.unwrap();
        site.advance(9 * MINUTE);
        session = site.next(&committed);
        assert!(session.has(NAME).await.unwrap());
    }
    let committed = site.commit(&session).await.unwrap();
    site.advance(6 * MINUTE);
    assert!(!site.next(&committed).has(NAME).await.unwrap());
}

#[tokio::test]
async fn a_store_that_is_down_fails_and_comes_back() {
    let site = TestSite::new();
    let session = site.session_with(name).await.unwrap();
    site.store_down(true);
    assert_eq!(session.get(NAME).await.unwrap_err().kind(), ErrorKind::Unavailable);
    site.store_down(false);
    assert_eq!(session.get(NAME).await.unwrap().as_deref(), Some("Ann"));

    session.set(NAME, "Bob").unwrap();
    site.store().fail_writes(Some(StorageErrorKind::Unavailable));
    let error = site.commit(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_update_survives_an_answer_that_was_lost() {
    let site = TestSite::new();
    let session = site.session_with(name).await.unwrap();
    site.store().lose_next_answer();
    let error = session.update("visits", |visits: &mut u32| *visits += 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let committed = site.commit(&session).await.unwrap();
    assert_eq!(site.next(&committed).get::<u32>("visits").await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_browser_goes_on_with_its_cookie_where_a_commit_failed() {
    let site = TestSite::new();
    let session = site.session_with(name).await.unwrap();
    session.regenerate().await.unwrap();
    session.set(NAME, "Bob").unwrap();
    site.store().fail_writes(Some(StorageErrorKind::Unavailable));
    assert!(site.commit(&session).await.is_err());
    site.store().fail_writes(None);
    assert_eq!(site.again(&session).get(NAME).await.unwrap().as_deref(), Some("Ann"));

    let visitor = site.session();
    name(&visitor).unwrap();
    assert!(!site.again(&visitor).has(NAME).await.unwrap(), "it had no cookie");
}

#[tokio::test]
async fn writes_wait_and_are_let_go_in_any_order() {
    let site = TestSite::new();
    let [ann, bob] = [site.session(), site.session()];
    name(&ann).unwrap();
    name(&bob).unwrap();
    drop(site.store().hold_next_write());
    let [first, second] = [(), ()].map(|()| site.store().hold_next_write());
    let done = Mutex::new(Vec::new());
    let commit = async |session: &Session, name| {
        site.commit(session).await.unwrap();
        done.lock().unwrap().push(name);
    };
    tokio::join!(commit(&ann, "Ann"), commit(&bob, "Bob"), async {
        first.arrived().await;
        second.arrived().await;
        assert_eq!(site.store().calls(), 0, "neither has got there");
        drop(second);
        while done.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(first);
    });
    assert_eq!(*done.lock().unwrap(), ["Bob", "Ann"]);
}

#[tokio::test]
async fn who_looks_at_the_items_is_not_disturbed() {
    let site = TestSite::new();
    let key = ItemKey::new("key").unwrap();
    let store = site.store();
    store.fail(Some(StorageErrorKind::Unavailable));
    store.lose_next_answer();
    let held = store.hold_next_write();
    let items = store.undisturbed();
    let _ = items.set(&key, "value".into(), When::Always, None).await.unwrap();
    assert_eq!(store.calls(), 0);
    store.fail(None);
    assert_eq!(store.get(&key).await.unwrap().unwrap().value, "value");
    assert_eq!(store.calls(), 1);
    drop(held);
    assert!(store.remove(&key, When::Always).await.is_err(), "the answer is lost");
    assert!(items.get(&key).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_store_obeys_the_rules() {
    let store: DynDriver = Arc::new(TestStore::new());
    assert!(conformance::run(|| async { store.clone() }).await > 20);
}
