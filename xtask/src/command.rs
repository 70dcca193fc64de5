//! Runs other programs, and ends what they started.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long what was asked to end is given.
const GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether a program has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// The process groups of what runs: each program and all that it started in its turn.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends everything that runs when this program is asked to end, by Ctrl-C too.
///
/// # Errors
/// Where the signals cannot be had.
pub(crate) fn end_all_on_signals() -> Result<(), String> {
    let end = || {
        let running = groups().clone();
        eprintln!("\nended by a signal");
        end_groups(&running);
        std::process::exit(130);
    };
    ctrlc::set_handler(end).map_err(|error| format!("no signal can be waited for: {error}"))
}

/// A program with its arguments, ready to be run in `folder`.
pub(crate) fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

/// Where cargo leaves what it builds of this workspace.
pub(crate) fn target(root: &Path) -> PathBuf {
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// Runs a command, its output passed through.
pub(crate) fn execute(command: &mut Command) -> Result<(), String> {
    let started = Instant::now();
    announce(command, "");
    let mut running = Running::start(command)?;
    let status = running.child.wait();
    drop(running);
    judge(command, started, status)
}

/// Runs a command that may stand still: after the time it is ended, with all that it started, and run once more.
pub(crate) fn insist(limit: Duration, command: &mut Command) -> Result<(), String> {
    let minutes = limit.as_secs() / 60;
    let mut attempt = |note: &str| {
        let started = Instant::now();
        announce(command, note);
        let running = Running::start(command)?;
        match running.wait_for(limit) {
            Some(status) => judge(command, started, status),
            None => Err(format!("{command:?} was ended, as it took more than {minutes} minutes")),
        }
    };
    attempt(&format!("  (for {minutes} minutes at most)")).or_else(|reason| {
        println!("{reason}: once more");
        attempt(&format!("  (the second and last time, for {minutes} minutes at most)"))
    })
}

/// Runs a command, its output passed through and every line of its standard output shown to `line`.
pub(crate) fn execute_lines(
    command: &mut Command,
    mut line: impl FnMut(&str),
) -> Result<(), String> {
    read_lines(command, |text| {
        println!("{text}");
        line(text);
    })
}

/// Runs a command, and shows every line of its standard output to `line` alone.
pub(crate) fn read_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<(), String> {
    let started = Instant::now();
    announce(command, "");
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    if let Some(output) = running.child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            let text =
                text.map_err(|error| format!("the output of {command:?} broke off: {error}"))?;
            line(&String::from_utf8_lossy(&text));
        }
    }
    let status = running.child.wait();
    drop(running);
    judge(command, started, status)
}

/// Whether a program that was just installed runs. It has to be ready at once.
pub(crate) fn look(command: &mut Command) -> Result<(), String> {
    let running = Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
    match running.wait_for(Duration::from_secs(60)) {
        Some(Ok(status)) if status.success() => Ok(()),
        Some(Ok(status)) => Err(format!("{command:?} does not run: {status}")),
        Some(Err(error)) => Err(format!("{command:?} does not run: {error}")),
        None => Err(format!("{command:?} does not end")),
    }
}

/// A program that runs, with all that it starts in its turn.
struct Running {
    child: Child,
    group: Option<u32>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Running, String> {
        // What asks for a password has to be in the foreground, where the terminal's own signal reaches it.
        let is_alone = command.get_program() != "sudo";
        if is_alone {
            command.process_group(0);
        }
        let child =
            command.spawn().map_err(|error| format!("{command:?} did not start: {error}"))?;
        let group = is_alone.then(|| child.id());
        groups().extend(group);
        Ok(Running { child, group })
    }

    /// Waits, but not for longer; nothing where the time is over, and all of it is ended.
    fn wait_for(mut self, limit: Duration) -> Option<std::io::Result<ExitStatus>> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(outcome) = self.child.try_wait().transpose() {
                return Some(outcome);
            }
            sleep(PAUSE);
        }
        self.end();
        None
    }
}

impl Running {
    /// Asks it to end, with all that it started, and makes it.
    fn end(&mut self) {
        let all = self.group.map_or(self.child.id().to_string(), |group| format!("-{group}"));
        signal("TERM", &all);
        let asked = Instant::now();
        // A child that has ended is there until it was waited for.
        while asked.elapsed() < GRACE
            && (matches!(self.child.try_wait(), Ok(None)) || signal("0", &all))
        {
            sleep(PAUSE);
        }
        signal("KILL", &all);
        _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            groups().remove(&group);
        }
    }
}

/// Asks process groups to end, and makes them. Whoever waits for the programs goes on waiting.
fn end_groups(running: &BTreeSet<u32>) {
    let groups: Vec<String> = running.iter().map(|group| format!("-{group}")).collect();
    for group in &groups {
        signal("TERM", group);
    }
    let asked = Instant::now();
    while groups.iter().any(|group| signal("0", group)) && asked.elapsed() < GRACE {
        sleep(PAUSE);
    }
    for group in &groups {
        signal("KILL", group);
    }
}

/// Sends a signal to a process, or to a group by its number below zero; answers whether there is one.
fn signal(name: &str, to: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, "--", to]).stdout(Stdio::null()).stderr(Stdio::null());
    kill.status().is_ok_and(|status| status.success())
}

fn judge(
    command: &Command,
    started: Instant,
    status: std::io::Result<ExitStatus>,
) -> Result<(), String> {
    let status = status.map_err(|error| format!("{command:?} was lost: {error}"))?;
    println!("    ({:.0} s)", started.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

fn announce(command: &Command, note: impl Display) {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    println!("\n==> {}{note}", words.join(" "));
}

/// Whether a program is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts a grandchild that writes its number down, and waits for ever.
    fn stands_still(folder: &Path) -> Command {
        command(folder, "sh", &["-c", "sh -c 'echo $$ >> started; sleep 600' & wait"])
    }

    #[test]
    fn what_stands_still_is_ended_with_all_that_it_started_and_tried_once_more() {
        let folder = std::env::temp_dir().join(format!("xtask-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let outcome = insist(Duration::from_millis(500), &mut stands_still(&folder));
        let started = std::fs::read_to_string(folder.join("started")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(outcome.unwrap_err().contains("was ended"));
        let started: Vec<&str> = started.lines().collect();
        assert_eq!(started.len(), 2);
        for process in started {
            assert!(!signal("0", process), "{process} is there yet");
        }
    }

    #[test]
    fn what_fails_at_first_is_tried_once_more() {
        let folder = std::env::temp_dir().join(format!("xtask-once-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut second =
            command(&folder, "sh", &["-c", "test -e first || { touch first; exit 1; }"]);
        let outcome = insist(Duration::from_secs(60), &mut second);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(outcome, Ok(()));
    }
}
