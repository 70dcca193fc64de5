//! The command `cloakroom` on a million sessions, and on a tenth of them: how fast it is, and whether its memory grows.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use figures::comparison::Comparison;
use figures::comparison::Unit::{Megabytes, SessionsPerSecond};
use figures::measure::{Series, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Builder;

use crate::scale::store::{fill, open};
use crate::scale::{files, settle};
use crate::served::process::{self, peak_of};

/// A tenth, and all of them, and how that is written.
const SIZES: [(usize, &str); 2] = [(100_000, "100,000"), (1_000_000, "1,000,000")];
const QUICK: [(usize, &str); 2] = [(1_000, "1,000"), (10_000, "10,000")];

/// What counts as the same memory: for ten times the sessions at most a quarter more.
const SAME: f64 = 0.8;

/// How long the tombstone of a session that was ended stays, and what a folder rounds that up by.
const REMEMBERED: Duration = Duration::from_secs(65);

/// How often a process is asked for its memory.
const LOOK: Duration = Duration::from_millis(5);

const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f1011121314151617";

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let sizes = if settings.quick { QUICK } else { SIZES };
    let mut rows = Vec::new();
    // Files last: their file system is busy for a while with those that were removed.
    for kind in [Kind::Redis, Kind::Sqlite, Kind::Files] {
        let mut measured = Vec::new();
        for (count, size) in sizes {
            eprintln!("{}, {size} sessions", kind.name());
            measured.push(measure(settings, kind, count)?);
        }
        let [(_, few), (_, many)] = sizes;
        for (tenth, all) in measured[0].iter().zip(&measured[1]) {
            let name = format!("{}, {}, {many} sessions", all.name, kind.name());
            let of = |name: &str, sample| Series { name: name.to_owned(), samples: vec![sample] };
            let peer = format!("{few} sessions");
            let (ours, theirs) = (of("", all.rate), of(&peer, tenth.rate));
            rows.push(Comparison::new(&name, SessionsPerSecond, &ours, &theirs));
            let (ours, theirs) = (of("", all.peak), of(&peer, tenth.peak));
            let memory = Comparison::new(format!("memory, {name}"), Megabytes, &ours, &theirs);
            rows.push(if all.is_constant { memory.target(SAME) } else { memory });
        }
    }
    Ok(rows)
}

/// A store that is walked over.
#[derive(Clone, Copy)]
enum Kind {
    Redis,
    Sqlite,
    Files,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Redis => "redis",
            Kind::Sqlite => "SQLite",
            Kind::Files => "fs-lite",
        }
    }

    /// Where a migration goes: to another kind.
    fn target(self) -> Kind {
        match self {
            Kind::Redis => Kind::Sqlite,
            Kind::Sqlite | Kind::Files => Kind::Redis,
        }
    }

    /// The configuration of one in this folder.
    fn config(self, folder: &Path, redis: u16) -> Value {
        let place = |name: &str| folder.join(name).display().to_string();
        let (driver, options) = match self {
            Kind::Redis => ("redis", json!({ "url": format!("redis://127.0.0.1:{redis}") })),
            Kind::Sqlite => ("sql", json!({ "url": format!("sqlite:{}", place("sessions.db")) })),
            Kind::Files => ("fs-lite", json!({ "base": place("files") })),
        };
        json!({ "driver": driver, "options": options })
    }
}

/// How fast a command was, and how much memory it held at most.
struct Measured {
    name: &'static str,
    /// Sessions a second.
    rate: f64,
    /// Megabytes.
    peak: f64,
    /// Whether its memory has to be the same for any number of sessions.
    is_constant: bool,
}

/// A store with sessions, and the command.
struct Store {
    folder: TempDir,
    program: PathBuf,
    count: usize,
    measured: Vec<Measured>,
}

