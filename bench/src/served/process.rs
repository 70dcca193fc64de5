//! A process that ends with the value that stands for it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::cores;

pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a server that prints where it listens, and gives its port.
    pub(super) fn listening(mut command: Command) -> Result<(Process, u16)> {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let output = child.stdout.take().context("no output")?;
        let process = Process { child };
        let port = port(BufReader::new(output)).with_context(|| format!("{command:?}"))?;
        Ok((process, port))
    }

    /// The most memory that it has held, in megabytes.
    pub(super) fn peak(&self) -> Result<f64> {
        peak_of(self.child.id())
    }

    /// The processor's time that it and its children have had, in microseconds.
    pub(super) fn processor_time(&self) -> Result<f64> {
        Ok(ticks(self.child.id())? as f64 * TICK)
    }

    /// How often the system has given the processor to another in its place.
    pub(super) fn switches(&self) -> Result<f64> {
        Ok(switches(self.child.id())? as f64)
    }
}

/// The most memory that a process has held, in megabytes.
pub(crate) fn peak_of(id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.context("there is no VmHWM")?.trim().parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// How often a process's threads have given way to others, or were made to.
fn switches(id: u32) -> Result<u64> {
    let mut switches = 0;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        for line in status.lines() {
            if let Some((name, count)) = line.split_once(':')
                && name.ends_with("ctxt_switches")
            {
                switches += count.trim().parse::<u64>()?;
            }
        }
    }
    Ok(switches)
}

/// What Linux counts time in, in microseconds.
const TICK: f64 = 10_000.0;

/// What a process has had, its children, and those of them that have ended.
fn ticks(id: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("there is no end of the name")?;
    let mut ticks = 0;
    for field in fields.split(' ').skip(11).take(4) {
        ticks += field.parse::<u64>()?;
    }
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        for child in fs::read_to_string(thread?.path().join("children"))?.split_whitespace() {
            ticks += self::ticks(child.parse()?)?;
        }
    }
    Ok(ticks)
}

fn port(mut output: BufReader<ChildStdout>) -> Result<u16> {
    let mut line = String::new();
    while output.read_line(&mut line)? > 0 {
        if let Some((_, address)) = line.split_once("listening on http://") {
            let address = address.split_whitespace().next().unwrap_or_default();
            let port = address.rsplit(':').next().unwrap_or_default();
            // What it prints later has to go somewhere.
            std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
            return Ok(port.parse()?);
        }
        line.clear();
    }
    bail!("the server ended before it listened")
}

/// Redis, which writes nothing down, on a port and on the socket `redis.sock` of the folder.
pub(crate) fn redis(folder: &Path) -> Result<(Process, u16)> {
    // Debian's package of the tools has the whole of Redis, under the name of one of them. It is what it is called.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = std::env::split_paths(&path).map(|folder| folder.join("redis-check-rdb"));
    let program = programs.find(|program| program.is_file()).context("there is no Redis")?;
    let server = folder.join("redis-server");
    std::os::unix::fs::symlink(program, &server)?;
    store(&server, folder, "redis.sock")
}

/// Valkey, as Redis.
pub(super) fn valkey(root: &Path, folder: &Path) -> Result<(Process, u16)> {
    store(&root.join("target/peers/valkey-server"), folder, "valkey.sock")
}

fn store(program: &Path, folder: &Path, socket: &str) -> Result<(Process, u16)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let child = cores::others(program)
        .current_dir(folder)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--unixsocket", socket])
        .args(["--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("{} did not start", program.display()))?;
    let process = Process { child };
    for _ in 0..100 {
        if is_ready(port).unwrap_or_default() {
            return Ok((process, port));
        }
        sleep(Duration::from_millis(50));
    }
    bail!("{} does not answer", program.display())
}

fn is_ready(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
