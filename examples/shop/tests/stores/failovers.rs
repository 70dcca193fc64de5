//! The master dies under load and its replica takes over; the shop stays.
//!
//! Redis replicates after it has acknowledged, so what its replica had not got yet is lost with the master. Everything
//! else is there: what the promoted replica held, and what was acknowledged after that.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use interop_peers::{Peer, Redis, Reply, Store};

use crate::client::{Addition, Client};
use crate::load::{Load, check};
use crate::program::Program;

const LOAD_BEFORE: Duration = Duration::from_secs(1);
const LOAD_AFTER: Duration = Duration::from_secs(2);
/// The shop has recovered when so many additions in a row are acknowledged.
const RECOVERED: usize = 100;
const ADDITIONS_AFTER: usize = 10;

/// What the promoted server holds, and when that was asked.
struct Kept {
    records: BTreeMap<String, String>,
    when: Instant,
}

async fn a_master_killed_under_load_loses_nothing_that_its_replica_had(store: Store) {
    let mut shop = Program::start(&store);
    let load = Load::start(shop.address).await;
    tokio::time::sleep(LOAD_BEFORE).await;
    load.next_acknowledged().await;

    let kept = tokio::task::block_in_place(|| fail_over(&store));
    let first = load.next_acknowledged().await;
    load.acknowledged_in_a_row(RECOVERED).await;
    tokio::time::sleep(LOAD_AFTER).await;
    let refused = load.unavailable();
    assert!(refused > 0, "the shop said so");
    assert_eq!(load.unknown(), 0, "the shop answered everybody");
    let mut clients = load.stop().await;
    for client in &mut clients {
        for _ in 0..ADDITIONS_AFTER {
            assert_eq!(client.add().await, Addition::Acknowledged, "it has recovered");
        }
    }
    assert!(!shop.has_ended());

    let was_not_replicated = |client: &Client, item: &str, when: Instant| {
        let record = kept.records.get(client.id.as_ref().unwrap());
        when < kept.when && record.is_some_and(|record| !record.contains(&format!("\"{item}\"")))
    };
    let lost = check(&mut clients, was_not_replicated).await;
    println!("{refused} refused, {lost} not replicated, back {first:?} after the promotion");
}

/// Kills a master that holds sessions, and waits until another server has taken over.
fn fail_over(store: &Store) -> Kept {
    match store.peer() {
        Peer::RedisCluster(cluster) => {
            let holds_sessions = |&node: &usize| !records(cluster.node(node)).is_empty();
            let master = (0..3).find(holds_sessions).unwrap();
            let key = records(cluster.node(master)).into_keys().next().unwrap();
            cluster.kill(master);
            Kept::by(cluster.node(cluster.master_of(&key)))
        }
        Peer::RedisSentinel(group) => {
            group.kill_master();
            Kept::by(group.master())
        }
        _ => panic!("no group"),
    }
}

impl Kept {
    fn by(server: &Redis) -> Self {
        Self { when: Instant::now(), records: records(server) }
    }
}

/// The records by their keys, as a raw client sees them.
fn records(server: &Redis) -> BTreeMap<String, String> {
    let keys = server.command(&["KEYS", "*"]).list().into_iter().map(Reply::text);
    keys.map(|key| (server.command(&["GET", &key]).text(), key))
        .map(|(value, key)| (key, value))
        .collect()
}

on_every_group!(a_master_killed_under_load_loses_nothing_that_its_replica_had);
