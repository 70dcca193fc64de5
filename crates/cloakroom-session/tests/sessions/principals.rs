//! Whose sessions they are: signing in, seeing them and ending them, and how many there may be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cloakroom_session::storage::{Driver as _, ItemKey};
use cloakroom_session::testing::{Committed, TestSite};
use cloakroom_session::{
    Config, ErrorKind, ListedSession, Session, SessionHandle, Sessions, WhenFull,
};
use futures_util::TryStreamExt as _;

use crate::common::Site;

/// A browser that has signed in.
pub(crate) async fn browser(site: &TestSite, name: &str, principal: &str) -> Committed {
    let session = site.session();
    session.set("browser", name).unwrap();
    session.sign_in(principal).await.unwrap();
    site.commit(&session).await.unwrap()
}

pub(crate) async fn browsers(sessions: &Sessions, principal: &str) -> Vec<String> {
    let listed = sessions.of(principal).list().await.unwrap();
    listed.iter().map(|session| session.get("browser").unwrap().unwrap()).collect()
}

pub(crate) fn limited(most: u32, when_full: WhenFull) -> Config {
    let mut config = Config::new("memory");
    config.max_sessions = Some(most);
    config.when_full = when_full;
    config
}

pub(crate) fn by_path() -> Config {
    let mut config = Config::new("memory");
    config.principal = Some("user.id".to_owned());
    config
}

pub(crate) fn user(id: &str) -> BTreeMap<&str, &str> {
    BTreeMap::from([("id", id)])
}

#[tokio::test]
async fn a_sign_in_gives_a_new_id_and_keeps_what_the_visitor_had() {
    let site = TestSite::new();
    let visitor = site.session_with(|session| session.set("cart", "hat")).await.unwrap();
    assert_eq!(visitor.principal().await.unwrap(), None);
    let before = visitor.id();
    visitor.sign_in("ann").await.unwrap();
    let committed = site.commit(&visitor).await.unwrap();
    assert!(committed.was_regenerated());

    let session = site.next(&committed);
    assert_eq!(session.principal().await.unwrap().as_deref(), Some("ann"));
    assert_eq!(session.get::<String>("cart").await.unwrap().as_deref(), Some("hat"));
    assert_ne!(session.id(), before);
    assert!(session.authenticated_at().await.unwrap().is_some());
}

#[tokio::test]
async fn what_it_notes_is_none_of_the_handlers_business() {
    let site = TestSite::new();
    let session = site.next(&browser(&site, "Firefox", "ann").await);
    assert_eq!(session.keys().await.unwrap(), ["browser"]);
    for key in ["cloakroom.principal", "cloakroom.authenticated", "cloakroom.indexed"] {
        assert!(!session.has(key).await.unwrap(), "{key}");
        assert_eq!(session.set(key, "bob").unwrap_err().kind(), ErrorKind::ReservedKey, "{key}");
        session.delete(key);
    }
    assert_eq!(session.principal().await.unwrap().as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_text_that_is_no_principal_is_refused_and_changes_nothing() {
    let site = TestSite::new();
    let session = site.session();
    for principal in [String::new(), "a".repeat(1025)] {
        let error = session.sign_in(principal.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPrincipal);
        let error = site.sessions().of(principal).list().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPrincipal);
    }
    assert_eq!(site.store().calls(), 0);
    assert_eq!(site.commit(&session).await.unwrap().cookie(), None);
}

#[tokio::test]
async fn the_list_has_all_of_ones_own_and_none_of_others() {
    let site = TestSite::new();
    for name in ["Firefox", "Chromium"] {
        browser(&site, name, "ann").await;
        site.advance(Duration::from_secs(1));
    }
    browser(&site, "Safari", "bob").await;
    assert_eq!(browsers(site.sessions(), "ann").await, ["Chromium", "Firefox"]);
    assert_eq!(browsers(site.sessions(), "bob").await, ["Safari"]);
    assert_eq!(site.sessions().of("carol").count().await.unwrap(), 0);
}

#[tokio::test]
async fn an_item_tells_when_and_which_and_not_its_id() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(3600));
    config.absolute = Some(Duration::from_secs(24 * 3600));
    let site = TestSite::with(config);
    let firefox = browser(&site, "Firefox", "ann").await;
    site.advance(Duration::from_secs(600));
    let chromium = browser(&site, "Chromium", "ann").await;
    site.advance(Duration::from_secs(600));
    let again = site.next(&firefox);
    again.reauthenticated().await.unwrap();
    let firefox = site.commit(&again).await.unwrap();
    site.advance(Duration::from_secs(600));

    let listed = site.sessions().of("ann").list().await.unwrap();
    let find = |name: &str| {
        let is_it =
            |item: &&ListedSession| item.get::<String>("browser").unwrap().as_deref() == Some(name);
        listed.iter().find(is_it).unwrap().clone()
    };
    let (fire, chrome) = (find("Firefox"), find("Chromium"));
    let since = |item: &ListedSession| {
        item.authenticated_at().unwrap().duration_since(item.created_at()).unwrap()
    };
    assert_eq!((since(&fire).as_secs(), since(&chrome).as_secs()), (1200, 0));
    assert_eq!(fire.idle_for().unwrap().as_secs(), 600);
    assert_eq!(chrome.idle_for().unwrap().as_secs(), 1200);
    let session = site.next(&firefox);
    assert!(
        fire.is_current(&session).await.unwrap() && !chrome.is_current(&session).await.unwrap()
    );
    let id = chromium.id().unwrap().to_string();
    assert!(!format!("{listed:?} {}", chrome.handle()).contains(&id[..8]));
}

