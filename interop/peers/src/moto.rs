//! Amazon's stores, as moto has them.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::Path;

use crate::port::Port;
use crate::program::{missing, peers_folder};
use crate::server::{Server, folder};

/// S3, with a bucket, and DynamoDB, without a table. Both forget everything when they end.
pub struct Moto {
    server: Server,
    port: Port,
}

impl Moto {
    /// The bucket.
    pub const BUCKET: &str = "sessions";
    /// The key of the one user.
    pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
    /// Its secret.
    pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    /// The region of both.
    pub const REGION: &str = "us-east-1";

    /// Starts moto.
    #[must_use]
    pub fn start() -> Option<Self> {
        let packages = peers_folder().join("moto");
        if !packages.join("moto").is_dir() {
            return missing("moto", "moto[s3,dynamodb]");
        }
        let port = Port::claim();
        let number = port.number();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/amazon.py");
        let mut path = OsString::from("PYTHONPATH=");
        path.push(packages);
        let mut words = vec!["env".into(), path, "python3".into(), script.into_os_string()];
        let arguments = [&number.to_string(), Self::BUCKET, Self::KEY_ID, Self::SECRET];
        words.extend(arguments.map(OsString::from));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        let server = Server::start("moto", folder(), words, "TERM", answers);
        Some(Self { server, port })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }
}

impl Deref for Moto {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
