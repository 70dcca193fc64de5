//! Where a server's program is, and who runs it.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The program of this name on the PATH, or where Debian keeps what only administrators start.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Says that the peer is not there; where every peer has to be, that is a failure.
pub(crate) fn missing<T>(peer: &str, package: &str) -> Option<T> {
    let message = format!("{peer} is not installed; `cargo xtask test` installs it ({package})");
    assert!(env::var("CI").as_deref() != Ok("true"), "{message}");
    eprintln!("skipped: {message}");
    None
}

/// The number of the user that runs this process.
pub(crate) fn user() -> u32 {
    fs::metadata("/proc/self").expect("/proc is mounted").uid()
}

/// The numbers of a user and of its group, by the name.
pub(crate) fn user_named(name: &str) -> Option<(u32, u32)> {
    let passwords = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwords.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2).map(str::parse);
    Some((fields.next()?.ok()?, fields.next()?.ok()?))
}

/// The folder in which `cargo xtask` puts the peers that Debian does not have.
pub(crate) fn peers_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers")
}
