//! The store goes away under load and comes back; the shop stays.

use std::time::{Duration, Instant};

use interop_peers::{Server, Store};

use crate::client::{Addition, Client};
use crate::load::{Load, check, no_excuse};
use crate::program::Program;

/// How long the store is away: the thing that is tested.
const AWAY: Duration = Duration::from_secs(5);
const LOAD_BEFORE: Duration = Duration::from_secs(1);
const LOAD_AFTER: Duration = Duration::from_secs(2);
/// The shop has recovered when so many additions in a row are acknowledged.
const RECOVERED: usize = 20;
const ADDITIONS_AFTER: usize = 10;

async fn outage(store: Store, go: fn(&Server), come_back: fn(&Server)) {
    let server = store.server().unwrap();
    let mut shop = Program::start(&store);
    let load = Load::start(shop.address).await;
    tokio::time::sleep(LOAD_BEFORE).await;
    load.next_acknowledged().await;

    let gone = Instant::now();
    tokio::task::block_in_place(|| go(server));
    let (acknowledged, unavailable) = (load.acknowledged(), load.unavailable());
    newcomer_gets_no_cookie(&shop).await;
    tokio::time::sleep(AWAY.saturating_sub(gone.elapsed())).await;
    let refused = load.unavailable() - unavailable;
    assert!(refused > 0, "the shop said so");
    // Some may have been under way when the server went.
    assert!(load.acknowledged() - acknowledged <= 16, "without a store nothing is acknowledged");

    tokio::task::block_in_place(|| come_back(server));
    let first = load.next_acknowledged().await;
    load.acknowledged_in_a_row(RECOVERED).await;
    tokio::time::sleep(LOAD_AFTER).await;
    assert_eq!(load.unknown(), 0, "the shop answered everybody");
    let mut clients = load.stop().await;
    for client in &mut clients {
        for _ in 0..ADDITIONS_AFTER {
            assert_eq!(client.add().await, Addition::Acknowledged, "it has recovered");
        }
    }
    assert!(!shop.has_ended());
    check(&mut clients, no_excuse).await;
    let acknowledged: usize = clients.iter().map(|client| client.acknowledged.len()).sum();
    println!("{acknowledged} acknowledged, {refused} refused, back {first:?} after the store");
}

/// The store is away for somebody without a session, too.
async fn newcomer_gets_no_cookie(shop: &Program) {
    let mut newcomer = Client::new("newcomer".to_owned(), shop.address);
    assert_eq!(newcomer.add().await, Addition::Unavailable);
    assert_eq!(newcomer.id, None);
}

async fn a_store_stopped_for_five_seconds_loses_nothing_acknowledged(store: Store) {
    outage(store, Server::stop, Server::restart).await;
}

async fn a_store_killed_and_back_after_five_seconds_loses_nothing_acknowledged(store: Store) {
    outage(store, Server::kill, Server::restart).await;
}

async fn a_store_that_hangs_for_five_seconds_loses_nothing_acknowledged(store: Store) {
    outage(store, Server::pause, Server::resume).await;
}

on_every_server!(a_store_stopped_for_five_seconds_loses_nothing_acknowledged);
on_every_server!(a_store_killed_and_back_after_five_seconds_loses_nothing_acknowledged);
on_every_server!(a_store_that_hangs_for_five_seconds_loses_nothing_acknowledged);
