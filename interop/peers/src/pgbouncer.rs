//! PgBouncer, which pools transactions: two statements of one connection may reach two servers.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Deref;
use std::os::unix::fs::chown;
use std::process::Command;

use crate::port::Port;
use crate::postgres::{Postgres, account, as_account};
use crate::program::{find, missing};
use crate::server::{Server, folder};

/// The first version that can know which statements its clients have prepared.
const MAY_PREPARE: (u32, u32) = (1, 21);

/// A pooler before PostgreSQL, with three connections to each database, as Debian, Supabase and others set it up.
pub struct PgBouncer {
    server: Server,
    port: Port,
}

impl PgBouncer {
    /// Starts PgBouncer before `postgres`. Prepared statements are not supported, whatever the version.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(postgres: &Postgres) -> Option<Self> {
        let Some(program) = find("pgbouncer") else { return missing("PgBouncer", "pgbouncer") };
        let output = Command::new(&program).arg("--version").output().expect("PgBouncer runs");
        let may_prepare = version(&String::from_utf8_lossy(&output.stdout)) >= Some(MAY_PREPARE);
        let folder = folder();
        let port = Port::claim();
        let number = port.number();
        let mut settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=cloakroom\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {number}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n",
            postgres.port(),
        );
        if may_prepare {
            settings.push_str("max_prepared_statements = 0\n");
        }
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("the folder can be written to");
        if let Some((user, group)) = account() {
            for path in [folder.path(), &file] {
                chown(path, Some(user), Some(group)).expect("root may give the folder away");
            }
        }
        let mut words = as_account(&program);
        words.push(OsString::from(file));
        let answers = move || TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_ok();
        // At once: other signals wait for clients, in one version or another.
        Some(Self { server: Server::start("PgBouncer", folder, words, "QUIT", answers), port })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }
}

impl Deref for PgBouncer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The numbers in `PgBouncer 1.18.0`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
