//! The `redis` driver behind sentinels, which say who the master is.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::conformance;
use crate::redis_support::{key, open, put, read, until};
use cloakroom_drivers::redis::{Options, Redis, SentinelAddress};
use cloakroom_storage::{DynDriver, ErrorKind, SetOutcome, When};
use futures_util::future::join_all;
use interop_peers::RedisSentinel;
use serde_json::{Value, json};

fn options(sentinels: &RedisSentinel) -> Value {
    let addresses = sentinels.sentinels().into_iter();
    let addresses: Vec<_> =
        addresses.map(|port| json!({ "host": "127.0.0.1", "port": port })).collect();
    json!({ "sentinels": addresses, "name": "mymaster", "role": "master" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_behind_sentinels() {
    let Some(sentinels) = RedisSentinel::start() else { return };
    conformance::run(|| open(options(&sentinels))).await;
}

#[tokio::test]
async fn sentinels_that_do_not_know_the_name_say_so() {
    let Some(sentinels) = RedisSentinel::start() else { return };
    let mut options = options(&sentinels);
    options["name"] = "another".into();
    let error = read(&open(options).await, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("`name`"), "{error}");
}

#[tokio::test]
async fn a_sentinel_that_is_down_is_passed_over() {
    let Some(sentinels) = RedisSentinel::start() else { return };
    let mut options = options(&sentinels);
    options["sentinels"].as_array_mut().unwrap().insert(0, json!({ "port": 1 }));
    put(&open(options).await, "id", "value").await;
}

#[tokio::test]
async fn a_program_sets_the_options_of_sentinels_as_fields() {
    let Some(sentinels) = RedisSentinel::start() else { return };
    let addresses = sentinels.sentinels().into_iter().map(|port| {
        let mut address = SentinelAddress::new("127.0.0.1");
        address.port = Some(port);
        address
    });
    let mut options = Options::default();
    options.sentinels = Some(addresses.collect());
    options.name = Some("mymaster".to_owned());
    put(&Redis::new(options).await.unwrap(), "id", "value").await;
}

/// Writes new items until it is told to end, and notes those that were acknowledged.
async fn write(
    driver: DynDriver,
    writer: usize,
    stored: Arc<Mutex<Vec<String>>>,
    end: Arc<AtomicBool>,
) {
    let mut index = 0;
    while !end.load(Ordering::Relaxed) {
        let name = format!("{writer}-{index}");
        let set = driver.set(&key(&name), name.clone().into(), When::Absent, None).await;
        if matches!(set, Ok(SetOutcome::Written { .. })) {
            stored.lock().unwrap().push(name);
        }
        index += 1;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_a_failover_loses_nothing_that_the_new_master_has_or_acknowledged() {
    let Some(sentinels) = RedisSentinel::start() else { return };
    let driver = open(options(&sentinels)).await;
    let (stored, end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..8)
        .map(|writer| tokio::spawn(write(driver.clone(), writer, stored.clone(), end.clone())))
        .collect();
    let count = || stored.lock().unwrap().len();
    until("writes", async || count() > 200).await;

    let begin = Instant::now();
    let promoted = tokio::task::block_in_place(|| {
        sentinels.kill_master();
        sentinels.master()
    });
    let (promotion, acknowledged) = (begin.elapsed(), count());
    // What the replica had when it took over, and perhaps the first that was written since.
    let held = promoted.command(&["KEYS", "*"]).list().into_iter().map(|key| key.text());
    let held: HashSet<_> = held.collect();
    until("writes to the new master", async || count() > acknowledged + 200).await;
    println!("promoted after {promotion:?}, 200 more writes after {:?}", begin.elapsed());
    end.store(true, Ordering::Relaxed);
    for writer in join_all(writers).await {
        writer.unwrap();
    }

    let stored = stored.lock().unwrap().clone();
    let since = stored[acknowledged..].iter();
    assert!(held.len() > 100, "{} items", held.len());
    for name in held.iter().chain(since) {
        assert_eq!(read(&driver, name).await.unwrap().as_ref(), Some(name));
    }
    let lost = stored.iter().filter(|name| promoted.command(&["EXISTS", name]).integer() == 0);
    println!(
        "{} of {} acknowledged before the kill were not replicated",
        lost.count(),
        stored.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_idle_store_finds_the_new_master_at_its_next_call() {
    let Some(sentinels) = RedisSentinel::start() else { return };
    let driver = open(options(&sentinels)).await;
    put(&driver, "id", "value").await;
    let replicated = async || sentinels.replica().command(&["EXISTS", "id"]).integer() == 1;
    until("the replica has it", replicated).await;
    tokio::task::block_in_place(|| {
        sentinels.kill_master();
        let _promoted = sentinels.master();
    });
    until("read", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("value"));
    put(&driver, "id", "other").await;
}
