//! Deno KV.

use std::env;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::node::node_with;
use crate::port::Port;
use crate::program::{find, missing};
use crate::server::{Server, folder};

/// Prints every entry: its key and its value in hexadecimal digits, the value's encoding, and when it expires.
const ENTRIES: &str = "
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(process.argv[1], { readOnly: true });
const statement = database.prepare('SELECT hex(k) k, hex(v) v, v_encoding e, expiration_ms t FROM kv ORDER BY k');
console.log(JSON.stringify(statement.all().map(({ k, v, e, t }) => [k, v, e, t])));
";

/// One server of KV Connect, `denokv`, over a database in a file.
pub struct DenoKv {
    server: Server,
    port: Port,
    file: PathBuf,
}

impl DenoKv {
    /// What a client has to know.
    pub const TOKEN: &str = "a-token-for-tests";

    /// Starts `denokv`: the one on the PATH, or where `cargo install` puts it.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(program) = find("denokv").or_else(|| installed("denokv")) else {
            return missing("Deno KV", "cargo install denokv");
        };
        let folder = folder();
        let file = folder.path().join("database");
        let port = Port::claim();
        let number = port.number();
        let address = format!("127.0.0.1:{number}");
        let mut words: Vec<OsString> = vec![program.into(), "--sqlite-path".into()];
        words.push(file.clone().into());
        words.extend(["serve", "--addr", &address, "--access-token", Self::TOKEN].map(Into::into));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        let server = Server::start("Deno KV", folder, words, "TERM", answers);
        Some(Self { server, port, file })
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

    /// What is in the database's file: `[key, value, encoding, expiry]` for each entry, in the order of their keys. Keys
    /// and values are hexadecimal digits.
    ///
    /// # Panics
    ///
    /// If the file cannot be read.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<Value>> {
        let node = node_with("unstorage")?;
        let output = Command::new(node).args(["-e", ENTRIES]).arg(&self.file).output();
        let output = output.expect("Node.js starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        Some(serde_json::from_slice(&output.stdout).expect("the entries are JSON"))
    }
}

impl Deref for DenoKv {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// A program in cargo's own folder, which is not on every PATH.
fn installed(name: &str) -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("bin").join(name)).filter(|program| program.is_file())
}
