//! Sessions that outlive the browser's window, because their user asked for it.

use std::time::Duration;

use cloakroom_session::testing::{Committed, TestSite};
use cloakroom_session::{Config, ErrorKind, Session};

const HOUR: Duration = Duration::from_secs(60 * 60);
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new("memory");
    config.idle = Some(2 * HOUR);
    config.remember = Some(MONTH);
    change(&mut config);
    config
}

fn site() -> TestSite {
    TestSite::with(config(|_| {}))
}

/// A visitor who logs in.
async fn log_in(site: &TestSite, remember: bool) -> Committed {
    let session = site.session();
    session.regenerate().await.unwrap();
    session.set("user", "ann").unwrap();
    session.remember(remember).unwrap();
    site.commit(&session).await.unwrap()
}

async fn user(session: &Session) -> Option<String> {
    session.get("user").await.unwrap()
}

/// The cookie's `Max-Age`, in seconds.
fn max_age(committed: &Committed) -> Option<u64> {
    let (_, after) = committed.cookie()?.split_once("; Max-Age=")?;
    after.split(';').next()?.parse().ok()
}

#[tokio::test]
async fn a_remembered_session_and_its_cookie_live_for_longer_than_others() {
    let site = site();
    let (remembered, other) = (log_in(&site, true).await, log_in(&site, false).await);
    assert_eq!(max_age(&remembered), Some(MONTH.as_secs()));
    assert!(other.cookie().is_some_and(|cookie| !cookie.contains("Max-Age")));
    site.advance(3 * HOUR);
    assert_eq!(user(&site.next(&remembered)).await.as_deref(), Some("ann"));
    assert_eq!(user(&site.next(&other)).await, None);
    site.advance(MONTH);
    assert_eq!(user(&site.next(&remembered)).await, None);
}

#[tokio::test]
async fn each_use_prolongs_a_remembered_session_and_its_cookie() {
    let site = site();
    let mut committed = log_in(&site, true).await;
    for _ in 0..3 {
        site.advance(MONTH - HOUR);
        let session = site.next(&committed);
        assert!(user(&session).await.is_some());
        let used = site.commit(&session).await.unwrap();
        assert_eq!(max_age(&used), Some(MONTH.as_secs()), "{:?}", used.cookie());
        committed = used;
    }
}

#[tokio::test]
async fn a_session_that_is_not_remembered_is_renewed_without_a_cookie() {
    let site = site();
    let mut committed = log_in(&site, false).await;
    for _ in 0..3 {
        site.advance(HOUR);
        let session = site.next(&committed);
        assert!(user(&session).await.is_some());
        committed = site.commit(&session).await.unwrap();
        assert_eq!(committed.cookie(), None);
    }
}

#[tokio::test]
async fn a_session_stays_remembered_whatever_is_set_and_across_regenerate() {
    let site = site();
    let committed = log_in(&site, true).await;
    let session = site.next(&committed);
    session.set("theme", "dark").unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert_eq!(max_age(&committed), Some(MONTH.as_secs()));
    let session = site.next(&committed);
    session.regenerate().await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert_eq!(max_age(&committed), Some(MONTH.as_secs()));
    site.advance(MONTH - HOUR);
    assert!(user(&site.next(&committed)).await.is_some());
}

#[tokio::test]
async fn a_session_can_be_forgotten_again_and_its_cookie_ends_with_the_browser() {
    let site = site();
    let session = site.next(&log_in(&site, true).await);
    session.remember(false).unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert!(committed.cookie().is_some_and(|cookie| !cookie.contains("Max-Age")));
    site.advance(3 * HOUR);
    assert_eq!(user(&site.next(&committed)).await, None);
}

#[tokio::test]
async fn no_session_is_remembered_after_its_end_by_absolute() {
    let site = TestSite::with(config(|config| config.absolute = Some(24 * HOUR)));
    let committed = log_in(&site, true).await;
    assert_eq!(max_age(&committed), Some(24 * 60 * 60));
    site.advance(23 * HOUR);
    assert!(user(&site.next(&committed)).await.is_some());
    site.advance(2 * HOUR);
    assert_eq!(user(&site.next(&committed)).await, None);
}

#[tokio::test]
async fn what_begins_after_destroy_is_not_remembered() {
    let site = site();
    let session = site.next(&log_in(&site, true).await);
    session.destroy();
    session.set("theme", "dark").unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert!(committed.cookie().is_some_and(|cookie| !cookie.contains("Max-Age")));
    site.advance(3 * HOUR);
    assert!(!site.next(&committed).has("theme").await.unwrap());
}

#[tokio::test]
async fn the_note_of_it_is_nobodys_entry() {
    let site = site();
    let session = site.next(&log_in(&site, true).await);
    assert_eq!(session.keys().await.unwrap(), ["user"]);
    assert!(!session.has("cloakroom.remember").await.unwrap());
    assert_eq!(session.get::<bool>("cloakroom.remember").await.unwrap(), None);
    let refused = session.set("cloakroom.remember", &true).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReservedKey);
    session.delete("cloakroom.remember");
    let committed = site.commit(&session).await.unwrap();
    site.advance(3 * HOUR);
    assert!(user(&site.next(&committed)).await.is_some(), "it was deleted");
}

#[tokio::test]
async fn a_session_is_remembered_while_another_request_changes_it() {
    let site = site();
    let committed = log_in(&site, false).await;
    let (one, other) = (site.next(&committed), site.next(&committed));
    assert!(user(&one).await.is_some() && user(&other).await.is_some());
    one.remember(true).unwrap();
    other.set("theme", "dark").unwrap();
    let remembered = site.commit(&one).await.unwrap();
    site.commit(&other).await.unwrap();
    assert_eq!(max_age(&remembered), Some(MONTH.as_secs()));
    site.advance(3 * HOUR);
    let session = site.next(&remembered);
    assert!(user(&session).await.is_some() && session.has("theme").await.unwrap());
}

#[tokio::test]
async fn where_nobody_said_for_how_long_no_session_is_remembered() {
    let site = TestSite::new();
    let session = site.session();
    let error = session.remember(true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`remember`"), "{error}");
    session.remember(false).unwrap();
    assert_eq!(site.commit(&session).await.unwrap().cookie(), None);
}

#[tokio::test]
async fn how_long_is_longer_than_idle_and_no_longer_than_a_cookie() {
    for (toml, advice) in [
        ("remember = 2592000", "set idle"),
        ("remember = 1800\nidle = 1800", "must be the larger"),
        ("remember = 0\nidle = 1800", "must be the larger"),
        ("remember = 34560001\nidle = 1800", "400 days at most"),
    ] {
        let error = Config::from_toml(toml).unwrap_err().to_string();
        assert!(error.contains(advice), "{toml}: {error}");
    }
    let config = Config::from_toml("remember = 2592000\nidle = 1800").unwrap();
    assert_eq!(config.remember, Some(MONTH));
}
