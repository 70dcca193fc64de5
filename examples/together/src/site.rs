//! The other half: an Astro site that is installed, built and started from here.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::http::uri::Authority;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// What went wrong, as a sentence.
pub type Result<T> = std::result::Result<T, String>;

/// A site that runs until this is dropped.
#[derive(Debug)]
pub struct Site {
    /// Where it listens.
    pub address: Authority,
    process: Child,
}

impl Site {
    /// The site that was built in this folder. `rust` is where its pages reach our half.
    ///
    /// # Errors
    /// Where it cannot be started, or ends before it listens: with what it has printed.
    pub async fn start(folder: &Path, rust: SocketAddr) -> Result<Site> {
        let entry = folder.join("dist/server/entry.mjs");
        let mut node = Command::new(node(folder));
        node.arg(&entry).current_dir(folder).stdout(Stdio::piped()).kill_on_drop(true);
        node.envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("RUST", &*format!("http://{rust}"))]);
        let mut process = node.spawn().map_err(|error| cannot_run("node", &error))?;
        let output = process.stdout.take().ok_or("the site's output cannot be read")?;
        let mut lines = BufReader::new(output).lines();
        let address = address(&mut lines).await?;
        tokio::spawn(show(lines));
        Ok(Site { address, process })
    }

    /// Waits until the site ends by itself, which it should not.
    pub async fn ended(&mut self) -> String {
        match self.process.wait().await {
            Ok(status) => format!("the Astro site has ended: {status}"),
            Err(error) => format!("the Astro site is lost: {error}"),
        }
    }
}

/// Installs what the site needs, unless it is there, and builds it.
///
/// # Errors
/// Where npm is not there, or fails.
pub async fn build(folder: &Path) -> Result<()> {
    if !is_installed(folder) {
        println!("together: installing the site's packages");
        npm(folder, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).await?;
    }
    println!("together: building the site");
    npm(folder, &["run", "--silent", "build"]).await
}

/// What the site has told of its sessions when it was built: the other half of one configuration.
pub fn told(folder: &Path) -> PathBuf {
    folder.join("dist/server/cloakroom.json")
}

/// Whether npm has installed what is wanted now, by the list that it leaves behind. A site without a list of its own has its
/// packages from a folder above.
fn is_installed(folder: &Path) -> bool {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|file| file.modified());
    match (changed("package-lock.json"), changed("node_modules/.package-lock.json")) {
        (Ok(wanted), Ok(installed)) => installed >= wanted,
        (Ok(_), Err(_)) => false,
        (Err(_), _) => true,
    }
}

async fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(folder).env("ASTRO_TELEMETRY_DISABLED", "1");
    let status = npm.status().await.map_err(|error| cannot_run("npm", &error))?;
    match status.success() {
        true => Ok(()),
        false => {
            Err(format!("`npm {}` failed in {}: {status}", arguments.join(" "), folder.display()))
        }
    }
}

/// The Node.js that npm has installed with the site, else that of the system: Debian's is too old for Astro.
fn node(folder: &Path) -> PathBuf {
    let installed = folder.join("node_modules/.bin/node");
    if installed.exists() { installed } else { "node".into() }
}

fn cannot_run(program: &str, error: &io::Error) -> String {
    format!(
        "cannot run {program}: {error}; install Node.js with npm (on Debian: apt-get install npm)"
    )
}

/// Where the site listens, as it says itself.
async fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Authority> {
    let mut printed = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let port = line
            .split_once("http://")
            .and_then(|(_, url)| url.trim_end_matches('/').rsplit_once(':'));
        let port = port.and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u16>().ok());
        if let Some(port) = port {
            let address = format!("127.0.0.1:{port}").parse();
            return address.map_err(|error| format!("the site's address: {error}"));
        }
        printed.push_str(&line);
        printed.push('\n');
    }
    Err(format!("the Astro site ended before it was ready\n{printed}"))
}

/// Passes on what the site prints.
async fn show(mut lines: Lines<BufReader<ChildStdout>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        println!("astro: {line}");
    }
}
