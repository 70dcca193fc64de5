//! Several processes that change one session at once.
//!
//! The test binary starts itself again with the test `child_updates`, which does nothing by itself.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use cloakroom::adapter::Commit;
use interop_peers::Store;
use tokio::task::JoinSet;

use crate::{CART, configured, cookies, sessions, visit};

const CONFIG: &str = "CLOAKROOM_TEST_CONFIG";
const COOKIE: &str = "CLOAKROOM_TEST_COOKIE";
const PROCESS: &str = "CLOAKROOM_TEST_PROCESS";
const UPDATES: &str = "CLOAKROOM_TEST_UPDATES";
const READY: &str = "ready to update";
const PROCESSES: usize = 8;

async fn eight_processes_with_100_updates_each_lose_none(store: Store) {
    eight_processes_lose_none(store, 100).await;
}

async fn eight_processes_with_20_updates_each_lose_none(store: Store) {
    eight_processes_lose_none(store, 20).await;
}

async fn eight_processes_lose_none(store: Store, updates: usize) {
    let sessions = sessions(&store).await;
    let cookie = visit(&sessions).await;
    let mut children: Vec<Child> =
        (0..PROCESSES).map(|process| start(process, updates, &store.config(), &cookie)).collect();
    // All of them are ready before the first begins.
    let mut outputs = Vec::new();
    for child in &mut children {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.ends_with(READY)), "a process failed");
        outputs.push(lines);
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    drop(outputs);

    let cart = sessions.session(cookies(&cookie)).get(CART).await.unwrap().unwrap();
    assert_eq!(cart.len(), PROCESSES * updates);
    assert_eq!(cart.iter().collect::<BTreeSet<_>>().len(), PROCESSES * updates);
}

fn start(process: usize, updates: usize, config: &str, cookie: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "processes::child_updates", "--ignored", "--nocapture"])
        .env(CONFIG, config)
        .env(COOKIE, cookie)
        .env(PROCESS, process.to_string())
        .env(UPDATES, updates.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of `eight_processes_lose_none`"]
async fn child_updates() {
    let (Ok(config), Ok(cookie)) = (env::var(CONFIG), env::var(COOKIE)) else { return };
    let process = env::var(PROCESS).unwrap();
    let count: usize = env::var(UPDATES).unwrap().parse().unwrap();
    let sessions = configured(&config).await;
    println!("{READY}");
    std::io::stdin().lines().next().unwrap().unwrap();
    let mut updates = JoinSet::new();
    for number in 0..count {
        let session = sessions.session(cookies(&cookie));
        let item = format!("{process}-{number}");
        updates.spawn(async move {
            let cart = session.update(CART, |cart| cart.push(item.clone())).await.unwrap();
            assert!(cart.contains(&item));
            session.finish().await.unwrap();
        });
    }
    updates.join_all().await;
}

on_every_real_store!(eight_processes_with_100_updates_each_lose_none);
on_every_stand_in!(eight_processes_with_20_updates_each_lose_none);

/// The other tests list keys, which memcached cannot.
mod on_memcached {
    on!(eight_processes_with_100_updates_each_lose_none, memcached, memcached());
}
