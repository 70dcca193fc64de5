//! Runs other programs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// A program with its arguments, ready to be run in `folder`.
pub(crate) fn command(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command
}

/// Runs a command, its output passed through.
pub(crate) fn execute(command: &mut Command) -> Result<(), String> {
    let started = Instant::now();
    announce(command);
    let status = command.status().map_err(|error| format!("{command:?} did not start: {error}"))?;
    println!("    ({:.0} s)", started.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

/// Runs a command, its output passed through and every line of its standard output shown to `line`.
pub(crate) fn execute_lines(
    command: &mut Command,
    mut line: impl FnMut(&str),
) -> Result<(), String> {
    let started = Instant::now();
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{command:?} did not start: {error}"))?;
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            let text =
                text.map_err(|error| format!("the output of {command:?} broke off: {error}"))?;
            let text = String::from_utf8_lossy(&text);
            println!("{text}");
            line(&text);
        }
    }
    let status = child.wait().map_err(|error| format!("{command:?} was lost: {error}"))?;
    println!("    ({:.0} s)", started.elapsed().as_secs_f64());
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

fn announce(command: &Command) {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    println!("\n==> {}", words.join(" "));
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
