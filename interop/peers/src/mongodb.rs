//! SecantusDB: MongoDB's protocol, on MongoDB's storage engine.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::Path;

use crate::port::Port;
use crate::program::{find, missing, peers_folder};
use crate::server::{Server, folder};

/// One server, a replica set by itself. What it has acknowledged outlives its end and its death.
pub struct MongoDb {
    server: Server,
    port: Port,
    login: String,
}

impl MongoDb {
    /// Starts the server.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::run(&[], String::new())
    }

    /// Starts a server that lets in nobody but this user.
    #[must_use]
    pub fn start_with_user(name: &str, password: &str) -> Option<Self> {
        Self::run(&[name, password], format!("{name}:{password}@"))
    }

    fn run(user: &[&str], login: String) -> Option<Self> {
        let package = peers_folder().join("secantusdb");
        if !package.is_dir() || find("python3").is_none() {
            return missing("SecantusDB", "SecantusDB, by pip");
        }
        let folder = folder();
        let port = Port::claim();
        let number = port.number();
        let mut path = OsString::from("PYTHONPATH=");
        path.push(package);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mongodb.py");
        let mut words = vec!["env".into(), path, "python3".into(), script.into_os_string()];
        words.push(number.to_string().into());
        words.push(folder.path().join("data").into_os_string());
        words.extend(user.iter().map(OsString::from));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        let server = Server::start("SecantusDB", folder, words, "TERM", answers);
        Some(Self { server, port, login })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// A connection string; other members of a replica set are not asked for, so that a proxy may stand before it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mongodb://{}127.0.0.1:{}/?directConnection=true", self.login, self.port())
    }
}

impl Deref for MongoDb {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
