//! What becomes of requests that carry an ID which a login or a logout has retired, and of the browser's cookie.

use std::time::Duration;

use crate::common::{Site, interrupt};
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, Error, ErrorKind, Session, SessionId};

/// Somebody logs in with this ID, in a request of its own; returns the new ID.
async fn log_in(site: &Site, id: SessionId) -> SessionId {
    let session = site.request(id);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    let new = session.id().unwrap();
    assert!(cookie.contains(&new.to_string()));
    new
}

async fn retire(site: &Site, id: SessionId, how: &str) {
    match how {
        "login" => _ = log_in(site, id).await,
        _ => site.log_out(id).await,
    }
}

async fn cookie_of(session: &Session) -> Option<String> {
    session.finish().await.unwrap().set_cookie
}

#[tokio::test]
async fn a_value_that_is_set_again_does_not_bring_the_old_cookie_over_a_logins() {
    let site = Site::new().await;
    let old = site.stored(&[("theme", "dark")]).await;
    let session = site.request(old);
    session.get::<String>("theme").await.unwrap();
    let new = log_in(&site, old).await;
    session.set("theme", "dark").unwrap();
    assert_eq!(cookie_of(&session).await, None);
    assert_eq!(site.read(new, "user").await.as_deref(), Some("Ann"));
}

#[tokio::test]
async fn what_was_saved_before_a_login_does_not_bring_the_old_cookie_over_it() {
    for early in ["update", "save"] {
        let site = Site::new().await;
        let old = site.stored(&[("theme", "dark")]).await;
        let session = site.request(old);
        if early == "update" {
            session.update("hits", |hits: &mut u32| *hits += 1).await.unwrap();
        } else {
            session.set("theme", "light").unwrap();
            session.save().await.unwrap();
        }
        log_in(&site, old).await;
        assert_eq!(cookie_of(&session).await, None, "{early}");
    }
}

#[tokio::test]
async fn a_cookie_that_is_renewed_names_a_session_that_lives() {
    let mut config = Config::new("memory");
    config.cookie.max_age = Some(3600);
    let site = Site::with(config).await;
    let old = site.stored(&[("theme", "dark")]).await;
    let session = site.request(old);
    session.update("hits", |hits: &mut u32| *hits += 1).await.unwrap();
    log_in(&site, old).await;
    assert_eq!(cookie_of(&session).await, None);
}

#[tokio::test]
async fn a_session_that_was_loaded_and_ended_since_is_not_handed_out() {
    let site = Site::new().await;
    let (own, other) = (site.stored(&[("a", "1")]).await, site.stored(&[("a", "2")]).await);
    let session = site.request(own);
    assert!(session.load(&other.to_string()).await.unwrap());
    site.log_out(other).await;
    assert_eq!(cookie_of(&session).await, None);
}

#[tokio::test]
async fn no_answer_to_a_retired_id_carries_a_cookie() {
    for how in ["login", "logout"] {
        let site = Site::new().await;
        let old = site.stored(&[("theme", "dark")]).await;
        retire(&site, old, how).await;
        let records = site.records().await;

        let view = site.request(old);
        assert_eq!(view.get::<String>("theme").await.unwrap(), None);
        view.set("lastVisit", "today").unwrap();
        assert_eq!(cookie_of(&view).await, None, "{how}: a page view");

        let unread = site.request(old);
        unread.set("lastVisit", "today").unwrap();
        assert_eq!(cookie_of(&unread).await, None, "{how}: a blind write");

        let log_out = site.request(old);
        log_out.destroy();
        log_out.set("farewell", "bye").unwrap();
        assert_eq!(cookie_of(&log_out).await, None, "{how}: a second logout");

        assert_eq!(site.records().await, records, "{how}: nothing was begun");
    }
}

#[tokio::test]
async fn what_wants_to_know_is_told_that_its_id_was_retired() {
    for how in ["login", "logout"] {
        let site = Site::new().await;
        let old = site.stored(&[("theme", "dark")]).await;
        retire(&site, old, how).await;
        let is_destroyed = |error: Error| error.kind() == ErrorKind::Destroyed;
        let session = site.request(old);
        let push = |cart: &mut Vec<String>| cart.push("hat".into());
        assert!(is_destroyed(session.update("cart", push).await.unwrap_err()), "{how}");
        assert!(is_destroyed(site.request(old).regenerate().await.unwrap_err()), "{how}");
        let session = site.request(old);
        session.set("a", "1").unwrap();
        assert!(is_destroyed(session.save().await.unwrap_err()), "{how}");
        assert!(!site.request(old).reload().await.unwrap(), "{how}");
        assert!(!site.visitor().load(&old.to_string()).await.unwrap(), "{how}");
    }
}

