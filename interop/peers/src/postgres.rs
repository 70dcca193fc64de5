//! PostgreSQL.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::ops::Deref;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::port::Port;
use crate::program::{find, missing, user, user_named};
use crate::server::{Server, folder};
use crate::template::fill;

/// Who runs the server where this process is root's, which PostgreSQL refuses to run as.
const ACCOUNT: &str = "postgres";

/// One server with the empty database `cloakroom`, which the superuser `cloakroom` opens without a password.
pub struct Postgres {
    server: Server,
    port: Port,
}

impl Postgres {
    /// Starts PostgreSQL.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let (Some(programs), false) = (programs(), user() == 0 && account().is_none()) else {
            return missing("PostgreSQL", "postgresql");
        };
        let folder = folder();
        if let Some((user, group)) = account() {
            chown(folder.path(), Some(user), Some(group)).expect("root may give the folder away");
        }
        let data = folder.path().join("data");
        let settings = [&CREATION.join(" "), DATABASE].concat();
        fill(&data, &programs.join("postgres"), &settings, || create(&programs, &data));

        let port = Port::claim();
        let number = port.number().to_string();
        let mut words = as_account(&programs.join("postgres"));
        words.extend(["-D".into(), data.into_os_string()]);
        words.extend(["-h", "127.0.0.1", "-p", &number, "-k", ""].map(OsString::from));
        // Processes are killed here, never the power: what was handed to the kernel is safe.
        for setting in ["fsync=off", "full_page_writes=off", "max_connections=200"] {
            words.extend(["-c", setting].map(OsString::from));
        }
        let answers = move || {
            let mut ask = Command::new(programs.join("pg_isready"));
            ask.args(["-q", "-h", "127.0.0.1", "-p", &number])
                .status()
                .is_ok_and(|status| status.success())
        };
        // SIGINT ends connections; SIGTERM would wait for their clients to.
        Some(Self { server: Server::start("PostgreSQL", folder, words, "INT", answers), port })
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `postgres://cloakroom@127.0.0.1:PORT/cloakroom`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://cloakroom@127.0.0.1:{}/cloakroom", self.port())
    }
}

impl Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// The folder of the newest version's programs: Debian keeps them apart from the PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        Some((number, version.path().join("bin")))
    });
    let newest = folders.filter(|(_, folder)| folder.join("initdb").is_file()).max();
    let on_the_path = || Some(find("initdb")?.parent()?.to_path_buf());
    newest.map(|(_, folder)| folder).or_else(on_the_path)
}

/// Who runs the server instead of root.
pub(crate) fn account() -> Option<(u32, u32)> {
    (user() == 0).then(|| user_named(ACCOUNT)).flatten()
}

/// The words that run a program as somebody whom PostgreSQL accepts.
pub(crate) fn as_account(program: &Path) -> Vec<OsString> {
    let switch = ["setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--"];
    let mut words: Vec<OsString> =
        switch.iter().filter(|_| user() == 0).map(OsString::from).collect();
    words.push(program.into());
    words
}

const CREATION: [&str; 10] = [
    "--username",
    "cloakroom",
    "--auth",
    "trust",
    "--no-sync",
    "--no-instructions",
    "--encoding",
    "UTF8",
    "--locale",
    "C",
];
const DATABASE: &str = "CREATE DATABASE cloakroom;\n";

/// Makes the data folder and, before anything listens, the database in it.
fn create(programs: &Path, data: &Path) {
    let words = CREATION.iter().chain(&["-D"]).map(OsStr::new).chain([data.as_os_str()]);
    run(&programs.join("initdb"), words, "");
    let words = ["--single", "-F", "-D"].map(OsStr::new);
    let words = words.into_iter().chain([data.as_os_str(), OsStr::new("postgres")]);
    run(&programs.join("postgres"), words, DATABASE);
}

fn run<'a>(program: &Path, arguments: impl Iterator<Item = &'a OsStr>, input: &str) {
    let words = as_account(program);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("the standard input is a pipe");
    stdin.write_all(input.as_bytes()).expect("the program reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", program.display());
}
