//! One writer at a time, among threads and among processes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::OWN_FOLDER;
use super::platform::{self, Identity};
use cloakroom_storage::ItemKey;

/// How many locks there are. Processes of different versions must agree on it, so it never changes.
const STRIPES: u8 = 64;

/// Where the lock of an item is, and the temporary files of whoever holds it.
#[derive(Debug)]
pub(super) struct Place {
    /// One of our own folders.
    pub(super) folder: PathBuf,
    pub(super) stripe: Stripe,
}

impl Place {
    /// In the nearest of our own folders above the item. So it has one lock by each of its names where one store's base
    /// lies in the folder of another.
    pub(super) fn of(key: &ItemKey, base: &Path) -> Place {
        let (mut folder, mut below) = (base.join(OWN_FOLDER), key.as_str());
        let (mut outer, mut rest) = (base.to_owned(), below);
        while let Some((first, others)) = rest.split_once(':') {
            outer.push(first);
            rest = others;
            let own = outer.join(OWN_FOLDER);
            if own.is_dir() {
                (folder, below) = (own, rest);
            }
        }
        Place { folder, stripe: Stripe::of(below) }
    }

    fn lock_file(&self) -> PathBuf {
        self.folder.join(format!("{}.lock$", self.stripe.prefix()))
    }
}

/// The lock that a key belongs to, one of those in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stripe(u8);

impl Stripe {
    pub(super) const FIRST: Stripe = Stripe(0);

