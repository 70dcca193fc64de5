//! SecantusDB: MongoDB's protocol, on MongoDB's storage engine.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::port::Port;
use crate::program::{find, missing, peers_folder};
use crate::server::{Server, folder};

/// Makes a user while nobody has to be one: the folder, the name and the password are arguments.
const CREATE_USER: &str = "
import sys
from pymongo import MongoClient
from secantus import SecantusDBServer
folder, name, password = sys.argv[1:]
with SecantusDBServer(storage_path=folder) as server, MongoClient(server.uri) as client:
    client.admin.command('createUser', name, pwd=password, roles=['root'])
";

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
        Self::start_with(&[])
    }

    /// Starts the server with more arguments (`["--enable-test-commands"]`).
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        Some(Self::run(&Package::find()?, folder(), arguments, String::new()))
    }

    /// Starts a server that lets in nobody but this user.
    ///
    /// # Panics
    ///
    /// If the user cannot be made.
    #[must_use]
    pub fn start_with_user(name: &str, password: &str) -> Option<Self> {
        let package = Package::find()?;
        let folder = folder();
        let mut create = Command::new("env");
        create.args(package.python()).args(["-c", CREATE_USER]).arg(data(folder.path()));
        let status = create.args([name, password]).status().expect("Python starts");
        assert!(status.success(), "the user is not made");
        Some(Self::run(&package, folder, &["--auth"], format!("{name}:{password}@")))
    }

    fn run(package: &Package, folder: tempfile::TempDir, more: &[&str], login: String) -> Self {
        let port = Port::claim();
        let number = port.number();
        let mut words = vec![OsString::from("env")];
        words.extend(package.python());
        words.push(package.0.join("bin/secantusd-py").into_os_string());
        words.extend(["--host", "127.0.0.1", "--port", &number.to_string()].map(OsString::from));
        // What it acknowledges is in its log on disk, as with MongoDB's default write concern.
        words.extend(["--sync-on-commit", "--cache-size", "64M"].map(OsString::from));
        words.push("--storage-path".into());
        words.push(data(folder.path()).into_os_string());
        words.extend(more.iter().map(OsString::from));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        let server = Server::start("SecantusDB", folder, words, "TERM", answers);
        Self { server, port, login }
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

/// The folder with the package and what it needs.
struct Package(PathBuf);

impl Package {
    fn find() -> Option<Self> {
        let folder = peers_folder().join("secantusdb");
        let is_there = folder.is_dir() && find("python3").is_some();
        if is_there { Some(Self(folder)) } else { missing("SecantusDB", "SecantusDB, by pip") }
    }

    /// What `env` runs Python with.
    fn python(&self) -> [OsString; 2] {
        let mut path = OsString::from("PYTHONPATH=");
        path.push(&self.0);
        [path, "python3".into()]
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}
