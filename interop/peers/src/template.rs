//! Data folders that were made once: making one takes a database about a second, and copying it a fraction of that.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use crate::program::{peers_folder, user};

/// Fills `data` with what `make` would make there. `program` and `settings` are what that depends on.
pub(crate) fn fill(data: &Path, program: &Path, settings: &str, make: impl FnOnce()) {
    let template = peers_folder().join(name(program, settings));
    if template.is_dir() {
        assert!(copy(&template, data), "{} cannot be copied", template.display());
        return;
    }
    make();
    keep(data, &template);
}

/// Differs by the program's version, and by who may read the copy.
fn name(program: &Path, settings: &str) -> String {
    let about = fs::metadata(program).expect("the program is there");
    let mut hasher = DefaultHasher::new();
    (about.len(), about.mtime(), about.mtime_nsec(), settings, user()).hash(&mut hasher);
    let program = program.file_name().unwrap_or_default().to_string_lossy();
    format!("{program}-{:016x}", hasher.finish())
}

/// Without it the next start takes longer, and nothing is wrong.
fn keep(data: &Path, template: &Path) {
    let peers = peers_folder();
    if fs::create_dir_all(&peers).is_err() {
        return;
    }
    let Ok(aside) = tempfile::tempdir_in(peers) else { return };
    let whole = aside.path().join("data");
    if copy(data, &whole) {
        // Whole or not at all; where another process was faster, its copy stays.
        _ = fs::rename(whole, template);
    }
}

/// With owners and modes, which databases insist on.
fn copy(from: &Path, to: &Path) -> bool {
    Command::new("cp").arg("-a").arg(from).arg(to).status().is_ok_and(|status| status.success())
}
