//! A logout is never undone by a request that was under way.

use std::time::Instant;

use cloakroom::adapter::{Commit, Finished};
use cloakroom::storage::When;
use cloakroom::{Session, Sessions};
use interop_peers::Store;

use crate::{cookies, records, sessions, visit};

/// The logout comes at as many moments of a request. Every order of the steps is the simulator's; here it is about what each
/// store makes of them.
const ROUNDS: u32 = 24;

async fn log_out(sessions: &Sessions, cookie: &str) {
    let session = sessions.session(cookies(cookie));
    session.destroy();
    session.finish().await.unwrap();
}

async fn a_logout_between_a_load_and_a_commit_is_never_undone(store: Store) {
    let (here, there) = (sessions(&store).await, sessions(&store).await);
    for with_a_new_id in [false, true] {
        let cookie = visit(&here).await;
        let session = loaded(&here, &cookie).await;
        session.set("theme", "light").unwrap();
        if with_a_new_id {
            session.regenerate().await.unwrap();
        }
        log_out(&there, &cookie).await;
        let finished = session.finish().await;
        assert_eq!(finished.is_err(), with_a_new_id, "who wanted a new ID is told");
        let set_cookie = finished.ok().and_then(|finished| finished.set_cookie);
        assert_eq!(set_cookie, None, "the logout has told the browser");
        assert_eq!(records(&here).await, []);
        assert_eq!(there.session(cookies(&cookie)).get::<String>("theme").await.unwrap(), None);
    }
}

async fn loaded(sessions: &Sessions, cookie: &str) -> Session {
    let session = sessions.session(cookies(cookie));
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));
    session
}

/// Ends a request that has loaded its session and, at another point of that in each round, logs out. Gives the cookies:
/// what the request came with, and what it answered.
async fn race<F>(
    sessions: &[Sessions; 2],
    round: u32,
    request: impl Fn(Session) -> F,
) -> (String, Option<String>)
where
    F: Future<Output = Finished> + Send + 'static,
{
    let [here, there] = sessions;
    let session = loaded(here, &visit(here).await).await;
    let undisturbed = Instant::now();
    request(session).await;
    let whole = undisturbed.elapsed();
    for key in records(here).await {
        here.driver().remove(&key, When::Always).await.unwrap();
    }

    let cookie = visit(here).await;
    let request = tokio::spawn(request(loaded(here, &cookie).await));
    // The runtime's own sleep is too coarse.
    tokio::task::block_in_place(|| std::thread::sleep(whole * round / ROUNDS));
    log_out(there, &cookie).await;
    let set_cookie = request.await.unwrap().set_cookie;
    (cookie, set_cookie.map(|header| header.split(';').next().unwrap().to_owned()))
}

async fn a_logout_that_races_with_a_commit_is_never_undone(store: Store) {
    let both = [sessions(&store).await, sessions(&store).await];
    for round in 0..ROUNDS {
        let change = |session: Session| async move {
            session.set("theme", "light").unwrap();
            let finished = session.finish().await.unwrap();
            assert_eq!(finished.set_cookie, None, "the browser has this ID, or had it");
            finished
        };
        race(&both, round, change).await;
        assert_eq!(records(&both[1]).await, [], "round {round}");
    }
}

async fn a_logout_that_races_with_a_new_id_ends_the_old_one(store: Store) {
    let both = [sessions(&store).await, sessions(&store).await];
    let mut overtaken = 0;
    for round in 0..ROUNDS {
        let change = |session: Session| async move {
            session.regenerate().await.unwrap();
            session.finish().await.unwrap_or_default()
        };
        let (cookie, renewed) = race(&both, round, change).await;
        overtaken += usize::from(renewed.is_none());
        let [_, there] = &both;
        assert_eq!(there.session(cookies(&cookie)).get::<String>("theme").await.unwrap(), None);
        // Where the new ID was there first, the logout named a session that was gone; else nothing is left.
        assert_eq!(records(there).await.len(), usize::from(renewed.is_some()), "round {round}");
        if let Some(renewed) = renewed {
            log_out(there, &renewed).await;
        }
    }
    println!("the logout overtook {overtaken} of {ROUNDS} requests");
}

on_every_store!(a_logout_between_a_load_and_a_commit_is_never_undone);
on_every_store!(a_logout_that_races_with_a_commit_is_never_undone);
on_every_store!(a_logout_that_races_with_a_new_id_ends_the_old_one);
