//! A file that is written where nobody looks, and moved into its place when it is whole.

use std::fs::{self, FileTimes};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::lock::Place;
use super::platform;

/// A temporary file, removed when it was not moved into its place.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    is_gone: bool,
}

/// How soon a new file is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaches {
    /// When the kernel comes to it, which takes half a minute.
    Sometime,
    /// The disk begins to write it now: before its name is written down, so that a power cut leaves no empty file.
    Soon,
    /// It is there.
    Now,
}

/// A name for a file of whoever holds the place's lock: any other is left over from a process that was killed.
pub(super) fn path(place: &Place) -> PathBuf {
    let unique = RandomState::new().hash_one(std::process::id());
    place.folder.join(format!("{}-{unique:016x}.tmp$", place.stripe.prefix()))
}

impl Temporary {
    /// Writes a new file.
    pub(super) fn write(
        path: PathBuf,
        value: &[u8],
        times: FileTimes,
        disk: Reaches,
    ) -> io::Result<Temporary> {
        let mut file = platform::options().write(true).create_new(true).open(&path)?;
        let temporary = Temporary { path, is_gone: false };
        file.write_all(value)?;
        file.set_times(times)?;
        match disk {
            Reaches::Sometime => {}
            Reaches::Soon => platform::begin_writing(&file, value.len()),
            Reaches::Now => file.sync_all()?,
        }
        Ok(temporary)
    }

    /// Puts it where there must be nothing.
    pub(super) fn create(&mut self, path: &Path) -> io::Result<()> {
        match platform::rename_to_nothing(&self.path, path) {
            Ok(()) => self.is_gone = true,
            // Unlike a usual rename, a link replaces nothing either. Two names are left where a process is killed here:
            // the sweep removes the one that is ours.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
                ) =>
            {
                fs::hard_link(&self.path, path)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Puts it in the place of whatever file is there.
    pub(super) fn rename(&mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_gone = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_gone {
            // The sweep removes what cannot be removed here.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(folder: &Path, value: &str) -> Temporary {
        let path = folder.join("temporary");
        let times = FileTimes::new();
        Temporary::write(path, value.as_bytes(), times, Reaches::Soon).expect("written")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_replaced_file_is_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("item");
        fs::write(&path, "old").expect("written");
        temporary(folder.path(), "new").rename(&path).expect("replaced");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
        assert_eq!(names(folder.path()), ["item"]);
    }

    #[test]
    fn a_long_file_replaces_the_old_one_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("item");
        fs::write(&path, "old").expect("written");
        for value in ["", "a", &"long".repeat(10_000)] {
            temporary(folder.path(), value).rename(&path).expect("replaced");
            assert_eq!(fs::read_to_string(&path).expect("read"), value);
            assert_eq!(names(folder.path()), ["item"]);
        }
    }

    #[test]
    fn where_there_is_nothing_to_replace_it_takes_the_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("item");
        temporary(folder.path(), "new").rename(&path).expect("moved");
        assert_eq!(names(folder.path()), ["item"]);
    }

    #[test]
    fn a_folder_stays_where_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("item");
        fs::create_dir(&path).expect("made");
        fs::write(path.join("other"), "other").expect("written");
        let refused = temporary(folder.path(), "new").rename(&path);
        assert!(refused.is_err());
        assert_eq!(fs::read_to_string(path.join("other")).expect("read"), "other");
        assert_eq!(names(folder.path()), ["item"]);
    }

    #[test]
    fn what_was_not_moved_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(temporary(folder.path(), "new"));
        assert!(names(folder.path()).is_empty());
    }
}
