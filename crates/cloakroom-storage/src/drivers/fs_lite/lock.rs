//! One writer at a time, among threads and among processes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::platform;
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

    /// The stripe whose temporary file has this name.
    pub(super) fn of_temporary(name: &str) -> Option<Stripe> {
        let (stripe, _) = name.strip_suffix(".tmp$")?.split_once('-')?;
        stripe.parse().ok().filter(|stripe| *stripe < STRIPES).map(Stripe)
    }
}

/// Where the tasks of this process wait for their turn, so that at most one thread per stripe waits for
/// another process.
#[derive(Debug)]
pub(super) struct Queues(Vec<Arc<Mutex<()>>>);

impl Queues {
    pub(super) fn new() -> Queues {
        Queues((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Waits for the turn of `key`, which lasts until the guard is dropped.
    pub(super) async fn wait(&self, key: &ItemKey) -> OwnedMutexGuard<()> {
        self.0[usize::from(Stripe::of(key).0)].clone().lock_owned().await
    }
}

/// Holds a lock file until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code)] File);

impl Lock {
    /// Waits until no other thread or process holds the stripe.
    pub(super) fn acquire(folder: &Path, stripe: Stripe) -> io::Result<Lock> {
        Lock::open(folder.join(format!("{}.lock$", stripe.prefix())), File::lock)
    }

    /// The lock of whoever sweeps; `None` while another thread or process does.
    pub(super) fn try_for_sweep(folder: &Path) -> io::Result<Option<Lock>> {
        match Lock::open(folder.join("sweep.lock$"), |file| Ok(file.try_lock()?)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn open(path: PathBuf, lock: impl Fn(&File) -> io::Result<()>) -> io::Result<Lock> {
        let mut options = platform::options();
        options.read(true).write(true).create(true).truncate(false);
        loop {
            let file = match options.open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    path.parent().map_or(Ok(()), platform::create_folders)?;
                    options.open(&path)?
                }
                opened => opened?,
            };
            match lock(&file) {
                // unstorage's `clear` removes lock files too. A lock on a removed file excludes nobody.
                Ok(()) if platform::is_at(&file, &path)? => return Ok(Lock(file)),
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
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
