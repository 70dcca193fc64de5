//! Which core does what: the server under load has one to itself.

use std::ffi::OsStr;
use std::process::Command;
use std::thread::available_parallelism;

/// The server's core.
pub(super) fn server(program: impl AsRef<OsStr>) -> Command {
    on("0", program)
}

/// Everything else: the load, and Redis.
pub(super) fn others(program: impl AsRef<OsStr>) -> Command {
    match available_parallelism().map_or(1, usize::from) {
        1 => Command::new(program),
        cores => on(&format!("1-{}", cores - 1), program),
    }
}

fn on(cores: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(cores).arg(program);
    command
}
