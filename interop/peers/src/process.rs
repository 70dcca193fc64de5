//! A server's process, which never outlives the test's.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::until::until;

/// Becomes the server, after leaving a guardian behind that reads a pipe from the test's process. A line means that
/// all is well; the pipe's end without one, that the test's process is gone: then the server ends, what it started
/// ends, and their folder goes. Nothing else tells a process that its parent was killed and not only one of its threads.
const GUARDED: &str = r#"
folder=$1
shift
exec 3<&0
( {
    read -r _ <&3 && exit
    kill -KILL $$ $(cat /proc/$$/task/$$/children)
    rm -rf -- "$folder"
} & ) >/dev/null 2>&1
exec "$@" </dev/null 3<&-
"#;

pub(crate) struct Process {
    child: Child,
    guardian: ChildStdin,
}

impl Process {
    /// Runs the words; their output is appended to `log`.
    pub(crate) fn spawn(words: &[OsString], folder: &Path, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).expect("the log opens");
        let mut child = Command::new("sh")
            .args(["-c", GUARDED, "sh"])
            .arg(folder)
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log opens twice"))
            .stderr(log)
            .spawn()
            .expect("sh starts");
        // Out of the child: waiting for it would close the pipe.
        let guardian = child.stdin.take().expect("the standard input is a pipe");
        Self { child, guardian }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_exited(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_some()
    }

    /// Sends the signal to the process alone.
    pub(crate) fn signal(&self, signal: &str) {
        send(signal, &[self.pid()]);
    }

    /// Sends the signal to the process and to those that it started.
    pub(crate) fn signal_all(&self, signal: &str) {
        // The process first: it must not start another one.
        self.signal(signal);
        send(signal, &children(self.pid()));
    }

    /// Stops the process and those that it started; false if one of their threads still runs after `patience`.
    ///
    /// The signal alone does not do: it returns while other threads are on their way, and one of them may still answer.
    pub(crate) fn halt(&self, patience: Duration) -> bool {
        self.signal_all("STOP");
        let pids: Vec<_> = children(self.pid()).into_iter().chain([self.pid()]).collect();
        until(patience, || pids.iter().all(|pid| is_halted(*pid)))
    }

    /// Waits for the end; false if the process still runs after `patience`.
    pub(crate) fn wait(&mut self, patience: Duration) -> bool {
        until(patience, || self.has_exited())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_exited() {
            let children = children(self.pid());
            _ = self.child.kill();
            send("KILL", &children);
            _ = self.child.wait();
        }
        _ = self.guardian.write_all(b"well\n");
    }
}

fn children(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    children.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether no thread of a process runs: each is stopped, or has ended.
fn is_halted(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    // The state stands behind the name, which is in parentheses and may hold some itself (proc_pid_stat(5)).
    threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok()).all(|stat| {
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
        matches!(state, Some('T' | 't' | 'Z' | 'X') | None)
    })
}

fn send(signal: &str, pids: &[u32]) {
    if !pids.is_empty() {
        let pids = pids.iter().map(u32::to_string);
        // One that has ended is no error.
        let script = ["-c", r#"kill -s "$@" 2>/dev/null"#, "sh", signal];
        Command::new("sh").args(script).args(pids).status().expect("sh starts");
    }
}
