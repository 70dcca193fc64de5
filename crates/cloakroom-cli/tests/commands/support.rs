//! A configuration with a store of its own, sessions in it, and the program.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use cloakroom_session::adapter::Commit as _;
use cloakroom_session::{Config, CookieHeaders, SessionId, Sessions};
use interop_peers::{Postgres, Redis};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A store, and a configuration that names it.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) config: Value,
    /// What the store needs, for as long as this lives.
    _peer: Option<Peer>,
}

enum Peer {
    Redis { _server: Redis },
    Postgres { _server: Postgres },
    Served { _server: Served },
}

/// A store that is served over HTTP, for as long as this lives.
pub(crate) struct Served {
    pub(crate) server: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(arguments: &[&str]) -> Served {
        Served::at("127.0.0.1:0", arguments)
    }

    pub(crate) fn at(address: &str, arguments: &[&str]) -> Served {
        let mut server = program(&["serve", "--listen", address])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Served { server, url: line.split(' ').next().unwrap().to_owned() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        _ = self.server.kill();
        _ = self.server.wait();
    }
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            output: text(output.stdout),
            errors: text(output.stderr),
        }
    }
}

impl Ran {
    /// The objects that it printed.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Site {
    pub(crate) fn on_files() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("data");
        Site::at(folder, json!({ "driver": "fs-lite", "options": { "base": base } }), None)
    }

    /// A site on this store.
    pub(crate) fn on(config: Value) -> Site {
        Site::at(tempfile::tempdir().unwrap(), config, None)
    }

    /// One site for each kind of store whose server is there.
    pub(crate) async fn on_each() -> Vec<(&'static str, Site)> {
        let mut sites = vec![("files", Site::on_files())];
        let folder = || tempfile::tempdir().unwrap();
        if let Some(server) = Redis::start() {
            let config =
                json!({ "driver": "redis", "options": { "url": server.url(), "base": "sess" } });
            sites
                .push(("redis", Site::at(folder(), config, Some(Peer::Redis { _server: server }))));
        }
        if let Some(server) = Postgres::start() {
            let config = json!({ "driver": "sql", "options": { "url": server.url() } });
            sites.push((
                "postgres",
                Site::at(folder(), config, Some(Peer::Postgres { _server: server })),
            ));
        }
        let server = Served::start(&["--driver", "memory"]);
        let config = json!({ "driver": "http", "options": { "base": server.url } });
        sites.push(("http", Site::at(folder(), config, Some(Peer::Served { _server: server }))));
        sites
    }

    fn at(folder: TempDir, mut config: Value, peer: Option<Peer>) -> Site {
        config["idle"] = 3600.into();
        config["absolute"] = 86_400.into();
        Site { folder, config, _peer: peer }
    }

    /// A place beside the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The sessions as a server opens them.
    pub(crate) async fn sessions(&self) -> Sessions {
        let config = Config::from_json(&self.config.to_string()).unwrap();
        Sessions::from_config(config).await.unwrap()
    }

    /// Somebody who is signed in.
    pub(crate) async fn signed_in(&self, principal: &str) -> SessionId {
        let session = self.sessions().await.session(CookieHeaders::default());
        session.set("cart", &["hat", "scarf"]).unwrap();
        session.set("apiToken", "hunter2").unwrap();
        session.sign_in(principal).await.unwrap();
        session.finish().await.unwrap();
        session.id().unwrap()
    }

    /// Whether the session is alive, as a server sees it.
    pub(crate) async fn is_alive(&self, id: SessionId) -> bool {
        self.sessions().await.all().find_by_id(id).await.unwrap().is_some()
    }

    /// Runs a command with this configuration.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// A command with this configuration, which nobody answers.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let path = self.path("cloakroom.json");
        fs::write(&path, self.config.to_string()).unwrap();
        let (command, rest) = arguments.split_first().unwrap();
        let mut program = program(&[command, "--config", path.to_str().unwrap()]);
        program.args(rest).stdin(Stdio::null());
        program
    }
}

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom"));
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    for name in ["CLOAKROOM_TOKEN", "CLOAKROOM_READ_TOKEN", "CLOAKROOM_CONSOLE_TOKEN", "RUST_LOG"] {
        command.env_remove(name);
    }
    command
}