    /// By FNV-1a, which is the same in every process and for ever.
    ///
    /// Names that are one file somewhere have one lock: those that differ in the case of letters, or in how letters
    /// beyond ASCII are written, which leave their part of the key out.
    pub(super) fn of(key: &str) -> Stripe {
        let bytes = key.split_inclusive(':').filter(|part| part.is_ascii()).flat_map(str::bytes);
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
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
pub(super) struct Queues(Vec<Arc<Mutex<Option<LockFile>>>>);

impl Queues {
    pub(super) fn new() -> Queues {
        Queues((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Waits for the turn of `key`, which lasts until it is dropped.
    pub(super) async fn wait(&self, key: &ItemKey) -> Turn {
        let queue = &self.0[usize::from(Stripe::of(key.as_str()).0)];
        let file = queue.clone().lock_owned().await;
        Turn { file, waits: false, is_refused: false, left: None }
    }
}

/// The turn of one task of this process. The lock file stays open from one turn to the next.
#[derive(Debug)]
pub(super) struct Turn {
    file: OwnedMutexGuard<Option<LockFile>>,
    waits: bool,
    is_refused: bool,
    left: Option<File>,
}

impl Turn {
    /// Takes a place's lock, which other processes respect too.
    ///
    /// # Errors
    /// Among others where somebody else holds it and this turn does not [wait](Turn::wait_for_others).
    pub(super) fn lock(&mut self, place: &Place, purpose: Purpose) -> io::Result<Held<'_>> {
        let path = place.lock_file();
        loop {
            let file = match self.file.take().filter(|file| file.path == path) {
                Some(file) => file,
                None => LockFile::open(&path, purpose)?,
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
            if file.is_in_place()? {
                *self.file = Some(file);
                return Ok(Held(&mut self.file));
            }
        }
    }

    /// Whether the lock was not taken because somebody else holds it.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Leaves the file that was replaced, if it is still open, to be closed when nobody waits for that any more: it is freed
    /// then, which can take a disk long.
    pub(super) fn leave(&mut self, file: Option<File>) {
        self.left = file;
    }

    /// Ends the turn; what it has left.
    pub(super) fn end(self) -> Option<File> {
        self.left
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
        let unlocked = self.0.as_ref().is_some_and(|file| platform::unlock(&file.file).is_ok());
        // Where files cannot be told from one another, nobody would see that it was replaced.
        if !unlocked || !cfg!(unix) {
            *self.0 = None;
        }
    }
}

/// What a lock is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    /// To remove. Where the disk has no room for the lock file, nobody writes that could hold it, and room is made.
    Free,
}

/// An open lock file, or the folder in the place of one that there is no room for.
#[derive(Debug)]
pub(super) struct LockFile {
    file: File,
    path: PathBuf,
    identity: Identity,
}

impl LockFile {
    fn open(path: &Path, purpose: Purpose) -> io::Result<LockFile> {
        let opened = match LockFile::create(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path
                .parent()
                .map_or(Ok(()), platform::create_folders)
                .and_then(|()| LockFile::create(path)),
            opened => opened,
        };
        match opened {
            Err(error) if purpose == Purpose::Free && has_no_room(&error) => {
                let folders = path.ancestors().skip(1);
                folders.map(LockFile::open_folder).find_map(Result::ok).ok_or(error)
            }
            opened => opened,
        }
    }

    fn create(path: &Path) -> io::Result<LockFile> {
        let mut options = platform::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        LockFile::new(file, path)
    }

    fn open_folder(path: &Path) -> io::Result<LockFile> {
        LockFile::new(platform::options().read(true).open(path)?, path)
    }

    fn new(file: File, path: &Path) -> io::Result<LockFile> {
        let identity = platform::identity(&file)?;
        Ok(LockFile { file, path: path.to_owned(), identity })
    }

    fn lock(&self) -> io::Result<()> {
        loop {
            match platform::lock(&self.file) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                locked => return locked,
            }
        }
    }

    fn try_lock(&self) -> io::Result<()> {
        platform::try_lock(&self.file)
    }

    /// unstorage's `clear` removes lock files too. A lock on a removed file excludes nobody.
    fn is_in_place(&self) -> io::Result<bool> {
        platform::leads_to(&self.path, self.identity)
    }
}

/// Whether the disk has no room for one more file.
pub(super) fn has_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Holds a lock file until it is dropped, and closes it.
#[derive(Debug)]
pub(super) struct Lock(LockFile);

impl Drop for Lock {
    fn drop(&mut self) {
        // To close it is not enough: a process that another thread starts just now has the file open too, until it has
        // become its program. Where this fails, closing is all that is left.
        _ = platform::unlock(&self.0.file);
    }
}

impl Lock {
    /// Whether somebody else can have the lock as well.
    pub(super) fn is_granted_again(&self) -> io::Result<bool> {
        let again = LockFile::open(&self.0.path, Purpose::Free)?;
        match again.try_lock() {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until no other thread or process holds the place's lock.
    pub(super) fn acquire(place: &Place) -> io::Result<Lock> {
        Lock::take(&place.lock_file(), LockFile::lock)
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
            let file = LockFile::open(path, Purpose::Free)?;
            lock(&file)?;
            if file.is_in_place()? {
                return Ok(Lock(file));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_dropped_is_free_even_where_another_process_has_its_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::try_for_sweep(folder.path()).unwrap().unwrap();
        // What a process has that was started while the lock was held.
        let inherited = lock.0.file.try_clone().unwrap();
        assert!(Lock::try_for_sweep(folder.path()).unwrap().is_none());
        drop(lock);
        assert!(Lock::try_for_sweep(folder.path()).unwrap().is_some());
        drop(inherited);
    }

    #[test]
    fn the_stripe_of_a_key_never_changes() {
        // Kept for ever: a process of another version must choose the same lock.
        for (key, stripe) in
            [("a", "12"), ("sess:a", "46"), ("6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d", "48")]
        {
            assert_eq!(Stripe::of(key).prefix(), stripe, "{key}");
        }
    }

    #[test]
    fn names_that_may_be_one_file_have_one_lock() {
        for (one, other) in [
            ("sess:A", "SESS:a"),
            ("Stra\u{df}e:a", "STRASSE\u{301}:a"),
            ("\u{e9}:a", "e\u{301}:a"),
        ] {
            assert_eq!(Stripe::of(one), Stripe::of(other), "{one}, {other}");
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