#[tokio::test]
async fn a_blind_write_that_was_under_way_during_a_login_begins_no_session() {
    let site = Site::new().await;
    let old = site.stored(&[("theme", "dark")]).await;
    let session = site.request(old);
    session.set("lastVisit", "today").unwrap();
    let new = log_in(&site, old).await;
    assert_eq!(cookie_of(&session).await, None);
    assert_eq!(site.records().await, 1);
    assert_eq!(site.fate(old).await, Some("moved"));
    assert_eq!(site.request(new).keys().await.unwrap(), ["theme", "user"]);
}

#[tokio::test]
async fn an_id_that_somebody_made_up_leaves_nothing_in_the_store() {
    let site = Site::new().await;
    let made_up = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    let session = site.request(made_up);
    session.destroy();
    assert!(cookie_of(&session).await.unwrap().starts_with("astro-session=deleted"));
    assert_eq!(site.fate(made_up).await, None);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_store_that_takes_no_more_writes_lets_people_log_out() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    site.set_full(true);
    let session = site.request(id);
    session.destroy();
    assert!(cookie_of(&session).await.unwrap().starts_with("astro-session=deleted"));
    assert_eq!(site.raw(id).await, None);
}

#[tokio::test]
async fn a_retirement_whose_answer_was_lost_is_ones_own() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    site.set_lose_removals(true);
    let cookie = cookie_of(&session).await.unwrap();
    let new = session.id().unwrap();
    assert!(cookie.contains(&new.to_string()));
    assert_eq!(site.request(new).keys().await.unwrap(), ["cart", "user"]);
    assert_eq!(site.fate(old).await, Some("moved"));
}

#[tokio::test]
async fn a_logout_whose_answer_was_lost_is_no_other_requests() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.get::<String>("user").await.unwrap();
    session.destroy();
    session.set("farewell", "bye").unwrap();
    site.set_lose_removals(true);
    session.save().await.unwrap_err();
    site.set_lose_removals(false);
    assert!(cookie_of(&session).await.is_some(), "it goes on where it was");
    assert_eq!(site.request(session.id().unwrap()).keys().await.unwrap(), ["farewell"]);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn a_finish_that_was_given_up_during_the_retirement_goes_on() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    // The store has retired the old ID, and has not answered.
    site.set_stuck_after_removal(true);
    interrupt(session.finish()).await;
    site.set_stuck_after_removal(false);
    assert_eq!(site.fate(old).await, Some("moved"));
    let cookie = cookie_of(&session).await.unwrap();
    assert!(cookie.contains(&session.id().unwrap().to_string()));
    assert_eq!(site.request(session.id().unwrap()).keys().await.unwrap(), ["cart", "user"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stands_still_and_goes_on_later_leaves_the_browser_a_session() {
    let site = Site::that_waits_for(Duration::from_millis(100)).await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    site.set_stalled(true);
    let cookie = cookie_of(&session).await.expect("the new session surely exists");
    let new = session.id().unwrap();
    assert!(cookie.contains(&new.to_string()));
    site.set_stalled(false);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(site.request(new).keys().await.unwrap(), ["cart", "user"]);
    assert_eq!(
        site.fate(old).await.or(Some("gone")),
        Some("gone"),
        "a minute later it is forgotten"
    );
    assert_eq!(site.raw(old).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_regenerate_that_is_retired_after_it_was_refused_gives_the_old_session_back() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    // The store refuses without saying so for sure, and does it later all the same.
    site.set_late_removals(true);
    assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(site.read(old, "cart").await.as_deref(), Some("scarf"));
    site.set_late_removals(false);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(site.request(old).keys().await.unwrap(), ["cart"], "nobody was told of the other");
    assert_eq!(site.records().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_during_its_login_keeps_the_session_it_knows() {
    for moment in ["before", "after"] {
        let site = Site::new().await;
        let old = site.stored(&[("cart", "scarf")]).await;
        let session = site.request(old);
        session.regenerate().await.unwrap();
        session.set("user", "Ann").unwrap();
        let scope = cloakroom_session::adapter::Scope::Session(session.clone());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let wait = move |_| async move { stopped.await.unwrap() };
        if moment == "before" {
            site.before_set(wait);
        } else {
            site.before_remove(wait);
        }
        let mut finishing = Box::pin(scope.finish());
        assert!(poll_once(&mut finishing).await.is_none(), "it waits for the store");
        drop(finishing);
        stop.send(()).unwrap();
        drop((scope, session));
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(site.request(old).keys().await.unwrap(), ["cart"], "{moment}");
        assert_eq!(site.records().await, 1, "{moment}");
    }
}

/// Polls once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}