#[tokio::test]
async fn one_can_be_ended_from_another_and_the_others_stay() {
    let site = TestSite::new();
    let firefox = browser(&site, "Firefox", "ann").await;
    site.advance(Duration::from_secs(1));
    browser(&site, "Chromium", "ann").await;
    let anns = site.sessions().of("ann");
    let listed = anns.list().await.unwrap();
    // As a form brings it.
    let handle: SessionHandle = listed[1].handle().to_string().parse().unwrap();
    assert!(anns.revoke(handle).await.unwrap());
    assert!(!anns.revoke(handle).await.unwrap(), "it was ended before");
    assert_eq!(browsers(site.sessions(), "ann").await, ["Chromium"]);
    assert_eq!(site.next(&firefox).principal().await.unwrap(), None);
}

#[tokio::test]
async fn a_request_that_has_it_loaded_saves_nothing_more() {
    let site = TestSite::new();
    let visit = site.next(&browser(&site, "Firefox", "ann").await);
    visit.get::<String>("browser").await.unwrap();
    assert_eq!(site.sessions().of("ann").revoke_all().await.unwrap(), 1);
    let error = visit.update("visits", |visits: &mut u32| *visits += 1).await.unwrap_err();
    assert!(error.is_destroyed());
    visit.regenerate().await.unwrap_err();
}

#[tokio::test]
async fn all_others_can_be_ended_and_this_one_stays() {
    let site = TestSite::new();
    for name in ["Firefox", "Chromium"] {
        browser(&site, name, "ann").await;
    }
    let here = site.next(&browser(&site, "Safari", "ann").await);
    assert_eq!(site.sessions().of("ann").revoke_others(&here).await.unwrap(), 2);
    assert_eq!(browsers(site.sessions(), "ann").await, ["Safari"]);

    // Also in the request that gives it a new ID, which is in no index yet.
    browser(&site, "Edge", "ann").await;
    here.reauthenticated().await.unwrap();
    assert_eq!(here.sessions().of("ann").revoke_others(&here).await.unwrap(), 1);
    let committed = site.commit(&here).await.unwrap();
    assert_eq!(site.next(&committed).principal().await.unwrap().as_deref(), Some("ann"));
    assert_eq!(browsers(site.sessions(), "ann").await, ["Safari"]);
}

#[tokio::test]
async fn a_new_id_keeps_the_handle_and_is_found_under_it() {
    let site = TestSite::new();
    let committed = browser(&site, "Firefox", "ann").await;
    let handle = site.sessions().of("ann").list().await.unwrap()[0].handle();
    let session = site.next(&committed);
    session.regenerate().await.unwrap();
    let moved = site.commit(&session).await.unwrap();
    assert_eq!(site.sessions().of("ann").list().await.unwrap()[0].handle(), handle);
    // A page that was shown before still ends it.
    assert!(site.sessions().of("ann").revoke(handle).await.unwrap());
    assert_eq!(site.next(&moved).principal().await.unwrap(), None);
}

