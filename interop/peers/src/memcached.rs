//! memcached.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::time::Duration;

use crate::port::Port;
use crate::program::{find, missing, user};
use crate::server::{Server, folder};

/// One server, which forgets everything when it ends.
pub struct Memcached {
    server: Server,
    port: Port,
}

impl Memcached {
    /// Starts memcached for items of up to 8 MB.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&["-I", "8m"])
    }

    /// Starts memcached with these arguments (`["-I", "2m"]`).
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        let Some(program) = find("memcached") else { return missing("memcached", "memcached") };
        let port = Port::claim();
        let number = port.number();
        let mut words: Vec<OsString> = vec![program.into()];
        words.extend(["-l", "127.0.0.1", "-U", "0", "-p"].map(OsString::from));
        words.push(number.to_string().into());
        words.extend(arguments.iter().map(OsString::from));
        if user() == 0 {
            words.extend(["-u", "root"].map(OsString::from));
        }
        let server = Server::start("memcached", folder(), words, "TERM", move || answers(number));
        Some(Self { server, port })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `memcached://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> String {
        format!("memcached://127.0.0.1:{}", self.port())
    }
}

impl Deref for Memcached {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Whether it says anything: one that wants credentials is ready to say so.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.write_all(b"mn\r\n").is_ok()
        && stream.read_exact(&mut [0; 2]).is_ok()
}
