//! A cluster of Redis.

use std::time::Duration;

use crate::port::Port;
use crate::redis::{Redis, redis_program};
use crate::resp::Reply;
use crate::server::folder;
use crate::until::until;

const MASTERS: usize = 3;
const NODES: usize = 2 * MASTERS;
const SLOTS: usize = 16_384;
/// How long the nodes may take to agree.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three masters, each with one replica, which takes over within a few seconds of the master's death.
pub struct RedisCluster {
    nodes: Vec<Redis>,
    /// Those on which the nodes speak with each other.
    buses: Vec<Port>,
}

impl RedisCluster {
    /// Starts the nodes and waits until all of them agree.
    ///
    /// # Panics
    ///
    /// If they do not.
    #[must_use]
    pub fn start() -> Option<Self> {
        let program = redis_program()?;
        let buses: Vec<Port> = (0..NODES).map(|_| Port::claim()).collect();
        let start = |bus: &Port| {
            let bus = bus.number().to_string();
            let arguments = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            Redis::run(&program, folder(), &[&arguments[..], &SETTINGS].concat())
        };
        let cluster = Self { nodes: buses.iter().map(start).collect(), buses };
        cluster.introduce();
        Some(cluster)
    }

    /// Host and port of each node, the first masters first.
    #[must_use]
    pub fn nodes(&self) -> Vec<(String, u16)> {
        self.nodes.iter().map(|node| ("127.0.0.1".to_owned(), node.port())).collect()
    }

    /// `redis://127.0.0.1:PORT` of each node.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// One node, to stop, pause or restart it.
    #[must_use]
    pub fn node(&self, index: usize) -> &Redis {
        &self.nodes[index]
    }

    /// Which node takes the key's writes, by the word of all that run; waits for the end of a failover.
    ///
    /// # Panics
    ///
    /// If they do not agree on a node that runs.
    #[must_use]
    pub fn master_of(&self, key: &str) -> usize {
        let mut master = None;
        until(PATIENCE, || {
            let running = || (0..NODES).filter(|&index| self.nodes[index].is_running());
            let mut claims = running().map(|index| self.master_as_seen_by(index, key));
            let first = claims.next().flatten();
            master = first.filter(|first| claims.all(|claim| claim == Some(*first)));
            master = master.filter(|&master| self.nodes[master].is_running());
            master.is_some()
        });
        master.expect("the nodes agree on the key's master")
    }

    /// Ends the node as a crash does.
    pub fn kill(&self, index: usize) {
        self.nodes[index].kill();
    }

    /// Starts the node again, with its port and its data.
    pub fn restart(&self, index: usize) {
        self.nodes[index].restart();
    }

    /// Sends one command to one node, which may answer that another node has the key.
    pub fn command<A: AsRef<[u8]>>(&self, index: usize, arguments: &[A]) -> Reply {
        self.nodes[index].command(arguments)
    }

    /// Makes a cluster of nodes that do not know each other.
    fn introduce(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            // While it knows no other node.
            succeed(node, &["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
        }
        for node in &self.nodes {
            for (other, bus) in self.nodes.iter().zip(&self.buses) {
                let (port, bus) = (other.port().to_string(), bus.number().to_string());
                succeed(node, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
            }
        }
        let (masters, replicas) = self.nodes.split_at(MASTERS);
        for (index, master) in masters.iter().enumerate() {
            let first = (index * SLOTS / MASTERS).to_string();
            let last = ((index + 1) * SLOTS / MASTERS - 1).to_string();
            succeed(master, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        }
        self.agree(|node| {
            let about = node.command(&["CLUSTER", "INFO"]).text();
            let nodes = format!("cluster_known_nodes:{NODES}\r\n");
            about.contains("cluster_state:ok") && about.contains(&nodes)
        });
        for (master, replica) in masters.iter().zip(replicas) {
            let id = master.command(&["CLUSTER", "MYID"]).text();
            succeed(replica, &["CLUSTER", "REPLICATE", &id]);
        }
        self.agree(|node| {
            let link = node.command(&["INFO", "replication"]).text();
            // Each range tells its two ends and its nodes.
            let ranges = node.command(&["CLUSTER", "SLOTS"]).list();
            let is_complete = |range: Reply| range.list().len() == 2 + NODES / MASTERS;
            let is_linked = link.contains("role:master") || link.contains("master_link_status:up");
            is_linked && ranges.len() == MASTERS && ranges.into_iter().all(is_complete)
        });
    }

    fn agree(&self, holds: impl Fn(&Redis) -> bool) {
        let agreed = until(PATIENCE, || self.nodes.iter().all(&holds));
        assert!(agreed, "no cluster: {:?}", self.command(0, &["CLUSTER", "NODES"]));
    }

    fn master_as_seen_by(&self, index: usize, key: &str) -> Option<usize> {
        let slot = self.command(index, &["CLUSTER", "KEYSLOT", key]).integer();
        let ranges = self.command(index, &["CLUSTER", "SLOTS"]).list();
        let mut ranges = ranges.into_iter().map(Reply::list);
        let range = ranges.find(|range| {
            let end = |index: usize| range[index].clone().integer();
            (end(0)..=end(1)).contains(&slot)
        })?;
        let port = range[2].clone().list()[1].clone().integer();
        self.nodes.iter().position(|node| i64::from(node.port()) == port)
    }
}

const SETTINGS: [&str; 10] = [
    "--cluster-announce-ip",
    "127.0.0.1",
    "--cluster-node-timeout",
    "1000",
    // Without it, a new replica's first copy waits for more replicas.
    "--repl-diskless-sync-delay",
    "0",
    // The nodes list a replica once it got something, and be it its master's ping.
    "--repl-ping-replica-period",
    "1",
    // A replica may take over however long ago it heard of its master.
    "--cluster-replica-validity-factor",
    "0",
];

fn succeed(node: &Redis, command: &[&str]) {
    assert_eq!(node.command(command), Reply::Status("OK".to_owned()), "{command:?}");
}
