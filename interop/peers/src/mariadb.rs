//! MariaDB.

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::port::Port;
use crate::program::{find, missing, user};
use crate::server::{Server, folder};
use crate::template::fill;

/// Runs at each start, before anything listens.
const SETUP: &str = "\
CREATE DATABASE IF NOT EXISTS cloakroom;
CREATE USER IF NOT EXISTS 'cloakroom'@'%';
GRANT ALL PRIVILEGES ON *.* TO 'cloakroom'@'%' WITH GRANT OPTION;
";

/// One server with the empty database `cloakroom`, which the user `cloakroom` opens without a password.
pub struct MariaDb {
    server: Server,
    port: Port,
}

impl MariaDb {
    /// Starts MariaDB.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let (Some(program), Some(installer)) = (find("mariadbd"), find("mariadb-install-db"))
        else {
            return missing("MariaDB", "mariadb-server-core, mariadb-client-core");
        };
        let folder = folder();
        let data = folder.path().join("data");
        fill(&data, &program, &CREATION.join(" "), || create(&installer, &data));
        let setup = folder.path().join("setup.sql");
        fs::write(&setup, SETUP).expect("the folder can be written to");

        let port = Port::claim();
        let number = port.number();
        let option =
            |name: &str, value: &Path| OsString::from(format!("--{name}={}", value.display()));
        let mut words: Vec<OsString> = vec![program.into(), "--no-defaults".into()];
        words.push(option("datadir", &data));
        words.push(option("init-file", &setup));
        words.push(option("socket", &folder.path().join("socket")));
        words.push(option("pid-file", &folder.path().join("pid")));
        words.push(format!("--port={number}").into());
        words.extend(SETTINGS.map(OsString::from));
        words.extend((user() == 0).then(|| "--user=root".into()));
        let server = Server::start("MariaDB", folder, words, "TERM", move || greets(number));
        Some(Self { server, port })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `mysql://cloakroom@127.0.0.1:PORT/cloakroom`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://cloakroom@127.0.0.1:{}/cloakroom", self.port())
    }
}

impl Deref for MariaDb {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Debian's character set; and no waiting for the disk: processes are killed here, never the power. A commit is still
/// handed to the kernel before it is acknowledged.
const SETTINGS: [&str; 9] = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_general_ci",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-log-file-size=8M",
    "--innodb-buffer-pool-size=32M",
    "--max-connections=300",
];

const CREATION: [&str; 5] = [
    "--no-defaults",
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    "--innodb-flush-method=nosync",
    // As the server's: another size would be made anew at each start.
    "--innodb-log-file-size=8M",
];

fn create(installer: &Path, data: &Path) {
    let output = Command::new(installer)
        .args(CREATION)
        .args((user() == 0).then_some("--user=root"))
        .arg(format!("--datadir={}", data.display()))
        .output()
        .expect("mariadb-install-db starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "mariadb-install-db: {errors}");
}

/// Whether a new connection is greeted, and not turned away.
fn greets(port: u16) -> bool {
    const PROTOCOL: u8 = 10;
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut packet = [0; 5];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.read_exact(&mut packet).is_ok()
        && packet[4] == PROTOCOL
}
