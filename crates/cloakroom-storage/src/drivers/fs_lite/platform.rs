//! What Unix can and others cannot.

#[cfg(unix)]
pub(super) use unix::*;

#[cfg(not(unix))]
pub(super) use elsewhere::*;

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    /// Opens files for their owner alone, follows no symbolic link and waits for no pipe.
    pub(in super::super) fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        options
    }

    /// Makes folders for their owner alone.
    pub(in super::super) fn create_folders(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// When the file expires, if it carries a deadline.
    pub(in super::super) fn deadline(metadata: &Metadata) -> Option<SystemTime> {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        if modified <= changed {
            return None;
        }
        let whole = Duration::from_secs(u64::try_from(modified.0).ok()?);
        let rest = Duration::from_nanos(u64::try_from(modified.1).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(whole)?.checked_add(rest)
    }

    /// What changes when a file is replaced or written to: where it is, how long, and its times.
    pub(in super::super) type Fingerprint = ((u64, u64, u64), (i64, i64), (i64, i64));

    /// The file's fingerprint.
    pub(in super::super) fn fingerprint(metadata: &Metadata) -> Fingerprint {
        (
            (metadata.dev(), metadata.ino(), metadata.len()),
            (metadata.mtime(), metadata.mtime_nsec()),
            (metadata.ctime(), metadata.ctime_nsec()),
        )
    }

    /// Whether `path` still leads to `file`.
    pub(in super::super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
        let own = file.metadata()?;
        match path.symlink_metadata() {
            Ok(other) => Ok((own.dev(), own.ino()) == (other.dev(), other.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the disk keep which files are in a folder.
    pub(in super::super) fn sync_folder(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Whether the error says that a symbolic link was met.
    pub(in super::super) fn is_link_error(error: &io::Error) -> bool {
        error.raw_os_error() == Some(libc::ELOOP)
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;
    use std::time::SystemTime;

    pub(in super::super) fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(in super::super) fn create_folders(path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    /// There is no change time, so no file carries a deadline.
    pub(in super::super) fn deadline(_metadata: &Metadata) -> Option<SystemTime> {
        None
    }

    pub(in super::super) type Fingerprint = (u64, Option<SystemTime>);

    pub(in super::super) fn fingerprint(metadata: &Metadata) -> Fingerprint {
        (metadata.len(), metadata.modified().ok())
    }

    /// A lock file that is open cannot be removed there.
    pub(in super::super) fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }

    /// Folders cannot be synced there.
    pub(in super::super) fn sync_folder(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(in super::super) fn is_link_error(_error: &io::Error) -> bool {
        false
    }
}
