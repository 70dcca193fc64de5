//! Each server starts, keeps its data over a stop and a death, can be halted, and ends with its value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use interop_peers::{MariaDb, Postgres, Redis, Reply};

fn is_there(pid: u32) -> bool {
    std::fs::exists(format!("/proc/{pid}")).unwrap()
}

fn keeps_its_data(redis: &Redis) {
    let stored = redis.command(&["SET", "coat", "red"]);
    assert_eq!(stored, Reply::Status("OK".to_owned()));
    redis.stop();
    redis.restart();
    assert_eq!(redis.command(&["GET", "coat"]).text(), "red");
    redis.command(&["SET", "coat", "blue"]);
    redis.kill();
    redis.restart();
    assert_eq!(redis.command(&["GET", "coat"]).text(), "blue");
}

#[test]
fn redis_keeps_its_data() {
    let Some(redis) = Redis::start() else { return };
    keeps_its_data(&redis);
}

#[test]
fn valkey_keeps_its_data() {
    let Some(valkey) = Redis::valkey() else { return };
    let about = valkey.command(&["INFO", "server"]).text();
    assert!(about.contains("valkey_version"), "{about}");
    keeps_its_data(&valkey);
}

#[test]
fn postgres_starts() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.stop();
    postgres.restart();
    postgres.kill();
    postgres.restart();
    let pid = postgres.pid();
    drop(postgres);
    assert!(!is_there(pid));
}

#[test]
fn mariadb_starts() {
    let Some(mariadb) = MariaDb::start() else { return };
    mariadb.stop();
    mariadb.restart();
    mariadb.kill();
    mariadb.restart();
    let pid = mariadb.pid();
    drop(mariadb);
    assert!(!is_there(pid));
}
