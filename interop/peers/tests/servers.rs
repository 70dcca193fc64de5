//! Each server starts, keeps its data over a stop and a death, can be halted, and ends with its value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use interop_peers::{MariaDb, Postgres, Redis, Reply, Server};

fn is_there(pid: u32) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap()
}

/// Writes, ends the server in both ways, and reads.
fn keeps_its_data(server: &Server, write: impl Fn(&str), read: impl Fn() -> String) {
    write("red");
    server.stop();
    assert!(!server.is_running());
    server.restart();
    assert_eq!(read(), "red");
    write("blue");
    server.kill();
    server.restart();
    assert_eq!(read(), "blue");
}

fn redis_keeps_its_data(redis: &Redis) {
    let write = |text: &str| {
        assert_eq!(redis.command(&["SET", "coat", text]), Reply::Status("OK".to_owned()));
    };
    keeps_its_data(redis, write, || redis.command(&["GET", "coat"]).text());
}

#[test]
fn redis_keeps_its_data_over_a_stop_and_a_death() {
    let Some(redis) = Redis::start() else { return };
    redis_keeps_its_data(&redis);
}

#[test]
fn valkey_keeps_its_data_over_a_stop_and_a_death() {
    let Some(valkey) = Redis::valkey() else { return };
    let about = valkey.command(&["INFO", "server"]).text();
    assert!(about.contains("valkey_version"), "{about}");
    redis_keeps_its_data(&valkey);
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS coat (colour VARCHAR(9)); DELETE FROM coat;";

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn psql(postgres: &Postgres, query: &str) -> String {
    let mut command = Command::new("psql");
    output(command.args(["--no-psqlrc", "-qtA", "-c", query]).arg(postgres.url()))
}

#[test]
fn postgres_keeps_its_data_over_a_stop_and_a_death() {
    let Some(postgres) = Postgres::start() else { return };
    let write = |text: &str| {
        psql(&postgres, &format!("{TABLE} INSERT INTO coat VALUES ('{text}')"));
    };
    keeps_its_data(&postgres, write, || psql(&postgres, "SELECT colour FROM coat"));
}

fn mariadb(server: &MariaDb, query: &str) -> String {
    let port = server.port().to_string();
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "-h", "127.0.0.1", "-P", &port, "-u", "cloakroom", "cloakroom"]);
    output(command.args(["-N", "-B", "-e", query]))
}

#[test]
fn mariadb_keeps_its_data_over_a_stop_and_a_death() {
    let Some(server) = MariaDb::start() else { return };
    let write = |text: &str| {
        mariadb(&server, &format!("{TABLE} INSERT INTO coat VALUES ('{text}')"));
    };
    keeps_its_data(&server, write, || mariadb(&server, "SELECT colour FROM coat"));
}

#[test]
fn a_halted_server_keeps_its_connections_and_answers_nothing_until_it_goes_on() {
    let Some(redis) = Redis::start() else { return };
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    redis.pause();
    stream.write_all(b"PING\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let error = stream.read(&mut [0; 7]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    redis.resume();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn the_processes_of_postgres_are_halted_with_it() {
    let Some(postgres) = Postgres::start() else { return };
    let mut client =
        Command::new("psql").arg("-qtA").arg(postgres.url()).args(["-c", SLEEP]).spawn().unwrap();
    let backends =
        || psql(&postgres, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sl%'");
    let mut backend = String::new();
    wait(|| {
        backend = backends();
        !backend.is_empty()
    });
    let state = || fs::read_to_string(format!("/proc/{backend}/stat")).unwrap_or_default();
    postgres.pause();
    wait(|| state().contains(") T "));
    postgres.resume();
    wait(|| !state().contains(") T "));
    postgres.kill();
    wait(|| state().is_empty());
    client.wait().unwrap();
}

const SLEEP: &str = "SELECT pg_sleep(600)";

fn wait(mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "waited for too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_server_ends_with_its_value() {
    let servers = (Redis::start(), Postgres::start(), MariaDb::start());
    let (Some(redis), Some(postgres), Some(mariadb)) = servers else { return };
    let pids = [redis.pid(), postgres.pid(), mariadb.pid()];
    assert!(pids.into_iter().all(is_there));
    drop((redis, postgres, mariadb));
    assert!(!pids.into_iter().any(is_there));
}

const REPORT: &str = "INTEROP_PEERS_TEST_REPORT";

#[test]
fn a_server_and_its_folder_go_with_a_killed_test() {
    let report = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_starts_servers", "--ignored"])
        .env(REPORT, report.path())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    wait(|| {
        let text = fs::read_to_string(report.path()).unwrap();
        lines = text.lines().map(str::to_owned).collect();
        text.ends_with("ready\n") || child.try_wait().unwrap().is_some()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    if lines.last().is_none_or(|line| line == "skipped") {
        return;
    }
    for pid in lines.iter().filter_map(|line| line.parse().ok()) {
        wait(|| !is_there(pid));
    }
    for folder in lines.iter().filter(|line| line.starts_with('/')).map(PathBuf::from) {
        wait(|| !folder.exists());
    }
}

#[test]
#[ignore = "a part of `a_server_and_its_folder_go_with_a_killed_test`"]
fn child_starts_servers() {
    let Some(report) = std::env::var_os(REPORT) else { return };
    let servers = (Redis::start(), Postgres::start(), MariaDb::start());
    let (Some(redis), Some(postgres), Some(mariadb)) = &servers else {
        fs::write(report, "skipped\n").unwrap();
        return;
    };
    let servers: [&Server; 3] = [redis, postgres, mariadb];
    let mut text = String::new();
    for server in servers {
        let pid = server.pid();
        let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
        text.push_str(&format!("{pid}\n{}\n", folder.display()));
    }
    postgres.pause();
    fs::write(report, text + "ready\n").unwrap();
    loop {
        std::thread::park();
    }
}
