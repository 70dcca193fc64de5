//! Servers under load: a server on one core, 64 connections, sessions of 1 KB.

mod cores;
mod disk;
mod measured;
pub(crate) mod process;
mod rows;
pub(crate) mod server;
pub(crate) mod site;
mod store;

use std::fs;

use anyhow::{Context as _, Result};

use figures::comparison::Comparison;
use figures::measure::Settings;
use measured::{Candidate, measure};
use server::Server;
use site::Site;
use store::Store;

const BARE: &str = "axum, no sessions";
const CLIENT: &str = "redis-rs, the same commands";
const CLIENT_VALKEY: &str = "redis-rs, the same commands on Valkey";
const TOWER_SESSIONS: &str = "tower-sessions 0.15, memory";
const TOWER_SESSIONS_REDIS: &str = "tower-sessions 0.14, Redis";
const ASTRO_FILES: &str = "Astro 7.3, files";
const ASTRO_REDIS: &str = "Astro 7.3, Redis";
const MEMORY: &str = "ours, memory";
const REDIS: &str = "ours, redis";
const VALKEY: &str = "ours, redis on Valkey";
const FILES: &str = "ours, fs-lite";
const SYNCED: &str = "ours, fs-lite with sync";

const GET: (&str, &str) = ("GET", "/cart");
const ADD: (&str, &str) = ("POST", "/add");
const ADD_BY_SET: (&str, &str) = ("POST", "/add-by-set");

/// How many there are, as many as sessions, so that few requests meet in one.
const CONNECTIONS: usize = 64;

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    // Beside what was built, on a disk: the folder for temporary files may be in memory.
    let target = settings.root.join("bench/target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(target)?;
    let folder = folder.path();
    let site = Site::build(settings)?;

    let (redis, port) = process::redis(folder)?;
    let (valkey, valkey_port) = process::valkey(&settings.root, folder)?;
    let [on_redis, on_valkey] = [port, valkey_port].map(|port| format!("redis://127.0.0.1:{port}"));
    let files = |name: &str| folder.join(name).display().to_string();
    // Cargo leaves them beside this program.
    let program = std::env::current_exe()?;
    let rust = |name: &'static str, arguments: &[&str]| -> Result<Server> {
        let ours = name.starts_with("ours");
        let serve = program.with_file_name(if ours { "serve" } else { "serve_peer" });
        let mut command = cores::server(serve);
        command.args(arguments);
        let counts = ![BARE, CLIENT, CLIENT_VALKEY].contains(&name);
        Server::start(settings, command, folder, counts).with_context(|| name.to_owned())
    };
    let astro = |name: &'static str, store| -> Result<Server> {
        let server = Server::start(settings, site.server(store, "plain", folder), folder, true);
        server.with_context(|| name.to_owned())
    };
    let redis = Store { process: &redis, port };
    let valkey = Store { process: &valkey, port: valkey_port };
    let alone = |name, server| Candidate { name, server, store: None };
    let over = |name, server, store| Candidate { name, server, store: Some(store) };
    let candidates = [
        alone(BARE, rust(BARE, &["bare"])?),
        over(CLIENT, rust(CLIENT, &["client", &on_redis])?, redis),
        over(CLIENT_VALKEY, rust(CLIENT_VALKEY, &["client-native", &on_valkey])?, valkey),
        alone(TOWER_SESSIONS, rust(TOWER_SESSIONS, &["tower-sessions"])?),
        over(
            TOWER_SESSIONS_REDIS,
            rust(TOWER_SESSIONS_REDIS, &["tower-sessions-redis", &on_redis])?,
            redis,
        ),
        alone(MEMORY, rust(MEMORY, &["memory"])?),
        over(REDIS, rust(REDIS, &["redis", &on_redis])?, redis),
        over(VALKEY, rust(VALKEY, &["redis", &on_valkey])?, valkey),
        alone(FILES, rust(FILES, &["files", &files("files")])?),
        alone(SYNCED, rust(SYNCED, &["files-sync", &files("files-sync")])?),
        alone(ASTRO_FILES, astro(ASTRO_FILES, "files")?),
        over(ASTRO_REDIS, astro(ASTRO_REDIS, "redis")?, redis),
    ];
    let measured = measure(settings, &candidates)?;
    let disk = disk::writes_per_second(settings, folder)?;
    rows::all(&measured, &candidates, &disk)
}