fn measure(settings: &Settings, kind: Kind, count: usize) -> Result<Vec<Measured>> {
    let target = settings.root.join("bench/target");
    fs::create_dir_all(&target)?;
    let folder = TempDir::new_in(target)?;
    let (_server, port) = process::redis(folder.path())?;
    let config = kind.config(folder.path(), port);
    filled(&config, folder.path(), count)?;
    settle(folder.path())?;

    let program = std::env::current_exe()?.with_file_name("cloakroom");
    let mut store = Store { folder, program, count, measured: Vec::new() };
    store.configure("plain", &config, Value::Null)?;
    store.configure("first", &config, json!({ "keys": [OLD], "acceptPlain": true }))?;
    store.configure("second", &config, json!({ "keys": [NEW, OLD] }))?;
    store.configure("target", &kind.target().config(store.folder.path(), port), Value::Null)?;
    let export = store.path("export").display().to_string();

    store.constant("count", &["count", "--config", "plain"], "sessions")?;
    store.constant("list", &["list", "--config", "plain"], "")?;
    store.run(
        "list --sort size --limit 10",
        &["list", "--sort", "size", "--limit", "10", "--config", "plain"],
        "",
    )?;
    store.constant("verify", &["verify", "--config", "plain"], "sessions")?;
    store.constant("export", &["export", "--output", &export, "--config", "plain"], "items")?;
    fs::remove_file(&export)?;
    store.run("migrate", &["migrate", "--from", "plain", "--to", "target"], "copied")?;
    store.run("encrypt", &["encrypt", "--config", "first"], "sealed")?;
    store.run("rotate", &["rotate", "--config", "second"], "sealed")?;
    store.run("revoke --all", &["revoke", "--all", "--yes", "--config", "second"], "revoked")?;
    // Redis frees by itself what has expired.
    if !matches!(kind, Kind::Redis) && !settings.quick {
        sleep(REMEMBERED);
        store.run("sweep", &["sweep", "--config", "plain"], "removed")?;
    }
    Ok(store.measured)
}

/// Puts the sessions into the store.
fn filled(config: &Value, folder: &Path, count: usize) -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let driver = config["driver"].as_str().unwrap_or_default();
    let options = config["options"].as_object().context("no options")?;
    let options: Vec<_> =
        options.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    runtime.block_on(async {
        let store = open(driver, &options).await?;
        if driver != "fs-lite" {
            return fill(&store, 0..count).await;
        }
        let base = folder.join("files");
        fs::create_dir(&base)?;
        files::filled(&store, &base, count).await
    })
}

impl Store {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, name: &str, config: &Value, encryption: Value) -> Result<()> {
        let mut config = config.clone();
        if !encryption.is_null() {
            config["encryption"] = encryption;
        }
        Ok(fs::write(self.path(name).with_extension("json"), config.to_string())?)
    }

    fn constant(&mut self, name: &'static str, arguments: &[&str], counted: &str) -> Result<()> {
        self.run(name, arguments, counted)?;
        if let Some(measured) = self.measured.last_mut() {
            measured.is_constant = true;
        }
        Ok(())
    }

    /// Runs a command, whose report has to say that it was done with all of them.
    fn run(&mut self, name: &'static str, arguments: &[&str], counted: &str) -> Result<()> {
        let report = self.path("report");
        // A configuration is called by its name alone here.
        let is_config = |argument: &&str| ["plain", "first", "second", "target"].contains(argument);
        let arguments = arguments.iter().map(|argument| match is_config(argument) {
            true => self.path(argument).with_extension("json"),
            false => PathBuf::from(argument),
        });
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--json").stdin(Stdio::null());
        match counted {
            "" => command.stdout(Stdio::null()),
            _ => command.stdout(File::create(&report)?),
        };
        let begin = Instant::now();
        let mut child = command.spawn().context("`cloakroom` does not start")?;
        let peak = watched(&mut child).with_context(|| name)?;
        let seconds = begin.elapsed().as_secs_f64();
        if !counted.is_empty() {
            let text = fs::read_to_string(report)?;
            let report: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
            ensure!(report[counted] == self.count, "{name} reports {report}");
        }
        let rate = self.count as f64 / seconds;
        eprintln!("  {name}: {seconds:.1} s, {rate:.0} sessions/s, {peak:.1} MB");
        self.measured.push(Measured { name, rate, peak, is_constant: false });
        Ok(())
    }
}

/// The most memory that a process has held, in megabytes, once it has ended well.
fn watched(child: &mut Child) -> Result<f64> {
    let mut peak = 0.0;
    loop {
        // One that has ended has none any more.
        peak = peak_of(child.id()).unwrap_or(peak);
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "it ended with {status}");
            return Ok(peak);
        }
        sleep(LOOK);
    }
}
