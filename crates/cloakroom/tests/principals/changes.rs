//! An end of a session beside whatever else is done to it, at another moment in each round.

use std::time::Instant;

use cloakroom::storage::{ItemKey, When};
use cloakroom::{Session, Sessions};
use interop_peers::Store;
use serde_json::json;

use crate::audit::{assert_all_can_be_ended, assert_listed_or_dead, assert_nobody_is_unlisted};
use crate::{USER, anns, configuration, is_signed_in, open, request, respond, sign_in};

const ROUNDS: u32 = 12;

/// Does something with a session, ends it meanwhile by what lists it, and gives the cookies that it had.
async fn race<F>(
    sessions: &[Sessions; 2],
    round: u32,
    what: impl Fn(Sessions, Session) -> F,
) -> Vec<String>
where
    F: Future<Output = Option<String>> + Send + 'static,
{
    let [here, there] = sessions;
    let loaded = async || {
        let cookie = sign_in(here).await.unwrap();
        let session = request(here, &cookie);
        assert!(session.has(USER).await.unwrap());
        (cookie, session)
    };
    let (_, session) = loaded().await;
    let undisturbed = Instant::now();
    let renewed = what(here.clone(), session).await;
    let whole = undisturbed.elapsed();
    visit(there, renewed.as_slice()).await;
    anns(there).revoke_all().await.unwrap();

    let (cookie, session) = loaded().await;
    let handle = anns(there).list().await.unwrap()[0].handle();
    let changing = tokio::spawn(what(here.clone(), session));
    // The runtime's own sleep is too coarse.
    tokio::task::block_in_place(|| std::thread::sleep(whole * round / ROUNDS));
    anns(there).revoke(handle).await.unwrap();
    [Some(cookie), changing.await.unwrap()].into_iter().flatten().collect()
}

/// Has a request of each, which reads something.
async fn visit(sessions: &Sessions, cookies: &[String]) {
    for cookie in cookies {
        let session = request(sessions, cookie);
        session.has(USER).await.unwrap();
        respond(&session).await.unwrap();
    }
}

/// What is done meanwhile, of which Cloakroom itself is the one who does it.
async fn expect_dead<F>(store: Store, what: impl Fn(Sessions, Session) -> F)
where
    F: Future<Output = Option<String>> + Send + 'static,
{
    let config = configuration(&store, &json!({ "principal": USER }));
    let both = [open(&config).await, open(&config).await];
    for round in 0..ROUNDS {
        let when = format!("round {round}");
        for cookie in race(&both, round, &what).await {
            for sessions in &both {
                assert!(!is_signed_in(sessions, &cookie).await, "{when}: {cookie} is alive");
            }
        }
        assert_nobody_is_unlisted(&both[1], &when).await;
    }
}

async fn a_new_id_does_not_escape(store: Store) {
    expect_dead(store, |_, session| async move {
        session.regenerate().await.unwrap();
        respond(&session).await.unwrap_or_default()
    })
    .await;
}

async fn what_is_set_does_not_bring_it_back(store: Store) {
    expect_dead(store, |_, session| async move {
        session.set("theme", "light").unwrap();
        respond(&session).await.unwrap()
    })
    .await;
}

async fn an_update_does_not_bring_it_back(store: Store) {
    expect_dead(store, |_, session| async move {
        match session.update("visits", |visits: &mut u32| *visits += 1).await {
            Ok(visits) => assert_eq!(visits, 1),
            Err(error) => assert!(error.is_destroyed(), "{error}"),
        }
        respond(&session).await.unwrap()
    })
    .await;
}

async fn a_sign_out_does_not_bring_it_back(store: Store) {
    expect_dead(store, |_, session| async move {
        session.sign_out();
        respond(&session).await.unwrap()
    })
    .await;
}

/// As a plain Astro site gives a session a new ID, which knows of no index.
async fn regenerated_by_astro(sessions: Sessions, session: Session) -> Option<String> {
    let driver = sessions.driver();
    let old = ItemKey::new(&session.id().unwrap().to_string()).unwrap();
    let new = new_id(&sessions);
    // What it has loaded, if that is still there, as the session that is about to be written.
    let item = driver.get(&old).await.unwrap()?;
    let key = ItemKey::new(&new).unwrap();
    let _ = driver.set(&key, item.value, When::Always, None).await.unwrap();
    let _ = driver.remove(&old, When::Always).await.unwrap();
    Some(format!("astro-session={new}"))
}

fn new_id(sessions: &Sessions) -> String {
    let session = request(sessions, "");
    session.set("theme", "dark").unwrap();
    session.id().unwrap().to_string()
}

async fn a_new_id_of_astros_is_listed_once_it_was_seen(store: Store) {
    let config = configuration(&store, &json!({ "principal": USER }));
    let both = [open(&config).await, open(&config).await];
    let [_, there] = &both;
    let mut escaped = 0;
    for round in 0..ROUNDS {
        let when = format!("round {round}");
        let cookies = race(&both, round, regenerated_by_astro).await;
        visit(there, &cookies).await;
        for sessions in &both {
            assert_listed_or_dead(sessions, &cookies, &when).await;
            assert_nobody_is_unlisted(sessions, &when).await;
        }
        for cookie in &cookies {
            escaped += usize::from(is_signed_in(there, cookie).await);
        }
        assert_all_can_be_ended(there, &when).await;
    }
    println!("{escaped} of {ROUNDS} were given a new ID in time, and were listed under it");
}

on_every_store!(a_new_id_does_not_escape);
on_every_store!(what_is_set_does_not_bring_it_back);
on_every_store!(an_update_does_not_bring_it_back);
on_every_store!(a_sign_out_does_not_bring_it_back);
on_every_store!(a_new_id_of_astros_is_listed_once_it_was_seen);
