//! What Unix or Linux can and others cannot.

#[cfg(unix)]
pub(super) use unix::*;

#[cfg(not(unix))]
pub(super) use elsewhere::*;

#[cfg(any(unix, windows))]
pub(super) use with_locks::*;

#[cfg(not(any(unix, windows)))]
pub(super) use without_locks::*;

#[cfg(target_os = "linux")]
pub(super) use linux::*;

#[cfg(not(target_os = "linux"))]
pub(super) use not_linux::*;

#[cfg(unix)]
mod unix {
    use std::fs::{DirBuilder, File, Metadata, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    /// Opens files for their owner alone, follows no symbolic link and waits for no pipe.
    pub(crate) fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        options
    }

    /// Makes folders for their owner alone.
    pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    /// What changes when a file is replaced or written to: where it is, how long, and its times.
    pub(crate) type Fingerprint = ((u64, u64, u64), (i64, i64), (i64, i64));

    /// The file's fingerprint.
    pub(crate) fn fingerprint(metadata: &Metadata) -> Fingerprint {
        (
            (metadata.dev(), metadata.ino(), metadata.len()),
            (metadata.mtime(), metadata.mtime_nsec()),
            (metadata.ctime(), metadata.ctime_nsec()),
        )
    }

    /// Which file it is, as long as it is open.
    pub(crate) type Identity = (u64, u64);

    /// The file's identity.
    pub(crate) fn identity(file: &File) -> io::Result<Identity> {
        file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Whether `path` leads to this file.
    pub(crate) fn leads_to(path: &Path, file: Identity) -> io::Result<bool> {
        match path.symlink_metadata() {
            Ok(found) => Ok((found.dev(), found.ino()) == file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a file that is open has a name.
    pub(crate) fn has_name(file: &File) -> io::Result<bool> {
        file.metadata().map(|metadata| metadata.nlink() > 0)
    }

    /// Makes the disk keep which files are in a folder.
    pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    /// Whether the error says that a symbolic link was met.
    pub(crate) fn is_link_error(error: &io::Error) -> bool {
        error.raw_os_error() == Some(libc::ELOOP)
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;
    use std::time::SystemTime;

    pub(crate) fn options() -> OpenOptions {
        OpenOptions::new()
    }

    pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    pub(crate) type Fingerprint = (u64, Option<SystemTime>);

    pub(crate) fn fingerprint(metadata: &Metadata) -> Fingerprint {
        (metadata.len(), metadata.modified().ok())
    }

    /// Files cannot be told from one another there.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Identity;

    pub(crate) fn identity(_file: &File) -> io::Result<Identity> {
        Ok(Identity)
    }

    /// A file that is open cannot be removed there.
    pub(crate) fn leads_to(_path: &Path, _file: Identity) -> io::Result<bool> {
        Ok(true)
    }

    /// A file that is open keeps its name there.
    pub(crate) fn has_name(_file: &File) -> io::Result<bool> {
        Ok(true)
    }

    /// Folders cannot be synced there.
    pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn is_link_error(_error: &io::Error) -> bool {
        false
    }
}

#[cfg(any(unix, windows))]
mod with_locks {
    use std::fs::File;
    use std::io;

    // Rust's own, of these names, are there since 1.89.
    use fs4::FileExt;

    /// Waits until nobody else has the file locked, and locks it.
    pub(crate) fn lock(file: &File) -> io::Result<()> {
        FileExt::lock(file)
    }

    /// Locks the file, or fails with [`io::ErrorKind::WouldBlock`] where somebody else has.
    pub(crate) fn try_lock(file: &File) -> io::Result<()> {
        Ok(FileExt::try_lock(file)?)
    }

    /// Gives the lock back.
    pub(crate) fn unlock(file: &File) -> io::Result<()> {
        FileExt::unlock(file)
    }
}

#[cfg(not(any(unix, windows)))]
mod without_locks {
    use std::fs::File;
    use std::io;

    pub(crate) fn lock(_file: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn try_lock(_file: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn unlock(_file: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io;
    use std::num::NonZeroU64;
    use std::path::Path;

    use rustix::fs::{Advice, CWD, RenameFlags, fadvise, renameat_with};

    /// Moves a file to where there must be nothing. Not every file system can.
    pub(crate) fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
        Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
    }

    /// Has the disk begin to write a file of this length, where that can be done without waiting for it.
    pub(crate) fn begin_writing(file: &File, length: usize) {
        // What is not needed in memory is written to the disk, and pages that are named whole are given up after that: so
        // the first and the last byte are left out. Of a longer file there would be such pages, and each write would
        // have all processors look for them.
        if let inner @ Some(_) = NonZeroU64::new((length as u64).saturating_sub(2))
            && length <= 2 * PAGE
        {
            // A rename over a file has ext4 and others do so too.
            let _ = fadvise(file, 1, inner, Advice::DontNeed);
        }
    }

    /// The size of the smallest pages of memory that there are.
    const PAGE: usize = 4096;
}

#[cfg(not(target_os = "linux"))]
mod not_linux {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub(crate) fn rename_to_nothing(_from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn begin_writing(_file: &File, _length: usize) {}
}
