//! The servers that work together fail over, and TLS is what is spoken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use interop_peers::{Redis, RedisCluster, RedisSentinel, Reply};

fn ok() -> Reply {
    Reply::Status("OK".to_owned())
}

#[test]
fn a_replica_of_the_cluster_takes_over_from_a_killed_master() {
    let Some(cluster) = RedisCluster::start() else { return };
    let master = cluster.master_of("coat");
    assert!(master < 3);
    assert_eq!(cluster.command(master, &["SET", "coat", "red"]), ok());
    assert_eq!(cluster.command(master, &["WAIT", "1", "5000"]), Reply::Integer(1));
    cluster.kill(master);
    let promoted = cluster.master_of("coat");
    assert_eq!(promoted, master + 3);
    assert_eq!(cluster.command(promoted, &["GET", "coat"]).text(), "red");
    cluster.restart(master);
}

#[test]
fn the_sentinels_promote_the_replica_of_a_killed_master() {
    let Some(group) = RedisSentinel::start() else { return };
    let master = group.master();
    assert_eq!(master.command(&["SET", "coat", "red"]), ok());
    assert_eq!(master.command(&["WAIT", "1", "5000"]), Reply::Integer(1));
    let killed = group.kill_master();
    let promoted = group.master();
    assert_ne!(promoted.port(), killed.port());
    assert_eq!(promoted.command(&["GET", "coat"]).text(), "red");
    assert_eq!(group.sentinels().len(), 3);
    assert_eq!(group.replica().port(), killed.port());
}

#[test]
fn tls_is_spoken_with_a_certificate_of_the_authority() {
    let Some(redis) = Redis::start_tls() else { return };
    assert_eq!(redis.command(&["PING"]).text(), "PONG");
    assert_eq!(redis.url(), format!("rediss://127.0.0.1:{}", redis.port()));
    let output = std::process::Command::new("openssl")
        .args(["s_client", "-brief", "-verify_return_error", "-verify_ip", "127.0.0.1", "-CAfile"])
        .arg(redis.ca_path())
        .args(["-connect", &format!("127.0.0.1:{}", redis.port())])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("Verification: OK"), "{said}");
}
