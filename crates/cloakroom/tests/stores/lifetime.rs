//! Sessions end by themselves on every store, and leave it.

use std::time::{Duration, Instant};

use cloakroom::adapter::Commit;
use cloakroom::{Config, Sessions};
use interop_peers::{Peer, Store};

use crate::{cookies, records, visit};

/// Long enough for a busy machine to keep a session alive that is to stay alive.
const IDLE: Duration = Duration::from_secs(3);
const ABSOLUTE: Duration = Duration::from_secs(2);
const TTL: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

async fn configured(store: &Store, change: impl FnOnce(&mut Config)) -> Sessions {
    let mut config = Config::from_json(&store.config()).unwrap();
    change(&mut config);
    Sessions::from_config(config).await.unwrap()
}

/// Whether a request finds the session.
async fn is_there(sessions: &Sessions, cookie: &str) -> bool {
    let session = sessions.session(cookies(cookie));
    let is_there = session.has("theme").await.unwrap();
    assert_eq!(session.finish().await.unwrap().set_cookie, None, "a read sent a cookie");
    is_there
}

/// Asks now and then until the answer is no.
async fn until_gone(mut is_there: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while is_there().await {
        assert!(begin.elapsed() < PATIENCE, "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn an_idle_session_ends_and_one_in_use_lives(store: Store) {
    let sessions = configured(&store, |config| {
        config.idle = Some(IDLE);
        config.touch_interval = Some(IDLE / 10);
    })
    .await;
    let cookie = visit(&sessions).await;
    let begin = Instant::now();
    while begin.elapsed() < IDLE * 2 {
        assert!(is_there(&sessions, &cookie).await, "it ended after {:?}", begin.elapsed());
        tokio::time::sleep(IDLE / 30).await;
    }
    let last_use = Instant::now();
    // Listing the keys uses no session.
    until_gone(async || !records(&sessions).await.is_empty()).await;
    assert!(last_use.elapsed() > IDLE / 2, "it ended {:?} after its last use", last_use.elapsed());
    assert!(!is_there(&sessions, &cookie).await);
}

async fn a_session_in_use_ends_when_it_is_old_and_is_removed(store: Store) {
    let sessions = configured(&store, |config| config.absolute = Some(ABSOLUTE)).await;
    let begin = Instant::now();
    let cookie = visit(&sessions).await;
    until_gone(async || {
        let session = sessions.session(cookies(&cookie));
        let is_there = session.has("theme").await.unwrap();
        if is_there {
            session.update("visits", |visits: &mut u32| *visits += 1).await.map_or_else(
                |error| assert!(error.is_destroyed(), "{error}"),
                |visits| assert!(visits > 0),
            );
        }
        is_there
    })
    .await;
    assert!(begin.elapsed() >= ABSOLUTE - Duration::from_millis(10), "after {:?}", begin.elapsed());
    assert!(records(&sessions).await.is_empty());
}

async fn expired_sessions_leave_the_servers_memory(store: Store) {
    let Peer::Redis(redis) = store.peer() else { return };
    let sessions = configured(&store, |config| config.ttl = Some(TTL)).await;
    for _ in 0..50 {
        visit(&sessions).await;
    }
    until_gone(async || redis.command(&["DBSIZE"]).integer() > 0).await;
}

on_every_store!(an_idle_session_ends_and_one_in_use_lives);
on_every_store!(a_session_in_use_ends_when_it_is_old_and_is_removed);

mod expired_sessions_leave_the_servers_memory {
    on!(expired_sessions_leave_the_servers_memory, redis, redis());
    on!(expired_sessions_leave_the_servers_memory, valkey, valkey());
}
