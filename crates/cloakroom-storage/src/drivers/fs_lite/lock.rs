//! One writer at a time, among threads and among processes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::platform::{self, Identity};
use crate::ItemKey;

/// How many locks there are. Processes of different versions must agree on it, so it never changes.
const STRIPES: u8 = 64;

/// The lock that a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stripe(u8);

impl Stripe {
    /// By FNV-1a, which is the same in every process and for ever.
    pub(super) fn of(key: &ItemKey) -> Stripe {
        let hash = key.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Stripe((hash % u64::from(STRIPES)) as u8)
    }

    /// How the names of this stripe's files begin.
    pub(super) fn prefix(self) -> String {
        format!("{:02}", self.0)
    }

    fn lock_file(self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.lock$", self.prefix()))
    }

    /// The stripe whose temporary file has this name.
    pub(super) fn of_temporary(name: &str) -> Option<Stripe> {
        let (stripe, _) = name.strip_suffix(".tmp$")?.split_once('-')?;
        stripe.parse().ok().filter(|stripe| *stripe < STRIPES).map(Stripe)
    }
}

/// Where the tasks of this process wait for their turn, so that at most one thread per stripe waits for
/// another process.
#[derive(Debug)]
pub(super) struct Queues(Vec<Arc<Mutex<Option<LockFile>>>>);

impl Queues {
    pub(super) fn new() -> Queues {
        Queues((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Waits for the turn of `key`, which lasts until it is dropped.
    pub(super) async fn wait(&self, key: &ItemKey) -> Turn {
        let stripe = Stripe::of(key);
        let file = self.0[usize::from(stripe.0)].clone().lock_owned().await;
        Turn { stripe, file, waits: false, is_refused: false }
    }
}

/// The turn of one task of this process. The lock file stays open from one turn to the next.
#[derive(Debug)]
pub(super) struct Turn {
    stripe: Stripe,
    file: OwnedMutexGuard<Option<LockFile>>,
    waits: bool,
    is_refused: bool,
}

impl Turn {
    /// Takes the lock, which other processes respect too.
    ///
    /// # Errors
    /// Among others where somebody else holds it and this turn does not [wait](Turn::wait_for_others).
    pub(super) fn lock(&mut self, folder: &Path) -> io::Result<Held<'_>> {
        let path = self.stripe.lock_file(folder);
        loop {
            let file = match self.file.take() {
                Some(file) => file,
                None => LockFile::open(&path)?,
            };
            if !self.waits
                && let Err(error) = file.try_lock()
            {
                self.is_refused = error.kind() == io::ErrorKind::WouldBlock;
                *self.file = Some(file);
                return Err(error);
            }
            if self.waits {
                file.lock()?;
            }
            if file.is_at(&path)? {
                *self.file = Some(file);
                return Ok(Held(&mut self.file));
            }
        }
    }

    /// Whether the lock was not taken because somebody else holds it.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// From now on the lock is waited for.
    pub(super) fn wait_for_others(&mut self) {
        (self.waits, self.is_refused) = (true, false);
    }
}

/// Holds the lock until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'a>(&'a mut Option<LockFile>);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let unlocked = self.0.as_ref().is_some_and(|file| file.file.unlock().is_ok());
        // Where files cannot be told from one another, nobody would see that it was replaced.
        if !unlocked || !cfg!(unix) {
            *self.0 = None;
        }
    }
}

/// An open lock file.
#[derive(Debug)]
pub(super) struct LockFile {
    file: File,
    identity: Identity,
}

impl LockFile {
    fn open(path: &Path) -> io::Result<LockFile> {
        let mut options = platform::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), platform::create_folders)?;
                options.open(path)?
            }
            opened => opened?,
        };
        let identity = platform::identity(&file)?;
        Ok(LockFile { file, identity })
    }

    fn lock(&self) -> io::Result<()> {
        loop {
            match self.file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                locked => return locked,
            }
        }
    }

    fn try_lock(&self) -> io::Result<()> {
        Ok(self.file.try_lock()?)
    }

    /// unstorage's `clear` removes lock files too. A lock on a removed file excludes nobody.
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        platform::leads_to(path, self.identity)
    }
}

/// Holds a lock file until it is dropped, and closes it.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code)] LockFile);

impl Lock {
    /// Waits until no other thread or process holds the stripe.
    pub(super) fn acquire(folder: &Path, stripe: Stripe) -> io::Result<Lock> {
        Lock::take(&stripe.lock_file(folder), LockFile::lock)
    }

    /// The lock of whoever sweeps; `None` while another thread or process does.
    pub(super) fn try_for_sweep(folder: &Path) -> io::Result<Option<Lock>> {
        match Lock::take(&folder.join("sweep.lock$"), LockFile::try_lock) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            taken => taken.map(Some),
        }
    }

    fn take(path: &Path, lock: impl Fn(&LockFile) -> io::Result<()>) -> io::Result<Lock> {
        loop {
            let file = LockFile::open(path)?;
            lock(&file)?;
            if file.is_at(path)? {
                return Ok(Lock(file));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stripe_of_a_key_never_changes() {
        // Kept for ever: a process of another version must choose the same lock.
        for (key, stripe) in
            [("a", "12"), ("sess:a", "46"), ("6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d", "48")]
        {
            assert_eq!(Stripe::of(&ItemKey::new(key).expect("valid")).prefix(), stripe, "{key}");
        }
    }

    #[test]
    fn a_temporary_file_tells_its_stripe() {
        assert_eq!(Stripe::of_temporary("07-0123456789abcdef.tmp$"), Some(Stripe(7)));
        for name in ["07.lock$", "64-0.tmp$", "x-0.tmp$", "07-0"] {
            assert_eq!(Stripe::of_temporary(name), None, "{name}");
        }
    }
}
