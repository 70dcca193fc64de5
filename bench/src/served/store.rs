//! The store that a server has for itself while it is measured.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context as _, Result};

use super::process::Process;

/// Redis, or Valkey.
#[derive(Clone, Copy)]
pub(super) struct Store<'a> {
    pub(super) process: &'a Process,
    pub(super) port: u16,
}

/// What it says that it has done until now.
pub(super) struct Traffic {
    /// Bytes that came in and went out.
    pub(super) bytes: f64,
    /// Commands, those that scripts call among them.
    pub(super) commands: f64,
}

impl Store<'_> {
    pub(super) fn traffic(&self) -> Result<Traffic> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port))?);
        stream.get_mut().write_all(b"INFO stats\r\n")?;
        let mut length = String::new();
        stream.read_line(&mut length)?;
        let length = length.trim().strip_prefix('$').context("no answer to INFO")?;
        let mut stats = vec![0; length.parse()?];
        stream.read_exact(&mut stats)?;
        let stats = String::from_utf8(stats)?;
        let of = |name: &str| -> Result<f64> {
            let line = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            Ok(line.with_context(|| format!("INFO says no {name}"))?.trim().parse()?)
        };
        Ok(Traffic {
            bytes: of("total_net_input_bytes")? + of("total_net_output_bytes")?,
            commands: of("total_commands_processed")?,
        })
    }
}