#[tokio::test]
async fn who_signs_in_again_is_one_session_and_not_two() {
    let site = TestSite::with(limited(1, WhenFull::Refuse));
    let session = site.next(&browser(&site, "Firefox", "ann").await);
    session.sign_in("ann").await.unwrap();
    session.sign_in("ann").await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
    assert_eq!(site.next(&committed).principal().await.unwrap().as_deref(), Some("ann"));
}

#[tokio::test]
async fn who_signs_in_as_another_is_in_the_others_list_and_has_nothing_that_was_the_firsts() {
    for config in [Config::new("memory"), by_path()] {
        let site = TestSite::with(config);
        let ann = site.session();
        ann.set("user", &user("ann")).unwrap();
        ann.set("order", "an umbrella").unwrap();
        ann.sign_in("ann").await.unwrap();
        let anns = site.commit(&ann).await.unwrap();

        let session = site.next(&anns);
        assert!(session.has("order").await.unwrap());
        session.set("user", &user("bob")).unwrap();
        session.set("theme", "dark").unwrap();
        session.sign_in("bob").await.unwrap();
        // Another request of the same browser, under way meanwhile.
        let other = site.next(&anns);
        other.set("order", "a hat").unwrap();
        site.commit(&other).await.unwrap();
        let committed = site.commit(&session).await.unwrap();

        assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
        assert_eq!(site.sessions().of("bob").count().await.unwrap(), 1);
        site.sessions().of("ann").revoke_all().await.unwrap();
        let bob = site.next(&committed);
        assert_eq!(bob.principal().await.unwrap().as_deref(), Some("bob"));
        assert_eq!(bob.keys().await.unwrap(), ["user", "theme"]);
        assert!(site.next(&anns).was_ended().await.unwrap());
    }
}

/// One of two forms that are sent at once, or a log-in beside an end of the session from before.
#[tokio::test]
async fn who_signs_in_as_another_over_a_session_that_has_ended_meanwhile_is_told() {
    for is_revoked in [false, true] {
        let site = TestSite::new();
        let anns = browser(&site, "Firefox", "ann").await;
        let (first, second) = (site.next(&anns), site.next(&anns));
        second.sign_in("bob").await.unwrap();
        if is_revoked {
            assert_eq!(site.sessions().of("ann").revoke_all().await.unwrap(), 1);
        } else {
            first.sign_in("bob").await.unwrap();
            site.commit(&first).await.unwrap();
        }
        let error = site.commit(&second).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Destroyed, "{error}");
        let alive = site.sessions().of("bob").count().await.unwrap();
        assert_eq!(alive, usize::from(!is_revoked));
    }
}

#[tokio::test]
async fn a_sign_in_as_another_that_is_refused_leaves_the_session_as_it_was() {
    let site = TestSite::with(limited(1, WhenFull::Refuse));
    browser(&site, "Safari", "bob").await;
    let anns = browser(&site, "Firefox", "ann").await;
    let session = site.next(&anns);
    let error = session.sign_in("bob").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManySessions);
    site.commit(&session).await.unwrap();
    let ann = site.next(&anns);
    assert_eq!(ann.principal().await.unwrap().as_deref(), Some("ann"));
    assert_eq!(ann.get::<String>("browser").await.unwrap().as_deref(), Some("Firefox"));
}

