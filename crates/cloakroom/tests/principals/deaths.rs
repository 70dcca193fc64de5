//! Processes that die in the middle of what they do.

use std::time::Duration;

use cloakroom::Sessions;
use interop_peers::Store;
use serde_json::json;

use crate::audit::{alive, assert_all_can_be_ended, assert_nobody_is_unlisted};
use crate::worker::Worker;
use crate::{configuration, is_signed_in, moment, open, request, respond, sign_in};

/// How often a process is killed at a random moment.
const DEATHS: usize = 8;
/// The longest time from the first sign-in to that.
const LONGEST: Duration = Duration::from_millis(60);
/// More calls than anything here makes.
const CALLS: usize = 40;

/// Who was there when a process died, or ended what it did.
struct Death {
    sessions: Sessions,
    browsers: [String; 2],
    when: String,
}

/// Has a process do something beside two browsers, to the first of them where that makes a difference, and die at each of its
/// calls in turn.
async fn at_each_call(store: &Store, order: &str, mut look: impl AsyncFnMut(Death)) {
    let config = configuration(store, &json!({}));
    let sessions = open(&config).await;
    for call in 1..CALLS {
        let browsers = [sign_in(&sessions).await.unwrap(), sign_in(&sessions).await.unwrap()];
        let mut worker = Worker::start(&config);
        worker.tell(&format!("die_at {call}"));
        worker.tell(&order.replace("COOKIE", &browsers[0]));
        let has_died = tokio::task::block_in_place(|| worker.answer()).is_none();
        let when = format!("{order} died at call {call}");
        look(Death { sessions: sessions.clone(), browsers, when: when.clone() }).await;
        assert_nobody_is_unlisted(&sessions, &when).await;
        assert_all_can_be_ended(&sessions, &when).await;
        if !has_died {
            assert!(call > 2, "{order} makes no calls");
            return;
        }
    }
    panic!("{order} never ends");
}

async fn a_death_at_any_call_leaves_nobody_unlisted(store: Store) {
    for order in ["sign_in 1", "regenerate COOKIE", "sign_out COOKIE"] {
        at_each_call(&store, order, async |Death { sessions, browsers, when }| {
            assert_nobody_is_unlisted(&sessions, &when).await;
            assert!(is_signed_in(&sessions, &browsers[1]).await, "{when}: it was not this one's");
        })
        .await;
    }
}

async fn an_end_that_was_begun_is_finished_by_the_next_list(store: Store) {
    at_each_call(&store, "revoke_all 1", async |Death { sessions, browsers, when }| {
        assert_nobody_is_unlisted(&sessions, &when).await;
        let mut are_alive = [false; 2];
        for (is_alive, cookie) in are_alive.iter_mut().zip(&browsers) {
            *is_alive = is_signed_in(&sessions, cookie).await;
        }
        assert_eq!(are_alive[0], are_alive[1], "{when}: half of it was finished");
    })
    .await;
}

async fn nobody_moves_away_from_an_end_that_was_begun(store: Store) {
    at_each_call(&store, "revoke_all 1", async |Death { sessions, browsers, when }| {
        let session = request(&sessions, &browsers[0]);
        let was_ended = session.principal().await.unwrap().is_none();
        let renewed = match session.regenerate().await {
            Ok(()) => respond(&session).await.ok().flatten(),
            Err(error) => {
                assert!(error.is_destroyed(), "{when}: {error}");
                None
            }
        };
        assert_nobody_is_unlisted(&sessions, &when).await;
        let has_moved = match &renewed {
            Some(renewed) => is_signed_in(&sessions, renewed).await,
            None => false,
        };
        let is_other_alive = is_signed_in(&sessions, &browsers[1]).await;
        assert_eq!(has_moved, is_other_alive && !was_ended, "{when}: one of them escaped");
    })
    .await;
}

async fn a_process_killed_at_random_moments_leaves_nobody_unlisted(store: Store) {
    let config = configuration(&store, &json!({}));
    let sessions = open(&config).await;
    for death in 0..DEATHS {
        let when = format!("death {death}");
        let mut worker = Worker::start(&config);
        worker.tell("live");
        let mut cookies = tokio::task::block_in_place(|| {
            let first = worker.cookies().unwrap();
            std::thread::sleep(moment(LONGEST));
            first
        });
        cookies.extend(worker.kill());
        assert_nobody_is_unlisted(&sessions, &when).await;
        // What it left is there for the next, every other time.
        if death % 2 == 1 {
            assert_all_can_be_ended(&sessions, &when).await;
            for cookie in &cookies {
                assert!(!is_signed_in(&sessions, cookie).await, "{when}");
            }
        }
    }
    println!("{} sessions are left", alive(&sessions).await.len());
}

on_every_store!(a_death_at_any_call_leaves_nobody_unlisted);
on_every_store!(an_end_that_was_begun_is_finished_by_the_next_list);
on_every_store!(nobody_moves_away_from_an_end_that_was_begun);
on_every_store!(a_process_killed_at_random_moments_leaves_nobody_unlisted);
