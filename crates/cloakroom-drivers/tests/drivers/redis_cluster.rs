//! The `redis` driver on a cluster, each node of which has a share of the keys.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::conformance;
use crate::redis_support::{key, open, put, read, until, written};
use cloakroom_drivers::redis::{ClusterNode, ClusterOptions, Options, Redis};
use cloakroom_storage::{Driver, DynDriver, SetOutcome, When};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use interop_peers::{Proxy, RedisCluster};
use serde_json::{Value, json};

fn options(cluster: &RedisCluster) -> Value {
    let nodes = cluster.nodes().into_iter().take(2);
    let nodes: Vec<_> = nodes.map(|(host, port)| json!({ "host": host, "port": port })).collect();
    json!({ "cluster": nodes })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_on_a_cluster() {
    let Some(cluster) = RedisCluster::start() else { return };
    conformance::run(|| open(options(&cluster))).await;
}

#[tokio::test]
async fn every_way_to_name_the_nodes_is_understood() {
    let Some(cluster) = RedisCluster::start() else { return };
    let port = cluster.nodes()[0].1;
    for nodes in [
        json!([port]),
        json!([format!("redis://127.0.0.1:{port}")]),
        json!([{ "port": port }, { "host": "127.0.0.1", "port": port }]),
        json!([{ "port": 1 }, { "port": port }]),
    ] {
        let cluster_options = json!({
            "redisOptions": { "connectTimeout": 1000 }, "scaleReads": "master", "maxRedirections": 4,
            "keyPrefix": "app-", "slotsRefreshTimeout": 500,
        });
        let options =
            json!({ "cluster": nodes, "clusterOptions": cluster_options, "base": "sess" });
        put(&open(options).await, "id", "value").await;
        let master = cluster.master_of("app-sess:id");
        assert_eq!(cluster.command(master, &["GET", "app-sess:id"]).text(), "value");
        cluster.command(master, &["DEL", "app-sess:id"]);
    }
}

#[tokio::test]
async fn a_program_sets_the_options_of_a_cluster_as_fields() {
    let Some(cluster) = RedisCluster::start() else { return };
    let port = cluster.nodes()[0].1;
    let (mut options, mut whole, mut each) =
        (Options::default(), ClusterOptions::default(), Options::default());
    each.connect_timeout = Some(1000);
    whole.redis_options = each.into();
    whole.max_redirections = Some(4);
    whole.key_prefix = "app-".to_owned();
    options.cluster = Some(vec![ClusterNode::new(format!("redis://127.0.0.1:{port}"))]);
    options.cluster_options = whole.into();
    options.base = "sess".to_owned();
    put(&Redis::new(options.clone()).await.unwrap(), "id", "value").await;
    let master = cluster.master_of("app-sess:id");
    assert_eq!(cluster.command(master, &["GET", "app-sess:id"]).text(), "value");

    options.near_cache = Some(Default::default());
    let error = Redis::new(options).await.unwrap_err();
    assert!(error.to_string().contains("option `nearCache`"), "{error}");
}

#[tokio::test]
async fn keys_are_spread_and_listed_from_every_node() {
    let Some(cluster) = RedisCluster::start() else { return };
    let driver = open(options(&cluster)).await;
    let names: HashSet<_> = (0..300).map(|index| format!("item:{index}")).collect();
    for name in &names {
        put(&driver, name, "value").await;
    }
    for node in 0..3 {
        let held = cluster.command(node, &["DBSIZE"]).integer();
        assert!(held > 30, "{held} of 300 on node {node}");
    }
    let listed: Vec<_> = driver.keys("item:").try_collect().await.unwrap();
    assert_eq!(listed.len(), 300, "a key is listed twice");
    let listed: HashSet<_> = listed.iter().map(|key| key.as_str().to_owned()).collect();
    assert_eq!(listed, names);
}

#[tokio::test]
async fn every_call_costs_one_round_trip_to_the_node_that_has_the_key() {
    let Some(cluster) = RedisCluster::start() else { return };
    let master = cluster.master_of("id");
    // The masters say that they are where the proxies are. Replicas would come through these as well.
    (3..6).for_each(|replica| cluster.kill(replica));
    let masters = cluster.nodes().into_iter().take(3);
    let proxies: Vec<_> = masters.map(|(_, port)| Proxy::start(port)).collect();
    for (index, proxy) in proxies.iter().enumerate() {
        let port = proxy.port().to_string();
        cluster.command(index, &["CONFIG", "SET", "cluster-announce-port", &port]);
    }
    let agree = async || {
        (0..3).all(|node| {
            let nodes = cluster.command(node, &["CLUSTER", "NODES"]).text();
            let here = |proxy: &Proxy| nodes.contains(&format!("127.0.0.1:{}@", proxy.port()));
            proxies.iter().all(here) && nodes.matches("slave,fail ").count() == 3
        })
    };
    until("the masters agree", agree).await;
    let driver = open(json!({ "cluster": [proxies[0].port()] })).await;
    let id = key("id");
    let version = put(&driver, "id", "0").await;
    // The node learns the script, and what it does not know is learned of the node.
    let set = driver.set(&id, "1".into(), When::Version(version), None).await;
    driver.remove(&id, When::Version(written(set.unwrap()))).await.unwrap();
    let version = put(&driver, "id", "1").await;
    let hour = Some(Duration::from_secs(3600));

    let count = |name: &str| {
        let trips: Vec<_> = proxies.iter().map(Proxy::round_trips).collect();
        assert_eq!((trips.iter().sum::<u64>(), trips[master]), (1, 1), "{name}: {trips:?}");
        proxies.iter().for_each(Proxy::reset);
    };
    proxies.iter().for_each(Proxy::reset);
    driver.get(&id).await.unwrap();
    count("get");
    driver.get_with_ttl(&id).await.unwrap();
    count("get_with_ttl");
    let set = driver.set(&id, "2".into(), When::Version(version), hour).await;
    let version = written(set.unwrap());
    count("set on a version");
    driver.touch(&id, hour).await.unwrap();
    count("touch");
    driver.touch(&id, None).await.unwrap();
    count("touch for ever");
    driver.remove(&id, When::Version(version)).await.unwrap();
    count("remove of a version");
    written(driver.set(&id, "3".into(), When::Absent, hour).await.unwrap());
    count("set where absent");
    driver.remove(&id, When::Always).await.unwrap();
    count("remove");
}

#[tokio::test]
async fn a_key_that_moves_to_another_node_is_followed() {
    let Some(cluster) = RedisCluster::start() else { return };
    let driver = open(options(&cluster)).await;
    let mut version = put(&driver, "id", "0").await;
    let (from, slot) = (cluster.master_of("id"), cluster.command(0, &["CLUSTER", "KEYSLOT", "id"]));
    let (from, slot) = (from, slot.integer().to_string());
    let to = (from + 1) % 3;
    let id = |node: usize| cluster.command(node, &["CLUSTER", "MYID"]).text();
    let (from_id, to_id) = (id(from), id(to));

    // Half-way: the one node sends those who ask to the other, for this question alone.
    cluster.command(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    cluster.command(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let port = cluster.nodes()[to].1.to_string();
    let moved = cluster.command(from, &["MIGRATE", "127.0.0.1", &port, "id", "0", "5000"]);
    assert_eq!(moved.text(), "OK");
    for round in 1..4 {
        assert_eq!(read(&driver, "id").await.unwrap(), Some((round - 1).to_string()));
        let when = When::Version(version);
        let set = driver.set(&key("id"), round.to_string().into(), when, None).await;
        version = written(set.unwrap());
    }
    for node in [to, from] {
        cluster.command(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("3"));
    let set = driver.set(&key("id"), "4".into(), When::Version(version), None).await;
    written(set.unwrap());
    assert_eq!(cluster.command(to, &["GET", "id"]).text(), "4");
}

/// Counts up in one item, and tells how often that was acknowledged and how often nobody knows.
async fn count(
    driver: DynDriver,
    name: String,
    done: Arc<AtomicUsize>,
    end: Arc<AtomicBool>,
) -> (u64, u64) {
    let (mut acknowledged, mut unknown) = (0, 0);
    while !end.load(Ordering::Relaxed) {
        tokio::task::yield_now().await;
        let Ok(Some(item)) = driver.get(&key(&name)).await else { continue };
        let number: u64 = std::str::from_utf8(&item.value).unwrap().parse().unwrap();
        let next = (number + 1).to_string().into();
        match driver.set(&key(&name), next, When::Version(item.version), None).await {
            Ok(SetOutcome::Written { .. }) => {
                acknowledged += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(SetOutcome::Conflict) => {}
            Err(error) if error.is_unapplied() => {}
            Err(_) => unknown += 1,
        }
    }
    (acknowledged, unknown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_master_is_replaced_without_a_restart_and_nothing_is_done_twice() {
    let Some(cluster) = RedisCluster::start() else { return };
    let driver = open(options(&cluster)).await;
    let names: Vec<_> = (0..12).map(|index| format!("counter-{index}")).collect();
    for name in &names {
        put(&driver, name, "0").await;
    }
    let (end, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let counters: Vec<_> = names
        .iter()
        .map(|name| tokio::spawn(count(driver.clone(), name.clone(), done.clone(), end.clone())))
        .collect();
    let so_far = || done.load(Ordering::Relaxed);
    until("counting", async || so_far() > 300).await;

    let victim = cluster.master_of(&names[0]);
    let begin = Instant::now();
    let held = tokio::task::block_in_place(|| {
        cluster.kill(victim);
        let successor = cluster.master_of(&names[0]);
        cluster.command(successor, &["GET", &names[0]]).text().parse::<u64>().unwrap()
    });
    let failover = begin.elapsed();
    let reached = until("counting on the new master", async || {
        let number = read(&driver, &names[0]).await.ok().flatten().unwrap_or_default();
        number.parse::<u64>().is_ok_and(|number| number > held + 20)
    });
    println!("failed over after {failover:?}, counting again {:?} later", reached.await);
    end.store(true, Ordering::Relaxed);

    for (name, counter) in names.iter().zip(join_all(counters).await) {
        let (acknowledged, unknown) = counter.unwrap();
        let number = read(&driver, name).await.unwrap().unwrap().parse::<u64>().unwrap();
        // Each write that was acknowledged counts once, each of the others at most once. A replica that took over may
        // lack some of them.
        assert!(number <= acknowledged + unknown, "{name}: {number} > {acknowledged} + {unknown}");
        if cluster.master_of(name) < 3 {
            assert!(number >= acknowledged, "{name}: {number} < {acknowledged}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_not_answered_in_time_does_not_find_its_own_result_in_its_way() {
    let Some(cluster) = RedisCluster::start() else { return };
    let timeout = Duration::from_millis(300);
    let mut options = options(&cluster);
    options["clusterOptions"] =
        json!({ "redisOptions": { "commandTimeout": timeout.as_millis() } });
    let driver = open(options).await;
    let version = put(&driver, "id", "x").await;
    // The server learns the script.
    let set = driver.set(&key("id"), "0".into(), When::Version(version), None).await;
    let version = written(set.unwrap());
    let master = cluster.master_of("id");

    cluster.node(master).pause();
    let write = tokio::spawn({
        let driver = driver.clone();
        async move { driver.set(&key("id"), "1".into(), When::Version(version), None).await }
    });
    tokio::time::sleep(timeout + timeout / 3).await;
    cluster.node(master).resume();
    let error = write.await.unwrap().expect_err("nobody knows what became of it");
    assert!(!error.is_unapplied(), "{error}");
    let arrived = async || read(&driver, "id").await.ok().flatten().as_deref() == Some("1");
    until("the write arrives", arrived).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_halted_master_is_replaced_too() {
    let Some(cluster) = RedisCluster::start() else { return };
    let mut options = options(&cluster);
    options["clusterOptions"] =
        json!({ "redisOptions": { "commandTimeout": 500, "connectTimeout": 500 } });
    let driver = open(options).await;
    put(&driver, "id", "value").await;
    let master = cluster.master_of("id");
    cluster.node(master).pause();
    let took = until("a write", async || {
        let begin = Instant::now();
        let set = driver.set(&key("id"), "other".into(), When::Always, None).await;
        assert!(begin.elapsed() < Duration::from_secs(8), "a call hung for {:?}", begin.elapsed());
        set.is_ok()
    });
    println!("written again {:?} after the master was halted", took.await);
    cluster.node(master).resume();
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("other"));
}

#[tokio::test]
async fn a_cluster_that_is_away_is_an_error_and_is_found_when_it_is_back() {
    let Some(cluster) = RedisCluster::start() else { return };
    for index in 0..6 {
        cluster.kill(index);
    }
    let driver = open(options(&cluster)).await;
    let begin = Instant::now();
    assert!(read(&driver, "id").await.unwrap_err().is_retryable());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    for index in 0..6 {
        cluster.restart(index);
    }
    until("read", async || read(&driver, "id").await.is_ok()).await;
}
