//! The file of SQLite that a URL names, and who may read it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use cloakroom_storage::{Result, options};

/// What a URL says of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It is made where it is missing: said by `rwc`, or by nothing.
    Create,
    Write,
    Read,
    /// There is none.
    Memory,
}

/// The options for the database at `url`, whose file is made where it is missing; and whether it is in memory.
///
/// # Errors
/// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when the URL names no file, or its folder cannot be made.
pub(super) fn prepared(
    driver: &'static str,
    url: &str,
    sqlite: SqliteConnectOptions,
) -> Result<(SqliteConnectOptions, bool)> {
    let file = path(sqlite.get_filename());
    let mode = Mode::of(url, &file);
    if mode == Mode::Memory {
        // Of other spellings each connection would have a database of its own.
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let sqlite = sqlite.filename(format!("file:cloakroom-in-memory-{number}"));
        return Ok((sqlite.in_memory(true).shared_cache(true), true));
    }
    if file.as_os_str().is_empty() {
        let message = "option `url` has to name a file, or to be `sqlite::memory:`";
        return Err(options::invalid(driver, message));
    }
    if mode == Mode::Create {
        make(driver, &file)?;
    }
    // What SQLite makes by itself everybody may read, also where somebody removes the file later.
    let sqlite = sqlite.filename(&file).create_if_missing(false);
    Ok(match mode {
        Mode::Create | Mode::Write => (sqlite.journal_mode(SqliteJournalMode::Wal), false),
        Mode::Read | Mode::Memory => (sqlite, false),
    })
}

impl Mode {
    /// By the path and the parameters, as sqlx reads them. What neither knows, sqlx has refused.
    fn of(url: &str, file: &Path) -> Mode {
        let url = url.trim_start_matches("sqlite://").trim_start_matches("sqlite:");
        let (database, parameters) = url.split_once('?').unwrap_or((url, ""));
        let has = |wanted: &str| parameters.split('&').any(|parameter| parameter == wanted);
        let memory = ":memory:";
        if database == memory || file == Path::new(memory) || has("mode=memory") {
            Mode::Memory
        } else if has("mode=ro") || has("immutable=1") || has("immutable=true") {
            Mode::Read
        } else if has("mode=rw") {
            Mode::Write
        } else {
            Mode::Create
        }
    }
}

/// The path of a file, which SQLite takes as a URL too.
fn path(file: &Path) -> PathBuf {
    let Some(rest) = file.to_str().and_then(|file| file.strip_prefix("file:")) else {
        return file.to_owned();
    };
    let local = rest.strip_prefix("//localhost/").or_else(|| rest.strip_prefix("///"));
    local.map_or_else(|| rest.into(), |path| Path::new("/").join(path))
}

/// Makes a missing file, and its folder. Its owner alone may read it, and so the files beside it too: whoever reads
/// sessions can take them over.
fn make(driver: &'static str, file: &Path) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let folder = folder.display();
            let message = format!("option `url`: the folder {folder} cannot be made: {error}");
            options::invalid(driver, message).with_source(error)
        })?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Mostly it is there. Where it cannot be made, SQLite says why.
    _ = options.open(file);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_what_the_parameters_say_and_never_a_part_of_the_path() {
        for (url, mode, file) in [
            ("sqlite:a.db", Mode::Create, "a.db"),
            ("sqlite://a.db?mode=rwc", Mode::Create, "a.db"),
            ("sqlite:/tmp/mode=ro.db", Mode::Create, "/tmp/mode=ro.db"),
            ("sqlite:/tmp/:memory:.db", Mode::Create, "/tmp/:memory:.db"),
            ("sqlite:/tmp/mode=memory/a.db?cache=private", Mode::Create, "/tmp/mode=memory/a.db"),
            ("sqlite:a%3Fmode=memory.db", Mode::Create, "a?mode=memory.db"),
            ("sqlite:file:a.db", Mode::Create, "a.db"),
            ("sqlite:file:///tmp/a.db", Mode::Create, "/tmp/a.db"),
            ("sqlite:a.db?cache=private&mode=rw", Mode::Write, "a.db"),
            ("sqlite:a.db?mode=ro", Mode::Read, "a.db"),
            ("sqlite:a.db?immutable=1", Mode::Read, "a.db"),
            ("sqlite:file::memory:", Mode::Memory, ":memory:"),
            ("sqlite:%3Amemory%3A", Mode::Memory, ":memory:"),
            ("sqlite:a?mode=memory", Mode::Memory, "a"),
        ] {
            let sqlite: SqliteConnectOptions = url.parse().expect("a URL");
            let path = path(sqlite.get_filename());
            assert_eq!((Mode::of(url, &path), path.as_path()), (mode, Path::new(file)), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite:?mode=memory"] {
            assert_eq!(Mode::of(url, Path::new("")), Mode::Memory, "{url}");
        }
    }
}
