//! A server under load, whose answers have been looked at.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::cores;
use super::process::Process;
use figures::measure::Settings;

/// How many sessions a server is asked for, one after the other.
const SESSIONS: usize = 64;

/// What was answered in one measurement.
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    /// Bytes of all answers.
    pub(crate) bytes: f64,
}

pub(crate) struct Server {
    process: Process,
    port: u16,
    script: PathBuf,
    cookies: PathBuf,
}

impl Server {
    /// Starts a server, fills its sessions and sees that they change. `counts` says whether it has sessions to count in.
    pub(crate) fn start(
        settings: &Settings,
        command: Command,
        folder: &Path,
        counts: bool,
    ) -> Result<Server> {
        let (process, port) = Process::listening(command)?;
        let server = Server {
            process,
            port,
            script: settings.root.join("bench/src/served/load.lua"),
            cookies: folder.join(format!("cookies-{port}")),
        };
        let mut cookies = Vec::new();
        for _ in 0..SESSIONS {
            let (head, body) = server.ask("POST", "/fill", "")?;
            ensure!(body == "0", "a new session was answered with {body:?}");
            cookies.push(cookie(&head).context("no cookie was sent")?);
        }
        fs::write(&server.cookies, cookies.join("\n"))?;
        if counts {
            for cookie in &cookies {
                server.expect(cookie, "GET", "/cart", "0")?;
                for count in ["1", "2", "3"] {
                    server.expect(cookie, "POST", "/add", count)?;
                }
                server.expect(cookie, "GET", "/cart", "3")?;
            }
        }
        Ok(server)
    }

    /// Asks for the same over so many connections, one request after the other on each of them.
    pub(crate) fn load(
        &self,
        seconds: u64,
        connections: usize,
        method: &str,
        path: &str,
    ) -> Result<Load> {
        let output = cores::others("wrk")
            .args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{seconds}s")])
            .arg("-s")
            .arg(&self.script)
            .arg(format!("http://127.0.0.1:{}{path}", self.port))
            .arg("--")
            .arg(method)
            .arg(&self.cookies)
            .output()
            .context("`wrk` did not start")?;
        let report = String::from_utf8_lossy(&output.stdout);
        for failure in ["Non-2xx", "Socket errors"] {
            ensure!(!report.contains(failure), "{method} {path}: {report}");
        }
        let rate = report.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        let requests = report.lines().find_map(|line| line.split_once(" requests in "));
        let bytes = report.lines().find_map(|line| line.strip_prefix("bytes read:"));
        let (Some(rate), Some((requests, _)), Some(bytes)) = (rate, requests, bytes) else {
            bail!("{method} {path}: {report}")
        };
        Ok(Load {
            requests: requests.trim().parse()?,
            per_second: rate.trim().parse()?,
            bytes: bytes.trim().parse()?,
        })
    }

    /// How many allocations it has made, if it is one that counts them.
    pub(super) fn allocations(&self) -> Result<f64> {
        let (_, count) = self.ask("GET", "/allocations", "")?;
        Ok(count.parse()?)
    }

    /// The processor's time that it has had, in microseconds.
    pub(crate) fn processor_time(&self) -> Result<f64> {
        self.process.processor_time()
    }

    /// How often another had the processor in its place.
    pub(super) fn switches(&self) -> Result<f64> {
        self.process.switches()
    }

    /// The most memory that it has held, in megabytes.
    pub(super) fn peak(&self) -> Result<f64> {
        self.process.peak()
    }

    fn expect(&self, cookie: &str, method: &str, path: &str, expected: &str) -> Result<()> {
        let (_, body) = self.ask(method, path, &format!("Cookie: {cookie}\r\n"))?;
        ensure!(body == expected, "{method} {path} gave {body:?} and not {expected:?}");
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Result<(String, String)> {
        let body = if method == "POST" { r#"{"item":"scarf-01"}"# } else { "" };
        let length = body.len();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{headers}\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            bail!("{method} {path} was answered with {answer:?}")
        };
        ensure!(head.split(' ').nth(1) == Some("200"), "{method} {path} was answered with {head}");
        Ok((head.to_owned(), body.to_owned()))
    }
}

/// The cookie of an answer, as a client sends it back.
fn cookie(head: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let pair = value.split(';').next()?.trim();
        name.eq_ignore_ascii_case("set-cookie").then(|| pair.to_owned())
    })
}
