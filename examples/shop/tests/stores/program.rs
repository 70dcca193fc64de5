//! The shop's own program.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use interop_peers::Store;
use tempfile::TempDir;

/// Where it writes about failures, of which there are many while a store is away.
const LOG: &str = "log";

/// The program on a store. It ends with the test.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Program {
    pub(crate) fn start(store: &Store) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // One second is what a visitor waits for a store that hangs.
        let config = store.config();
        let config = format!("{},\"timeout\":1000}}", config.strip_suffix('}').unwrap());
        std::fs::write(folder.path().join("shop.json"), config).unwrap();
        let (child, address) = run(&folder, 0);
        Self { address, child, folder }
    }

    /// Ends the program as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the program again, on the port that it had.
    pub(crate) fn restart(&mut self) {
        (self.child, self.address) = run(&self.folder, self.address.port());
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
            let last: Vec<&str> = log.lines().rev().take(20).collect();
            eprintln!("the shop's last words, the last one first:\n{}", last.join("\n"));
        }
    }
}

fn run(folder: &TempDir, port: u16) -> (Child, SocketAddr) {
    let log = File::options().create(true).append(true).open(folder.path().join(LOG)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_shop"))
        .args(["--config", "shop.json"])
        .current_dir(folder.path())
        .env_clear()
        .env("PORT", port.to_string())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim_end().strip_prefix("shop: listening on http://localhost:").unwrap();
    (child, SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())))
}
