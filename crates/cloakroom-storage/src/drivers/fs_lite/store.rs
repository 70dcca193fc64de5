//! The blocking operations on the folder.

use std::fs::{self, FileTimes, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::NAME;
use super::OWN_FOLDER;
use super::index::Index;
use super::lock::{Held, Lock, Stripe, Turn};
use super::platform::{self, Fingerprint};
use super::read::{self, Found};
use super::temporary::{Reaches, Temporary};
use super::walk::Walk;
use crate::{Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome, When};

/// A longer ttl than this means for ever: not every file system can write later dates.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How far back the modification time of a file without a deadline is set, so that it is neither taken for a
/// deadline nor for a write in place. More than a file system's coarsest unit of time.
const SET_BACK: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Store {
    base: PathBuf,
    own_folder: PathBuf,
    index: Index,
    read_only: bool,
    sync: bool,
}

impl Store {
    pub(super) fn new(base: PathBuf, read_only: bool, sync: bool) -> Store {
        let own_folder = base.join(OWN_FOLDER);
        let index = Index::new(own_folder.clone(), sync);
        Store { base, own_folder, index, read_only, sync }
    }

    pub(super) fn read_only(&self) -> bool {
        self.read_only
    }

    pub(super) fn own_folder(&self) -> &Path {
        &self.own_folder
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Whether the base has been made.
    pub(super) fn exists(&self) -> Result<bool> {
        self.base.try_exists().map_err(|error| self.failure(error))
    }

    pub(super) fn get(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        Ok(item(self.find(&self.path(key)?)?))
    }

    /// As [`get`](Store::get), where it does not wait for a disk. `None` leaves open whether there is an item.
    #[cfg(target_os = "linux")]
    pub(super) fn get_cached(&self, key: &ItemKey) -> Option<(Item, Option<Duration>)> {
        item(read::read_cached(&self.path(key).ok()?)?)
    }

    pub(super) fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
        turn: &mut Turn,
    ) -> Result<SetOutcome> {
        let path = self.path(key)?;
        self.check_writable()?;
        if value.is_empty() {
            let message = "an empty file cannot be told from one that is being written, so a value cannot be empty";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let deadline = deadline_after(ttl);
        let stripe = Stripe::of(key);
        let _lock = self.hold(turn)?;
        let expected = match &when {
            When::Always => Expected::Anything,
            When::Absent => match self.find(&path)? {
                Found::Nothing => Expected::Nothing,
                Found::Dead => Expected::Anything,
                Found::Live(..) => return Ok(SetOutcome::Conflict),
            },
            When::Version(version) => match self.find(&path)? {
                Found::Live(current, fingerprint, _) if version.as_bytes() == Some(&current) => {
                    Expected::Item(current, fingerprint)
                }
                _ => return Ok(SetOutcome::Conflict),
            },
        };
        let written = self
            .write_temporary(stripe, &value, deadline, &expected)
            .and_then(|mut temporary| {
                self.index.note(key, deadline)?;
                self.publish(&mut temporary, &path, &expected)
            })
            .map_err(|error| self.failure(error))?;
        if !written {
            return Ok(SetOutcome::Conflict);
        }
        self.remove_if_past(deadline, &path)?;
        Ok(SetOutcome::Written { version: value.into() })
    }

    pub(super) fn remove(
        &self,
        key: &ItemKey,
        when: When,
        turn: &mut Turn,
    ) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let path = self.path(key)?;
        self.check_writable()?;
        if self.metadata(&path)?.is_none() {
            return Ok(RemoveOutcome::Missing);
        }
        let _lock = self.hold(turn)?;
        if let When::Version(version) = when {
            match self.find(&path)? {
                Found::Live(current, ..) if version.as_bytes() == Some(&current) => {}
                Found::Live(..) => return Ok(RemoveOutcome::Conflict),
                Found::Nothing | Found::Dead => return Ok(RemoveOutcome::Missing),
            }
        }
        let Some(metadata) = self.metadata(&path)? else { return Ok(RemoveOutcome::Missing) };
        let removed = self.remove_file(&path).map_err(|error| self.failure(error))?;
        Ok(if removed && is_live(&metadata) {
            RemoveOutcome::Removed
        } else {
            RemoveOutcome::Missing
        })
    }

    pub(super) fn touch(
        &self,
        key: &ItemKey,
        ttl: Option<Duration>,
        turn: &mut Turn,
    ) -> Result<bool> {
        let path = self.path(key)?;
        self.check_writable()?;
        if self.metadata(&path)?.is_none() {
            return Ok(false);
        }
        let _lock = self.hold(turn)?;
        // The check and the change are on one open file, so that no other file's time is moved.
        let file = match platform::options().read(true).write(cfg!(not(unix))).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.failure(error)),
        };
        let deadline = deadline_after(ttl);
        let touched = file.metadata().and_then(|metadata| {
            if !metadata.is_file() || !is_live(&metadata) {
                return Ok(false);
            }
            self.index.note(key, deadline)?;
            file.set_times(times(deadline))?;
            if self.sync {
                file.sync_all()?;
            }
            Ok(true)
        });
        if touched.map_err(|error| self.failure(error))? {
            self.remove_if_past(deadline, &path)?;
            return Ok(true);
        }
        Ok(false)
    }

    pub(super) fn keys(&self, prefix: &str) -> impl Iterator<Item = Result<ItemKey>> {
        Walk::new(&self.base, prefix).filter_map(|entry| {
            let (path, key) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(self.failure(error))),
            };
            match self.metadata(&path) {
                Ok(Some(metadata)) if is_live(&metadata) => Some(Ok(key)),
                // An item that is being rewritten in place is empty for a moment, and still there.
                Ok(Some(metadata)) if metadata.len() == 0 => match self.find(&path) {
                    Ok(found) => found.value().map(|_| Ok(key)),
                    Err(error) => Some(Err(error)),
                },
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })
    }

    /// Every file that may be an item.
    pub(super) fn walk(&self) -> Walk {
        Walk::new(&self.base, "")
    }

    /// Removes the item if it has expired, which is looked at again under the lock.
    pub(super) fn remove_expired(&self, path: &Path, key: &ItemKey) -> Result<bool> {
        let has_expired =
            || Ok(self.metadata(path)?.is_some_and(|metadata| read::has_expired(&metadata)));
        if !has_expired()? {
            return Ok(false);
        }
        let _lock = self.lock(Stripe::of(key))?;
        Ok(has_expired()? && self.remove_file(path).map_err(|error| self.failure(error))?)
    }

    /// Notes when the item expires, if it does, as a version without an index has not done.
    pub(super) fn note_deadline(&self, path: &Path, key: &ItemKey) -> Result<()> {
        match self.metadata(path)?.as_ref().and_then(platform::deadline) {
            Some(deadline) => {
                self.index.note_once(key, deadline).map_err(|error| self.failure(error))
            }
            None => Ok(()),
        }
    }

    /// The lock of whoever sweeps; `None` while another thread or process does.
    pub(super) fn lock_for_sweep(&self) -> Result<Option<Lock>> {
        Lock::try_for_sweep(&self.own_folder).map_err(|error| self.failure(error))
    }

    pub(super) fn lock(&self, stripe: Stripe) -> Result<Lock> {
        Lock::acquire(&self.own_folder, stripe).map_err(|error| self.failure(error))
    }

    fn hold<'a>(&self, turn: &'a mut Turn) -> Result<Held<'a>> {
        turn.lock(&self.own_folder).map_err(|error| self.failure(error))
    }

    /// Says what an I/O error means. Its text names the folder and never the file, whose name is the key.
    pub(super) fn failure(&self, error: io::Error) -> Error {
        use io::ErrorKind as Io;
        let base = self.base.display();
        let (kind, message) = match error.kind() {
            Io::StorageFull | Io::QuotaExceeded => (
                ErrorKind::StorageFull,
                format!("the disk that holds `{base}` is full; make room on it"),
            ),
            Io::FileTooLarge => {
                (ErrorKind::TooLarge, format!("the value is larger than a file in `{base}` may be"))
            }
            Io::ReadOnlyFilesystem => {
                (ErrorKind::ReadOnly, format!("`{base}` is on a read-only file system"))
            }
            Io::PermissionDenied => (
                ErrorKind::PermissionDenied,
                format!(
                    "this process may not do that in `{base}`; let its user own the folder and what is in it"
                ),
            ),
            Io::NotADirectory | Io::IsADirectory | Io::DirectoryNotEmpty => (
                ErrorKind::Unsupported,
                format!(
                    "a file stands where a folder is needed, or the reverse, in `{base}`; is one key the beginning of another?"
                ),
            ),
            Io::InvalidFilename => (
                ErrorKind::InvalidKey,
                format!("a part of the key is too long for a file name in `{base}`"),
            ),
            _ if platform::is_link_error(&error) => (
                ErrorKind::Corrupt,
                format!(
                    "a symbolic link stands in the place of an item in `{base}`; it is not followed"
                ),
            ),
            _ => (ErrorKind::Unavailable, format!("the folder `{base}` does not work: {error}")),
        };
        Error::new(kind, message).with_source(error)
    }

    pub(super) fn path(&self, key: &ItemKey) -> Result<PathBuf> {
        // Without regard to case, since not every file system has any.
        if key.segments().next().is_some_and(|first| first.eq_ignore_ascii_case(OWN_FOLDER)) {
            return Err(Error::new(
                ErrorKind::InvalidKey,
                format!("no item may be in `{OWN_FOLDER}`"),
            ));
        }
        let mut path = self.base.clone();
        path.extend(key.segments());
        Ok(path)
    }

    fn check_writable(&self) -> Result<()> {
        if self.read_only {
            return Err(Error::new(ErrorKind::ReadOnly, "the store was opened with `readOnly`"));
        }
        Ok(())
    }

    fn find(&self, path: &Path) -> Result<Found> {
        read::read(path).or_else(|error| self.absent_below_an_item(error, Found::Nothing))
    }

    /// The file's metadata; `None` when there is no file.
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        match path.symlink_metadata() {
            Ok(metadata) => Ok(Some(metadata).filter(|metadata| !metadata.is_dir())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => self.absent_below_an_item(error, None),
        }
    }

    /// Below an item there is nothing. But if the base itself is a file, the store is broken.
    fn absent_below_an_item<T>(&self, error: io::Error, absent: T) -> Result<T> {
        if error.kind() == io::ErrorKind::NotADirectory && self.base.is_dir() {
            return Ok(absent);
        }
        Err(self.failure(error))
    }

    /// Writes the value and its deadline to a file of its own. Only the holder of the stripe's lock has such
    /// files, so that any other is left over from a process that was killed.
    fn write_temporary(
        &self,
        stripe: Stripe,
        value: &[u8],
        deadline: Option<SystemTime>,
        expected: &Expected,
    ) -> io::Result<Temporary> {
        let name = format!(
            "{}-{:016x}.tmp$",
            stripe.prefix(),
            RandomState::new().hash_one(std::process::id())
        );
        let disk = match expected {
            _ if self.sync => Reaches::Now,
            Expected::Item(..) => Reaches::Soon,
            Expected::Nothing | Expected::Anything => Reaches::Sometime,
        };
        Temporary::write(self.own_folder.join(name), value, times(deadline), disk)
    }

    /// Puts the temporary file in its place, if what is there is still what was expected.
    fn publish(
        &self,
        temporary: &mut Temporary,
        path: &Path,
        expected: &Expected,
    ) -> io::Result<bool> {
        let folder = path.parent().unwrap_or(&self.base);
        let mut done = self.move_into_place(temporary, path, expected);
        if done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            platform::create_folders(folder)?;
            if self.sync {
                // Every folder that may be new must be known to the one above it.
                for above in
                    folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.base))
                {
                    platform::sync_folder(above)?;
                }
            }
            done = self.move_into_place(temporary, path, expected);
        }
        if self.sync && matches!(done, Ok(true)) {
            platform::sync_folder(folder)?;
        }
        done
    }

    fn move_into_place(
        &self,
        temporary: &mut Temporary,
        path: &Path,
        expected: &Expected,
    ) -> io::Result<bool> {
        match expected {
            Expected::Anything => {}
            // A link replaces nothing that somebody without our lock has put there.
            Expected::Nothing => match temporary.link(path) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // A folder is no item that somebody else has just made: it would be there for ever.
                    return if path.is_dir() {
                        Err(io::ErrorKind::IsADirectory.into())
                    } else {
                        Ok(false)
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
                // Not every file system has links.
                Err(_) if path.symlink_metadata().is_ok() => return Ok(false),
                Err(_) => {}
            },
            Expected::Item(value, fingerprint) => {
                // Looked at once more, as late as can be: a JavaScript writer does not wait for our lock.
                let unchanged = path
                    .symlink_metadata()
                    .is_ok_and(|now| platform::fingerprint(&now) == *fingerprint);
                if !unchanged && read::read(path)?.value().as_ref() != Some(value) {
                    return Ok(false);
                }
                return temporary.replace(path).map(|()| true);
            }
        }
        temporary.rename(path).map(|()| true)
    }

    /// A deadline that has passed before it was written cannot be told from none, so its file goes at once.
    fn remove_if_past(&self, deadline: Option<SystemTime>, path: &Path) -> Result<()> {
        if deadline.is_some_and(|deadline| deadline <= SystemTime::now()) {
            self.remove_file(path).map_err(|error| self.failure(error))?;
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<bool> {
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        if self.sync {
            platform::sync_folder(path.parent().unwrap_or(&self.base))?;
        }
        Ok(true)
    }
}

/// What must still be in the place of a new file.
enum Expected {
    Anything,
    Nothing,
    Item(Bytes, Fingerprint),
}

/// The item and how long it still lives.
fn item(found: Found) -> Option<(Item, Option<Duration>)> {
    let Found::Live(value, _, deadline) = found else { return None };
    let ttl = deadline.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
    Some((Item::new(value.clone(), value), ttl))
}

fn is_live(metadata: &Metadata) -> bool {
    metadata.len() > 0 && !read::has_expired(metadata)
}

fn deadline_after(ttl: Option<Duration>) -> Option<SystemTime> {
    SystemTime::now().checked_add(ttl.filter(|ttl| *ttl < LONGEST_TTL)?)
}

fn times(deadline: Option<SystemTime>) -> FileTimes {
    FileTimes::new().set_modified(deadline.unwrap_or_else(|| SystemTime::now() - SET_BACK))
}
