//! What the package `@cloakroom/astro` costs an Astro site: the same site with it and without it, in turn.

use std::fs;

use anyhow::{Context as _, Result};

use crate::served::process;
use crate::served::server::Server;
use crate::served::site::Site;
use figures::comparison::{Comparison, Unit::Microseconds};
use figures::measure::{Series, Settings};

const PEER: &str = "Astro 7.3";

/// Fewer than there are sessions: no two requests meet in one.
const CONNECTIONS: usize = 16;

/// Many short rounds tell more than a few long ones where the machine does something else, too.
const SECONDS: u64 = 1;

/// How much it may cost: a tenth more for what reads, a quarter more for what writes, but for files.
const READ: f64 = 1.0 / 1.1;
const WRITE: f64 = 1.0 / 1.25;

/// A store, what is asked, and which ratio of the processor's time is to be reached.
const CASES: [(&str, &str, &str, Option<f64>); 4] = [
    ("redis", "GET", "/cart", Some(READ)),
    ("redis", "POST", "/add", Some(WRITE)),
    ("files", "GET", "/cart", Some(READ)),
    ("files", "POST", "/add", None),
];

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let target = settings.root.join("bench/target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(target)?;
    let (_redis, _) = process::redis(folder.path())?;
    let site = Site::build(settings)?;
    let mut rows = Vec::new();
    for (store, method, path, target) in CASES {
        let start = |kind: &str| {
            let command = site.server(store, kind, folder.path());
            let server = Server::start(settings, command, folder.path(), true);
            server.with_context(|| format!("{store}, {kind}"))
        };
        let [ours, peer] = in_turn(settings, [start("package")?, start("plain")?], method, path)?;
        let name = |what: &str| format!("{what}, {method} {path}, {store}");
        let used = Comparison::new(name("processor's time"), Microseconds, &ours.used, &peer.used);
        rows.push(match target {
            Some(target) => used.target(target),
            None => used,
        });
        rows.push(Comparison::new(name("latency"), Microseconds, &ours.waited, &peer.waited));
    }
    Ok(rows)
}

/// One side: the processor's time for a request, its children's included, and how long one waits that is alone.
struct Measured {
    used: Series,
    waited: Series,
}

/// The first round warms both up and is not counted.
fn in_turn(
    settings: &Settings,
    servers: [Server; 2],
    method: &str,
    path: &str,
) -> Result<[Measured; 2]> {
    let mut measured = ["ours", PEER].map(|name| {
        let series = || Series { name: name.to_owned(), samples: Vec::new() };
        Measured { used: series(), waited: series() }
    });
    let rounds = if settings.quick { 1 } else { 25 };
    for round in 0..=rounds {
        for (server, measured) in servers.iter().zip(&mut measured) {
            let before = server.processor_time()?;
            let load = server.load(SECONDS, CONNECTIONS, method, path)?;
            let used = (server.processor_time()? - before) / load.requests;
            let waited = 1e6 / server.load(SECONDS, 1, method, path)?.per_second;
            if round > 0 {
                measured.used.samples.push(used);
                measured.waited.samples.push(waited);
            }
        }
    }
    Ok(measured)
}
