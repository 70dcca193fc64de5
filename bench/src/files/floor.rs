//! What a compare-and-swap on files takes at least: its system calls one after the other, in a bare loop.
//!
//! They are the driver's own, in its folders and with its guarantees: the lock that other processes respect, and whose file is
//! still the one that they find; the comparison; the new file, dated and on its way to the disk before it has its name; the
//! deadline's line in the index, which is there; a last look at the old file, which somebody may have written to in place; and
//! the move into place. What a driver has besides is left out: keys, errors, a runtime, threads that are waited for.

use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{Read as _, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use rustix::fs::{Advice, FlockOperation, OFlags, fadvise, flock};

use super::Write;
use crate::scale::files::OWN;
use figures::sessions::id;

/// How many locks the driver has.
const LOCKS: usize = 64;

/// A folder with sessions, as the driver has made it.
pub(super) struct Floor {
    base: PathBuf,
    own: PathBuf,
    index: PathBuf,
    modified: SystemTime,
    locks: Vec<Lock>,
}

struct Lock {
    file: File,
    path: PathBuf,
    inode: u64,
}

impl Floor {
    pub(super) fn new(base: &Path) -> Result<Floor> {
        let own = base.join(OWN);
        let mut names = fs::read_dir(&own)?.map(|entry| Ok(entry?.path()));
        let is_index = |path: &PathBuf| path.extension().is_some_and(|end| end == "expires$");
        let index = names.find(|path: &Result<_>| path.as_ref().is_ok_and(is_index));
        let locks = (0..LOCKS).map(|stripe| {
            let path = own.join(format!("{stripe:02}.lock$"));
            let file = options().write(true).create(true).open(&path)?;
            let inode = file.metadata()?.ino();
            Ok(Lock { file, path, inode })
        });
        Ok(Floor {
            base: base.to_owned(),
            index: index.context("there is no index")??,
            modified: fs::metadata(base.join(id(0)))?.modified()?,
            locks: locks.collect::<Result<_>>()?,
            own,
        })
    }

    /// Does the writes in so many threads, none of which has a lock that another wants.
    pub(super) fn write_all(&self, writes: &[Write], threads: usize) -> Result<()> {
        thread::scope(|scope| {
            let threads = (0..threads).map(|thread| {
                let mut writes = writes.iter().skip(thread).step_by(threads);
                scope.spawn(move || writes.try_for_each(|write| self.write(write)))
            });
            threads.collect::<Vec<_>>().into_iter().try_for_each(outcome)
        })
    }

    fn write(&self, write: &Write) -> Result<()> {
        let path = self.base.join(write.key.as_str());
        let stripe = write.number % LOCKS;
        let lock = &self.locks[stripe];
        flock(&lock.file, FlockOperation::NonBlockingLockExclusive)?;
        ensure!(fs::symlink_metadata(&lock.path)?.ino() == lock.inode, "another lock");

        let mut old = options().read(true).open(&path)?;
        let mut current = Vec::with_capacity(4096);
        // Without the look at how long it is, which would be two calls more.
        (&mut old).take(u64::MAX).read_to_end(&mut current)?;
        let seen = old.metadata()?;
        ensure!(current == write.expected, "session {} is another one", write.number);

        let temporary = self.own.join(format!("{stripe:02}-{:016x}.tmp$", write.number));
        let mut new = options().write(true).create_new(true).open(&temporary)?;
        new.write_all(&write.value)?;
        new.set_times(FileTimes::new().set_modified(self.modified))?;
        // All but the first and the last byte, as the driver says why.
        fadvise(&new, 1, NonZeroU64::new(write.value.len() as u64 - 2), Advice::DontNeed)?;
        drop(new);

        ensure!(self.index.exists(), "the index is gone");
        let now = fs::symlink_metadata(&path)?;
        ensure!(fingerprint(&now) == fingerprint(&seen), "somebody has written to it");
        fs::rename(temporary, path)?;
        flock(&lock.file, FlockOperation::Unlock)?;
        // It is freed here, where it keeps nobody from the folder.
        drop(old);
        Ok(())
    }
}

fn outcome(thread: ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

fn fingerprint(metadata: &Metadata) -> [i64; 6] {
    let (inode, length) = (metadata.ino().cast_signed(), metadata.len().cast_signed());
    let modified = [metadata.mtime(), metadata.mtime_nsec()];
    [inode, length, modified[0], modified[1], metadata.ctime(), metadata.ctime_nsec()]
}
