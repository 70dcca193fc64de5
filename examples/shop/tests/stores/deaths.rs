//! The shop is killed under load, again and again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use interop_peers::Store;

use crate::load::{Load, check, no_excuse};
use crate::program::Program;

const ROUNDS: usize = 10;
/// The longest time from the first acknowledgement to a death, in milliseconds.
const LONGEST: u64 = 300;

async fn a_server_killed_at_random_points_loses_nothing_acknowledged(store: Store) {
    let mut shop = Program::start(&store);
    let load = Load::start(shop.address).await;
    for round in 0..ROUNDS {
        load.next_acknowledged().await;
        let moment = Duration::from_millis(RandomState::new().hash_one(round) % LONGEST);
        tokio::time::sleep(moment).await;
        tokio::task::block_in_place(|| {
            shop.kill();
            shop.restart();
        });
    }
    load.next_acknowledged().await;
    assert!(load.unknown() > 0, "it was killed while it worked");
    assert_eq!(load.unavailable(), 0, "the store was there");
    let mut clients = load.stop().await;
    check(&mut clients, no_excuse).await;
}

on_every_store!(a_server_killed_at_random_points_loses_nothing_acknowledged);
