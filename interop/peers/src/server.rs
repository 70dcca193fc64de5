//! A server with its folder: started, stopped, killed, paused, and started again.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::until::until;

/// How long a server may take to answer, or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a server that ends while it starts is tried again: after a kill, what it held may be held a little longer.
const ATTEMPTS: usize = 5;

/// What every server can do.
pub struct Server {
    name: &'static str,
    words: Vec<OsString>,
    /// The signal that asks for a graceful end.
    stop_signal: &'static str,
    answers: Box<dyn Fn() -> bool + Send + Sync>,
    // Before the folder: it is in use until the process is gone.
    process: Mutex<Option<Process>>,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start(
        name: &'static str,
        folder: TempDir,
        words: Vec<OsString>,
        stop_signal: &'static str,
        answers: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        let process = Mutex::new(None);
        let server = Self { name, words, stop_signal, answers: Box::new(answers), process, folder };
        server.restart();
        server
    }

    /// Starts the server again, with its port and its data; one that still runs is stopped first.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&self) {
        self.stop();
        let mut slot = self.slot();
        for _ in 0..ATTEMPTS {
            let mut process = Process::spawn(&self.words, self.folder.path(), &self.log_path());
            let mut ended = false;
            until(PATIENCE, || {
                ended = process.has_exited();
                ended || (self.answers)()
            });
            if !ended && (self.answers)() {
                *slot = Some(process);
                return;
            }
        }
        panic!("{} does not start:\n{}", self.name, self.log());
    }

    /// Ends the server gracefully; it closes open connections. Nothing happens if it has ended already.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub fn stop(&self) {
        if let Some(mut process) = self.slot().take() {
            process.signal_all("CONT");
            process.signal(self.stop_signal);
            let stopped = process.wait(PATIENCE);
            assert!(stopped, "{} does not end:\n{}", self.name, self.log());
        }
    }

    /// Ends the server, and what it started, as a crash does.
    pub fn kill(&self) {
        self.slot().take();
    }

    /// Halts the server: it keeps its connections and answers nothing.
    ///
    /// # Panics
    ///
    /// If the server does not run, or does not halt.
    pub fn pause(&self) {
        let halted = self.with_process(|process| process.halt(PATIENCE));
        assert!(halted, "{} does not halt", self.name);
    }

    /// Lets a halted server go on.
    ///
    /// # Panics
    ///
    /// If the server does not run.
    pub fn resume(&self) {
        self.with_process(|process| process.signal_all("CONT"));
    }

    /// The number of the server's process.
    ///
    /// # Panics
    ///
    /// If the server does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.with_process(Process::pid)
    }

    /// Whether the server was started and neither stopped nor killed since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.slot().is_some()
    }

    fn with_process<T>(&self, act: impl FnOnce(&Process) -> T) -> T {
        let slot = self.slot();
        act(slot.as_ref().unwrap_or_else(|| panic!("{} does not run", self.name)))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

/// A folder of its own for a server.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("cloakroom-").tempdir().expect("a temporary folder is made")
}
