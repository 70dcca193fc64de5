//! Sign-ins beside ends of all sessions, in two processes.

use std::time::Instant;

use interop_peers::Store;
use serde_json::json;

use crate::audit::{assert_all_can_be_ended, assert_listed_or_dead, assert_nobody_is_unlisted};
use crate::worker::Worker;
use crate::{configuration, open};

const ROUNDS: usize = 3;

async fn nobody_who_signs_in_beside_an_end_of_all_is_alive_and_unlisted(store: Store) {
    let config = configuration(&store, &json!({}));
    let sessions = open(&config).await;
    let (mut signing, mut revoking) = (Worker::start(&config), Worker::start(&config));
    let (mut began, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        let when = format!("round {round}");
        let started = Instant::now();
        signing.tell("sign_in 50");
        revoking.tell("revoke_all 50");
        let (cookies, revoked) = tokio::task::block_in_place(|| {
            (signing.cookies().unwrap(), revoking.answer().unwrap())
        });
        println!("{when}: {} cookies after {:?}", cookies.len(), started.elapsed());
        began += cookies.len();
        ended += revoked.iter().map(|count| count.parse::<usize>().unwrap()).sum::<usize>();
        assert_listed_or_dead(&sessions, &cookies, &when).await;
        assert_nobody_is_unlisted(&sessions, &when).await;
        assert_all_can_be_ended(&sessions, &when).await;
    }
    println!("{began} cookies were handed out, and {ended} sessions ended beside");
    assert!(began > 0 && ended > 0, "they never met");
}

on_every_store!(nobody_who_signs_in_beside_an_end_of_all_is_alive_and_unlisted);
