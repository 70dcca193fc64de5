//! Servers under load: a server on one core, 64 connections, sessions of 1 KB.

mod cores;
mod disk;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod site;

use std::fs;

use anyhow::{Context as _, Result};

use figures::comparison::{
    Comparison,
    Unit::{Megabytes, RequestsPerSecond},
};
use figures::measure::{Series, Settings};
use server::Server;
use site::Site;

const BARE: &str = "axum, no sessions";
const CLIENT: &str = "redis-rs, the same commands";
const TOWER_SESSIONS: &str = "tower-sessions 0.15, memory";
const TOWER_SESSIONS_REDIS: &str = "tower-sessions 0.14, Redis";
const ASTRO_FILES: &str = "Astro 7.3, files";
const ASTRO_REDIS: &str = "Astro 7.3, Redis";
const MEMORY: &str = "ours, memory";
const REDIS: &str = "ours, redis";
const FILES: &str = "ours, fs-lite";
const SYNCED: &str = "ours, fs-lite with sync";

const GET: (&str, &str) = ("GET", "/cart");
const ADD: (&str, &str) = ("POST", "/add");
const ADD_BY_SET: (&str, &str) = ("POST", "/add-by-set");

/// How many there are, as many as sessions, so that few requests meet in one.
const CONNECTIONS: usize = 64;

/// What resident memory may come to, in megabytes.
const MEMORY_LIMIT: f64 = 10.0;

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    // Beside what was built, on a disk: the folder for temporary files may be in memory.
    let target = settings.root.join("bench/target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(target)?;
    let folder = folder.path();
    let site = Site::build(settings)?;

    let (_redis, port) = process::redis(folder)?;
    let url = format!("redis://127.0.0.1:{port}");
    let files = |name: &str| folder.join(name).display().to_string();
    // Cargo leaves them beside this program.
    let program = std::env::current_exe()?;
    let rust = |name: &'static str, arguments: &[&str], counts| -> Result<(&'static str, Server)> {
        let ours = name.starts_with("ours");
        let serve = program.with_file_name(if ours { "serve" } else { "serve_peer" });
        let mut command = cores::server(serve);
        command.args(arguments);
        let server = Server::start(settings, command, folder, counts);
        Ok((name, server.with_context(|| name.to_owned())?))
    };
    let astro = |name, store| -> Result<(&'static str, Server)> {
        let server = Server::start(settings, site.server(store, "plain", folder), folder, true);
        Ok((name, server.with_context(|| name.to_owned())?))
    };
    let servers = [
        rust(BARE, &["bare"], false)?,
        rust(CLIENT, &["client", &url], false)?,
        rust(TOWER_SESSIONS, &["tower-sessions"], true)?,
        rust(TOWER_SESSIONS_REDIS, &["tower-sessions-redis", &url], true)?,
        rust(MEMORY, &["memory"], true)?,
        rust(REDIS, &["redis", &url], true)?,
        rust(FILES, &["files", &files("files")], true)?,
        rust(SYNCED, &["files-sync", &files("files-sync")], true)?,
        astro(ASTRO_FILES, "files")?,
        astro(ASTRO_REDIS, "redis")?,
    ];
    let mut measured = load(settings, &servers)?;
    measured.disk = disk::writes_per_second(settings, folder)?;
    measured.rows(&servers)
}

struct Measured {
    rates: Vec<Rates>,
    disk: Series,
}

struct Rates {
    server: &'static str,
    path: &'static str,
    series: Series,
}

/// All of them in turn, round by round. The first round warms them up and is not counted.
fn load(settings: &Settings, servers: &[(&'static str, Server)]) -> Result<Measured> {
    let (rounds, seconds) = if settings.quick { (1, 1) } else { (5, 3) };
    let mut rates: Vec<Rates> = Vec::new();
    for round in 0..=rounds {
        for (name, server) in servers {
            let ours = name.starts_with("ours");
            for (method, path) in [GET, ADD, ADD_BY_SET] {
                if path == ADD_BY_SET.1 && !ours {
                    continue;
                }
                let load = server.load(seconds, CONNECTIONS, method, path);
                let rate = load.with_context(|| (*name).to_owned())?.per_second;
                if round == 0 {
                    let series = Series { name: (*name).to_owned(), samples: Vec::new() };
                    rates.push(Rates { server: name, path, series });
                } else if let Some(rates) =
                    rates.iter_mut().find(|rates| rates.server == *name && rates.path == path)
                {
                    rates.series.samples.push(rate);
                }
            }
        }
    }
    let disk = Series { name: String::new(), samples: Vec::new() };
    Ok(Measured { rates, disk })
}

impl Measured {
    fn of(&self, server: &str, path: &str) -> Result<&Series> {
        let found = self.rates.iter().find(|rates| rates.server == server && rates.path == path);
        Ok(&found.with_context(|| format!("{server} was not asked for {path}"))?.series)
    }

    fn rows(&self, servers: &[(&'static str, Server)]) -> Result<Vec<Comparison>> {
        let mut rows = Vec::new();
        let mut row = |store: &str, ours, peer, targets: [Option<f64>; 2]| -> Result<()> {
            for ((method, path), target) in [GET, ADD].into_iter().zip(targets) {
                let name = format!("{method} {path}, {store}");
                let (ours, peer) = (self.of(ours, path)?, self.of(peer, path)?);
                let row = Comparison::new(name, RequestsPerSecond, ours, peer);
                rows.push(match target {
                    Some(target) => row.target(target),
                    None => row,
                });
            }
            Ok(())
        };
        row("memory", MEMORY, BARE, [Some(0.85), Some(0.75)])?;
        row("memory", MEMORY, TOWER_SESSIONS, [None, None])?;
        row("redis", REDIS, CLIENT, [Some(0.9), Some(0.9)])?;
        row("redis", REDIS, TOWER_SESSIONS_REDIS, [Some(1.5), Some(1.5)])?;
        row("redis", REDIS, ASTRO_REDIS, [Some(15.0), Some(15.0)])?;
        row("fs-lite", FILES, ASTRO_FILES, [Some(15.0), Some(8.0)])?;
        rows.push(Comparison::new(
            "POST /add, fs-lite with sync",
            RequestsPerSecond,
            self.of(SYNCED, ADD.1)?,
            &self.disk,
        ));
        for (store, ours) in [("memory", MEMORY), ("redis", REDIS), ("fs-lite", FILES)] {
            rows.push(Comparison::new(
                format!("POST, {store}: get and set beside update"),
                RequestsPerSecond,
                self.of(ours, ADD_BY_SET.1)?,
                &Series { name: "update".to_owned(), ..self.of(ours, ADD.1)?.clone() },
            ));
        }
        let peak = |name: &str| -> Result<Series> {
            let server = servers.iter().find(|(other, _)| *other == name);
            let peak = server.context("no such server")?.1.peak()?;
            Ok(Series { name: name.to_owned(), samples: vec![peak] })
        };
        for (store, ours, astro) in [
            ("memory", MEMORY, None),
            ("redis", REDIS, Some(ASTRO_REDIS)),
            ("fs-lite", FILES, Some(ASTRO_FILES)),
        ] {
            let name = format!("memory held under load, {store}");
            rows.push(Comparison::limit(&name, Megabytes, &peak(ours)?, MEMORY_LIMIT));
            if let Some(astro) = astro {
                rows.push(Comparison::new(name, Megabytes, &peak(ours)?, &peak(astro)?));
            }
        }
        Ok(rows)
    }
}
