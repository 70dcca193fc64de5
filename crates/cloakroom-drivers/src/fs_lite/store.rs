//! The blocking operations on the folder.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::index::Index;
use super::lock::{Held, Lock, Place, Purpose, Turn};
use super::platform::{self, Fingerprint};
use super::probe::Abilities;
use super::read::{self, Found, Live};
use super::recover;
use super::temporary::{self, Reaches, Temporary};
use super::walk::Walk;
use super::{NAME, OWN_FOLDER, is_own_folder};
use super::{deadline, failure};
#[cfg(unix)]
use crate::common::advice::open_to_others;
use cloakroom_storage::{
    Advice, Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome, When,
};

#[derive(Debug)]
pub(super) struct Store {
    base: PathBuf,
    own_folder: PathBuf,
    index: Index,
    /// What the file system does, once it has been tried.
    abilities: OnceLock<Abilities>,
    read_only: bool,
    sync: bool,
}

impl Store {
    pub(super) fn new(base: PathBuf, read_only: bool, sync: bool) -> Store {
        let own_folder = base.join(OWN_FOLDER);
        let index = Index::new(own_folder.clone(), sync);
        let store = Store { base, own_folder, index, abilities: OnceLock::new(), read_only, sync };
        // A base that is not there is made by the first write.
        if !read_only && store.base.is_dir() {
            store.get_to_know();
        }
        store
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// What the file system does, as far as anybody has tried.
    pub(super) fn abilities(&self) -> Abilities {
        self.abilities.get().copied().unwrap_or(Abilities::USUAL)
    }

    /// Finds out what the file system does, if nobody has, and whether files have lost their times; from now on that can be
    /// seen.
    fn get_to_know(&self) {
        if self.abilities.get().is_none()
            && let Ok(found) = Abilities::of(&self.own_folder)
            && self.abilities.set(found).is_ok()
        {
            found.warn(&self.base);
            if let Err(error) = recover::if_needed(self) {
                let base = self.base.display();
                tracing::warn!(driver = NAME, %base, %error, "cannot give all items the deadlines back that their files have lost");
            }
        }
    }

    /// What is unsafe in how the folder is kept.
    pub(super) fn advice(&self) -> Vec<Advice> {
        #[cfg(unix)]
        if let Ok(metadata) = self.base.metadata() {
            return Vec::from_iter(open_to_others(&self.base, &metadata));
        }
        Vec::new()
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
        item(read::read_cached(&self.path(key).ok()?, self.abilities().unit)?)
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
        self.get_to_know();
        let deadline = self.deadline_after(ttl);
        let place = self.place(key);
        let lock = self.hold(turn, &place, Purpose::Write)?;
        let mut replaced = None;
        let expected = match &when {
            When::Always => Expected::Anything,
            When::Absent => match self.find(&path)? {
                Found::Nothing => Expected::Nothing,
                Found::Dead => Expected::Anything,
                Found::Live(..) => return Ok(SetOutcome::Conflict),
            },
            When::Version(version) => match self.find(&path)? {
                Found::Live(live) if version.as_bytes() == Some(&live.value) => {
                    replaced = Some(live.file).filter(|_| self.abilities().replaces_open);
                    Expected::Item(live.value, live.fingerprint)
                }
                _ => return Ok(SetOutcome::Conflict),
            },
        };
        let written = self
            .write_temporary(&place, &value, deadline, &expected)
            .and_then(|mut temporary| {
                self.index.note(key, deadline)?;
                self.publish(&mut temporary, &path, &expected)
            })
            .map_err(|error| self.failure(error))?;
        drop(lock);
        turn.leave(replaced);
        Ok(if written {
            SetOutcome::Written { version: value.into() }
        } else {
            SetOutcome::Conflict
        })
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
        let _lock = self.hold(turn, &self.place(key), Purpose::Free)?;
        let is_there = match when {
            When::Version(version) => match self.find(&path)? {
                Found::Live(live) if version.as_bytes() == Some(&live.value) => true,
                Found::Live(..) => return Ok(RemoveOutcome::Conflict),
                Found::Nothing | Found::Dead => return Ok(RemoveOutcome::Missing),
            },
            When::Always | When::Absent => match self.metadata(&path)? {
                Some(metadata) => self.is_there(&path, &metadata)?,
                None => return Ok(RemoveOutcome::Missing),
            },
        };
        let removed = self.remove_file(&path).map_err(|error| self.failure(error))?;
        Ok(if removed && is_there { RemoveOutcome::Removed } else { RemoveOutcome::Missing })
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
        let _lock = self.hold(turn, &self.place(key), Purpose::Write)?;
        // The check and the change are on one open file, so that no other file's time is moved.
        let file = match platform::options().read(true).write(cfg!(not(unix))).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.failure(error)),
        };
        let deadline = self.deadline_after(ttl);
        let touched = read::is_item(&file, self.abilities().unit).and_then(|is_item| {
            if is_item {
                self.index.note(key, deadline)?;
                file.set_times(deadline::times(deadline))?;
                if self.sync {
                    file.sync_all()?;
                }
            }
            Ok(is_item)
        });
        touched.map_err(|error| self.failure(error))
    }

    pub(super) fn keys(&self, prefix: &str) -> impl Iterator<Item = Result<ItemKey>> {
        Walk::new(&self.base, prefix).filter_map(|entry| {
            let (path, key) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(self.failure(error))),
            };
            let is_there = self.metadata(&path).and_then(|metadata| match metadata {
                Some(metadata) => self.is_there(&path, &metadata),
                None => Ok(false),
            });
            match is_there {
                Ok(is_there) => is_there.then_some(Ok(key)),
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
            || Ok(self.metadata(path)?.is_some_and(|metadata| deadline::has_passed(&metadata)));
        if !has_expired()? {
            return Ok(false);
        }
        let _lock = self.lock(&self.place(key))?;
        Ok(has_expired()? && self.remove_file(path).map_err(|error| self.failure(error))?)
    }

    /// Has the item end then, if there is one without a deadline.
    pub(super) fn give_deadline(&self, key: &ItemKey, deadline: SystemTime) -> Result<bool> {
        let Ok(path) = self.path(key) else { return Ok(false) };
        self.date(&path, key, Some(deadline))
    }

    /// Has the item never end, if there is one with a deadline.
    pub(super) fn take_deadline(&self, path: &Path, key: &ItemKey) -> Result<bool> {
        self.date(path, key, None)
    }

    /// Dates the item's file anew, if it has no deadline yet and is to have one, or the other way round.
    fn date(&self, path: &Path, key: &ItemKey, deadline: Option<SystemTime>) -> Result<bool> {
        let is_other = || {
            let found = self.metadata(path)?;
            let is_other = |file: &Metadata| deadline::of(file).is_some() != deadline.is_some();
            Ok(found.is_some_and(|file| file.is_file() && is_other(&file)))
        };
        if !is_other()? {
            return Ok(false);
        }
        let _lock = self.lock(&self.place(key))?;
        if !is_other()? {
            return Ok(false);
        }
        let file = platform::options().read(true).write(cfg!(not(unix))).open(path);
        let dated = file.and_then(|file| file.set_times(deadline::times(deadline)));
        dated.map(|()| true).map_err(|error| self.failure(error))
    }

    /// Notes when the item expires, if it does, as a version without an index has not done.
    pub(super) fn note_deadline(&self, path: &Path, key: &ItemKey) -> Result<()> {
        match self.metadata(path)?.as_ref().and_then(deadline::of) {
            Some(deadline) => {
                self.index.note_once(key, deadline).map_err(|error| self.failure(error))
            }
            None => Ok(()),
        }
    }

    /// When an item with this ttl ends, not before its time where the file system rounds that down.
    fn deadline_after(&self, ttl: Option<Duration>) -> Option<SystemTime> {
        let deadline = deadline::after(ttl)?;
        let rounding = self.abilities().unit.saturating_sub(Duration::from_nanos(1));
        Some(if ttl == Some(Duration::ZERO) { deadline } else { deadline + rounding })
    }

    /// The lock of whoever sweeps; `None` while another thread or process does.
    pub(super) fn lock_for_sweep(&self) -> Result<Option<Lock>> {
        Lock::try_for_sweep(&self.own_folder).map_err(|error| self.failure(error))
    }

    pub(super) fn lock(&self, place: &Place) -> Result<Lock> {
        Lock::acquire(place).map_err(|error| self.lock_failure(error))
    }

    fn hold<'a>(&self, turn: &'a mut Turn, place: &Place, purpose: Purpose) -> Result<Held<'a>> {
        turn.lock(place, purpose).map_err(|error| self.lock_failure(error))
    }

    fn place(&self, key: &ItemKey) -> Place {
        Place::of(key, &self.base)
    }

    pub(super) fn failure(&self, error: io::Error) -> Error {
        failure::of_item(&self.base, error)
    }

    fn lock_failure(&self, error: io::Error) -> Error {
        failure::of_lock(&self.base, &self.own_folder, error)
    }

    pub(super) fn path(&self, key: &ItemKey) -> Result<PathBuf> {
        if key.segments().any(is_own_folder) {
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
        read::read(path, self.abilities().unit)
            .or_else(|error| self.absent_below_an_item(error, Found::Nothing))
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

    /// Writes the value and its deadline to a file of its own.
    fn write_temporary(
        &self,
        place: &Place,
        value: &[u8],
        deadline: Option<SystemTime>,
        expected: &Expected,
    ) -> io::Result<Temporary> {
        let disk = match expected {
            _ if self.sync => Reaches::Now,
            Expected::Item(..) => Reaches::Soon,
            Expected::Nothing | Expected::Anything => Reaches::Sometime,
        };
        Temporary::write(temporary::path(place), value, deadline::times(deadline), disk)
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
            // It replaces nothing that somebody without our lock has put there.
            Expected::Nothing => match temporary.create(path) {
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
                // Not every file system can.
                Err(_) if path.symlink_metadata().is_ok() => return Ok(false),
                Err(_) => {}
            },
            Expected::Item(value, fingerprint) => {
                // Looked at once more, as late as can be: a JavaScript writer does not wait for our lock.
                let unchanged = path
                    .symlink_metadata()
                    .is_ok_and(|now| platform::fingerprint(&now) == *fingerprint);
                if !unchanged
                    && read::read(path, self.abilities().unit)?.value().as_ref() != Some(value)
                {
                    return Ok(false);
                }
            }
        }
        temporary.rename(path).map(|()| true)
    }

    /// Whether the file, of which this is known, is an item.
    fn is_there(&self, path: &Path, metadata: &Metadata) -> Result<bool> {
        // An item that is being rewritten in place is empty for a moment, and still there.
        if metadata.len() == 0 {
            return Ok(self.find(path)?.value().is_some());
        }
        Ok(!deadline::has_passed(metadata))
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
    let Found::Live(Live { value, deadline, .. }) = found else { return None };
    let ttl = deadline.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
    Some((Item::new(value.clone(), value), ttl))
}
