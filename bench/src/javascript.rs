//! A process of Node.js that measures what it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A program of `bench/javascript`, which answers each line with a line.
pub(crate) struct JavaScript {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl JavaScript {
    /// Starts it with these arguments. Its packages are those of `interop`, at the versions that are pinned there.
    pub(crate) fn start(root: &Path, program: &str, arguments: &[&str]) -> Result<JavaScript> {
        let mut process = Command::new("node")
            .arg(root.join("bench/javascript").join(program))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("`node` did not start")?;
        let input = process.stdin.take().context("no input")?;
        let output = process.stdout.take().map(BufReader::new).context("no output")?;
        Ok(JavaScript { process, input, output })
    }

    /// Sends a line, and reads the number that comes back.
    pub(crate) fn ask(&mut self, line: &str) -> Result<f64> {
        writeln!(self.input, "{line}")?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            bail!("the process of Node.js ended at {line:?}");
        }
        answer.trim().parse().with_context(|| format!("{line:?} was answered with {answer:?}"))
    }
}

impl Drop for JavaScript {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
