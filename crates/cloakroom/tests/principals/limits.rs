//! As many sessions as a principal may have, and never one more, while eight processes sign in at once.

use std::collections::BTreeSet;

use cloakroom::testing::TestSite;
use cloakroom::{Config, Sessions};
use interop_peers::Store;
use serde_json::json;

use crate::audit::{alive, assert_all_can_be_ended, assert_nobody_is_unlisted};
use crate::worker::Worker;
use crate::{USER, anns, configuration, is_signed_in, open, request, sign_in};

const PROCESSES: usize = 8;
const ROUNDS: usize = 5;
const MOST: usize = 3;

/// The most sessions that were seen alive at one moment, until the work is done.
///
/// Who is alive in one pass over the store and still is in the next one was alive at the moment between the two, since nobody
/// comes back; one pass alone may see two that were never alive together.
async fn most_at_once(sessions: &Sessions, is_done: impl Fn() -> bool) -> (usize, usize) {
    let (mut most, mut passes) = (0, 0);
    loop {
        let is_last = is_done();
        let mut together = BTreeSet::new();
        for cookie in alive(sessions).await {
            if is_signed_in(sessions, &cookie).await {
                together.insert(cookie);
            }
        }
        most = most.max(together.len());
        passes += 1;
        if is_last {
            return (most, passes);
        }
    }
}

async fn never_more_than_three(store: Store, when_full: &str) {
    let config = configuration(&store, &json!({ "maxSessions": MOST, "whenFull": when_full }));
    let sessions = open(&config).await;
    let mut workers: Vec<Worker> = (0..PROCESSES).map(|_| Worker::start(&config)).collect();
    let (mut looks, mut handed_out) = (0, 0);
    for round in 0..ROUNDS {
        let when = format!("round {round}, {when_full}");
        workers.iter_mut().for_each(|worker| worker.tell("sign_in 2"));
        let signing = tokio::task::spawn_blocking(move || {
            let cookies = workers.iter_mut().flat_map(|worker| worker.cookies().unwrap());
            let cookies: Vec<_> = cookies.collect();
            (workers, cookies)
        });
        let (most, passes) = most_at_once(&sessions, || signing.is_finished()).await;
        assert!(most <= MOST, "{when}: {most} were alive at once");
        looks += passes;
        let cookies;
        (workers, cookies) = signing.await.unwrap();
        handed_out += cookies.len();

        let living = alive(&sessions).await;
        assert_eq!(living.len(), MOST, "{when}: {} cookies", cookies.len());
        assert!(living.iter().all(|cookie| cookies.contains(cookie)), "{when}");
        assert_eq!(anns(&sessions).count().await.unwrap(), MOST, "{when}");
        assert_nobody_is_unlisted(&sessions, &when).await;
        if when_full == "refuse" {
            assert_eq!(cookies.len(), MOST, "{when}: who was refused has a cookie");
        }
        // Where the oldest ends, those of this round are the oldest of the next one.
        if when_full == "refuse" || round + 1 == ROUNDS {
            assert_all_can_be_ended(&sessions, &when).await;
        }
    }
    println!("{handed_out} cookies were handed out, and {looks} looks were taken");
}

async fn eight_processes_end_the_oldest_and_never_have_four(store: Store) {
    never_more_than_three(store, "endOldest").await;
}

async fn eight_processes_refuse_the_fourth(store: Store) {
    never_more_than_three(store, "refuse").await;
}

/// A request that was under way when its session was ended for another one, and when that one's was ended too.
#[tokio::test]
async fn who_was_ended_takes_nobodys_place() {
    let mut config = Config::new("memory");
    config.max_sessions = Some(2);
    let site = TestSite::with(config);
    let oldest = sign_in(site.sessions()).await.unwrap();
    let under_way = request(site.sessions(), &oldest);
    assert!(under_way.has(USER).await.unwrap());
    let mut newer = Vec::new();
    for _ in 0..3 {
        newer.push(sign_in(site.sessions()).await.unwrap());
    }
    under_way.regenerate().await.unwrap();
    assert!(site.commit(&under_way).await.unwrap_err().is_destroyed());
    for (cookie, is_alive) in newer.iter().zip([false, true, true]) {
        assert_eq!(is_signed_in(site.sessions(), cookie).await, is_alive);
    }
}

on_every_store!(eight_processes_end_the_oldest_and_never_have_four);
on_every_store!(eight_processes_refuse_the_fourth);
