//! etcd.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::time::Duration;

use crate::port::Port;
use crate::program::{find, missing};
use crate::server::{Server, folder};

/// One server, a cluster of its own.
pub struct Etcd {
    server: Server,
    port: Port,
    /// For the other members, of which there are none.
    _peers: Port,
}

impl Etcd {
    /// Starts etcd for requests of up to 16 MB.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&["--max-request-bytes", "16777216"])
    }

    /// Starts etcd with these arguments (`["--quota-backend-bytes", "1000000"]`).
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let Some(program) = find("etcd") else { return missing("etcd", "etcd-server") };
        let (port, peers) = (Port::claim(), Port::claim());
        let (client, peer) = (url(&port), url(&peers));
        let folder = folder();
        let mut words: Vec<OsString> = vec![program.into(), "--data-dir".into()];
        words.push(folder.path().join("data").into());
        words.extend(
            [
                ["--listen-client-urls", &client],
                ["--advertise-client-urls", &client],
                ["--listen-peer-urls", &peer],
                ["--initial-advertise-peer-urls", &peer],
                ["--initial-cluster", &format!("default={peer}")],
            ]
            .concat()
            .into_iter()
            .map(OsString::from),
        );
        // Processes are killed here, never the power.
        words.extend(["--unsafe-no-fsync", "--logger", "zap"].map(OsString::from));
        words.extend(arguments.iter().map(OsString::from));
        let number = port.number();
        let server = Server::start("etcd", folder, words, "TERM", move || is_healthy(number));
        Some(Self { server, port, _peers: peers })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.port)
    }
}

impl Deref for Etcd {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn url(port: &Port) -> String {
    format!("http://127.0.0.1:{}", port.number())
}

fn is_healthy(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.contains("\"true\"")
}