#[tokio::test]
async fn what_ends_by_itself_or_is_signed_out_leaves_the_list() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(60));
    let site = TestSite::with(config);
    let firefox = browser(&site, "Firefox", "ann").await;
    site.advance(Duration::from_secs(40));
    browser(&site, "Chromium", "ann").await;
    let session = site.next(&firefox);
    session.sign_out();
    assert!(site.commit(&session).await.unwrap().was_destroyed());
    assert_eq!(browsers(site.sessions(), "ann").await, ["Chromium"]);
    site.advance(Duration::from_secs(61));
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_was_over_before_an_end_is_not_counted_as_ended() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(600));
    let site = TestSite::with(config);
    for name in ["Firefox", "Safari"] {
        browser(&site, name, "ann").await;
    }
    site.advance(Duration::from_secs(601));
    let anns = site.sessions().of("ann");
    let session = site.next(&browser(&site, "Chromium", "ann").await);
    assert_eq!(anns.revoke_others(&session).await.unwrap(), 0);

    let handle = anns.list().await.unwrap()[0].handle();
    session.sign_out();
    site.commit(&session).await.unwrap();
    assert!(!anns.revoke(handle).await.unwrap());

    // Nor is a sign-in that came to nothing, once that is sure.
    site.session().sign_in("ann").await.unwrap();
    site.advance(Duration::from_secs(61));
    browser(&site, "Opera", "ann").await;
    assert_eq!(anns.revoke_all().await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_no_more_is_taken_out_and_so_is_the_index_in_the_end() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(30));
    let site = TestSite::with(config);
    browser(&site, "Firefox", "ann").await;
    let pages = async || {
        let keys: Vec<ItemKey> =
            site.store().undisturbed().keys("principal:").try_collect().await.unwrap();
        keys.len()
    };
    assert_eq!(pages().await, 1);
    site.advance(Duration::from_secs(31));
    // Not what may be on its way still.
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
    assert_eq!(pages().await, 1);
    site.advance(Duration::from_secs(60));
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
    assert_eq!(pages().await, 0);
}

#[tokio::test]
async fn a_recent_authentication_is_asked_for_and_renewed() {
    let site = TestSite::new();
    let five_minutes = Duration::from_secs(300);
    let refused =
        async |session: &Session| session.require_recent(five_minutes).await.unwrap_err().kind();
    assert_eq!(refused(&site.session()).await, ErrorKind::NotSignedIn);
    assert_eq!(site.session().reauthenticated().await.unwrap_err().kind(), ErrorKind::NotSignedIn);

    let committed = browser(&site, "Firefox", "ann").await;
    site.advance(five_minutes);
    site.next(&committed).require_recent(five_minutes).await.unwrap();
    site.advance(Duration::from_secs(1));
    let session = site.next(&committed);
    assert_eq!(refused(&session).await, ErrorKind::NotRecent);
    session.reauthenticated().await.unwrap();
    session.require_recent(five_minutes).await.unwrap();
    let again = site.commit(&session).await.unwrap();
    assert!(again.was_regenerated(), "a password that was asked for gives a new ID");
    site.next(&again).require_recent(five_minutes).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_sign_in_costs_two_calls_more_and_nothing_else_does() {
    let site = TestSite::new();
    let calls =
        async |act: &dyn Fn(Session) -> std::pin::Pin<Box<dyn Future<Output = Committed>>>| {
            let visitor = site.session_with(|session| session.set("cart", "hat")).await.unwrap();
            let before = site.store().calls();
            act(visitor).await;
            site.store().calls() - before
        };
    let one = site.clone();
    let regenerate = calls(&move |session| {
        let site = one.clone();
        Box::pin(async move {
            session.regenerate().await.unwrap();
            session.set("user", "ann").unwrap();
            site.commit(&session).await.unwrap()
        })
    })
    .await;
    let one = site.clone();
    let sign_in = calls(&move |session| {
        let site = one.clone();
        Box::pin(async move {
            session.sign_in("ann").await.unwrap();
            site.commit(&session).await.unwrap()
        })
    })
    .await;
    assert_eq!(sign_in, regenerate + 2);

    let signed_in = browser(&site, "Firefox", "ann").await;
    let before = site.store().calls();
    let session = site.next(&signed_in);
    session.get::<String>("browser").await.unwrap();
    session.set("visits", &1).unwrap();
    site.commit(&session).await.unwrap();
    assert_eq!(site.store().calls() - before, 2, "a look and a write");
}

#[tokio::test]
async fn a_driver_that_cannot_compare_is_refused_at_the_start_or_at_the_sign_in() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    let recorder = || Arc::new(site.recorder.clone());
    let errors = [
        site.visitor().sign_in("ann").await.unwrap_err(),
        site.sessions.of("ann").list().await.unwrap_err(),
        Sessions::with_driver(recorder(), &by_path()).unwrap_err(),
        Sessions::with_driver(recorder(), &limited(3, WhenFull::Refuse)).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("cannot compare and swap"), "{error}");
    }
}
