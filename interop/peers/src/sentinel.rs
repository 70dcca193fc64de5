//! Redis watched by sentinels.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::port::Port;
use crate::redis::{Redis, answers, redis_program, under_its_name};
use crate::resp::{self, Reply};
use crate::server::{Server, folder};
use crate::until::until;

const SENTINELS: usize = 3;
/// How long the servers may take to find each other, and a failover to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A master named `mymaster` and one replica, which three sentinels promote about two seconds after the master's death.
pub struct RedisSentinel {
    sentinels: Vec<Sentinel>,
    servers: [Redis; 2],
}

struct Sentinel {
    // Its life is the process's.
    _server: Server,
    port: Port,
}

impl RedisSentinel {
    /// Starts all of them and waits until they know each other.
    ///
    /// # Panics
    ///
    /// If they do not.
    #[must_use]
    pub fn start() -> Option<Self> {
        let program = redis_program()?;
        let master = Redis::run(&program, folder(), &SETTINGS);
        let of = format!("127.0.0.1 {}", master.port());
        let replica =
            Redis::run(&program, folder(), &[&SETTINGS[..], &["--replicaof", &of]].concat());
        let sentinels = (0..SENTINELS).map(|_| Sentinel::start(&program, master.port())).collect();
        let group = Self { sentinels, servers: [master, replica] };
        let know_each_other = until(PATIENCE, || {
            let replication = group.servers[1].command(&["INFO", "replication"]).text();
            replication.contains("master_link_status:up")
                && group.sentinels.iter().all(Sentinel::knows_all)
        });
        assert!(know_each_other, "the sentinels do not find each other");
        Some(group)
    }

    /// The ports of the sentinels on 127.0.0.1; they call the master `mymaster`.
    #[must_use]
    pub fn sentinels(&self) -> Vec<u16> {
        self.sentinels.iter().map(|sentinel| sentinel.port.number()).collect()
    }

    /// The server that runs as the master, by its own word and the sentinels'; waits for the end of a failover.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn master(&self) -> &Redis {
        let mut master = None;
        until(PATIENCE, || {
            let named = |port| self.sentinels.iter().all(|one| one.master() == Some(port));
            let is_master =
                |server: &&Redis| server.is_running() && named(server.port()) && is_master(server);
            master = self.servers.iter().find(is_master);
            master.is_some()
        });
        master.expect("a server is the master")
    }

    /// The other server, which may have been killed.
    #[must_use]
    pub fn replica(&self) -> &Redis {
        let [one, other] = &self.servers;
        if std::ptr::eq(self.master(), one) { other } else { one }
    }

    /// Ends the master as a crash does, and gives it: [`Self::master`] then waits for the new one.
    pub fn kill_master(&self) -> &Redis {
        let master = self.master();
        master.kill();
        master
    }
}

impl Sentinel {
    fn start(program: &Path, master: u16) -> Self {
        let folder = folder();
        let port = Port::claim();
        let number = port.number();
        let settings = format!(
            "port {number}\n\
             bind 127.0.0.1\n\
             sentinel monitor mymaster 127.0.0.1 {master} 2\n\
             sentinel down-after-milliseconds mymaster 1000\n\
             sentinel failover-timeout mymaster 3000\n"
        );
        let path = folder.path().join("sentinel.conf");
        fs::write(&path, settings).expect("the folder can be written to");
        let name = under_its_name(program, folder.path());
        let words = vec![name, path.into(), OsString::from("--sentinel")];
        let server =
            Server::start("Redis Sentinel", folder, words, "TERM", move || answers(number));
        Self { _server: server, port }
    }

    /// The port of the server that it calls the master.
    fn master(&self) -> Option<u16> {
        let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"];
        let answer = resp::command(self.port.number(), &question).ok()?;
        answer.list().pop()?.text().parse().ok()
    }

    fn knows_all(&self) -> bool {
        let Ok(Reply::List(fields)) =
            resp::command(self.port.number(), &["SENTINEL", "MASTER", "mymaster"])
        else {
            return false;
        };
        let fields: Vec<String> = fields.into_iter().map(Reply::text).collect();
        let is = |name: &str, value: &str| fields.chunks(2).any(|pair| pair == [name, value]);
        is("num-slaves", "1")
            && is("num-other-sentinels", &(SENTINELS - 1).to_string())
            && is("flags", "master")
    }
}

fn is_master(server: &Redis) -> bool {
    server.command(&["INFO", "replication"]).text().contains("role:master")
}

// Without it, a new replica's first copy waits for more replicas.
const SETTINGS: [&str; 2] = ["--repl-diskless-sync-delay", "0"];
