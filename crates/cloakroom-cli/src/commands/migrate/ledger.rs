//! What has been written to the target, by which what a site has changed there is known from what it has not.
//!
//! Of each item a few bytes: a hash of its key, hashes of the value that was written last and of the one before it, and the
//! deadline that it was given. A value is entered **before** it is written and once more when it is, so that whenever the process
//! dies, what stands in the target is in the file. An item that is in neither hash is somebody else's.
//!
//! The file (`--state`) has a head of [`HEAD`] bytes, the mark, a hash of which two stores it is about, and the salt of the hashes,
//! and then entries of [`LINE`] bytes, of which the last one for a key counts, and each of which ends with a check. It has no key and
//! no value; what ends in the middle of an entry has lost that one alone, and a file that is damaged before its end is refused.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The mark of the file, with the version of its format.
const MARK: &[u8; 8] = b"ckrmig.1";
const SALT: usize = 16;
const HEAD: usize = MARK.len() + 8 + SALT;
const CONTENT: usize = 8 + 8 + 8 + 4 + 1;
const LINE: usize = CONTENT + 3;

/// Beside twice what there is, so many lines may be there before the file is written anew.
const SPARE: usize = 100_000;

/// A hash of a key, or of a value, with a salt of this ledger's own: nobody can make two values that have the same.
pub(super) type Hash = u64;

/// How sure it is that an item was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was never written, only seen.
    Seen = 0,
    /// It may have been written: the answer was lost, or the process died.
    Tried = 1,
    /// It was.
    Written = 2,
    /// The target had something there that was not written from here: it is the target's from then on, also where it is missing.
    Theirs = 3,
}

/// What is known of one item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    written: Hash,
    before: Hash,
    /// In seconds since 1970; 0 for never.
    pub(super) ends: u32,
    /// The walk through the source that has seen it last.
    walk: u16,
    pub(super) standing: Standing,
}

impl Entry {
    const UNKNOWN: Entry =
        Entry { written: 0, before: 0, ends: 0, walk: 0, standing: Standing::Seen };

    /// Whether this value in the target was written from here.
    pub(super) fn is_ours(&self, value: Hash) -> bool {
        let is_from_here = matches!(self.standing, Standing::Tried | Standing::Written);
        is_from_here && [self.written, self.before].contains(&value)
    }

    /// Whether nothing at all was known of it.
    pub(super) fn is_unknown(&self) -> bool {
        self.standing == Standing::Seen && self.walk == 0
    }

    /// Whether this value was written last, and that is sure.
    pub(super) fn is_written(&self, value: Hash) -> bool {
        self.standing == Standing::Written && self.written == value
    }
}

pub(super) struct Ledger {
    salt: [u8; SALT],
    /// Which stores it is about.
    about: [u8; 8],
    entries: RefCell<HashMap<Hash, Entry>>,
    walk: Cell<u16>,
    log: RefCell<Option<Log>>,
}

/// The file behind it.
struct Log {
    path: PathBuf,
    file: File,
    lines: usize,
}

impl Ledger {
    /// One that is forgotten with the process.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub(super) fn in_memory() -> Result<Ledger, Box<dyn Error>> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).map_err(|_| "the system has no random bytes")?;
        Ok(Ledger {
            salt,
            about: [0; 8],
            entries: RefCell::default(),
            walk: Cell::new(0),
            log: RefCell::default(),
        })
    }

    /// The one of a file, which is made where it is missing. `about` says which stores it is about.
    ///
    /// # Errors
    /// When the file cannot be read or written, is about other stores, or is used by another process.
    pub(super) fn open(path: &Path, about: &str) -> Result<Ledger, Box<dyn Error>> {
        let refused = |reason: &str| format!("the state in {} {reason}", path.display());
        let mut ledger = Ledger::in_memory()?;
        let digest = Sha256::digest(about);
        ledger.about.copy_from_slice(&digest[..8]);
        let file =
            options().open(path).map_err(|error| refused(&format!("cannot be opened: {error}")))?;
        lock(&file).map_err(|error| refused(&error.to_string()))?;
        let mut reader = BufReader::new(&file);
        if file.metadata()?.len() > 0 {
            let mut head = [0; HEAD];
            // It is put in its place as a whole, so a shorter one is somebody else's.
            let is_ours = reader.read_exact(&mut head).is_ok() && head.starts_with(MARK);
            if !is_ours {
                return Err(refused("is none of this command's: choose another file").into());
            }
            let (about, salt) = head[MARK.len()..].split_at(ledger.about.len());
            if about != ledger.about {
                return Err(refused("is about two other stores: choose another file").into());
            }
            ledger.salt.copy_from_slice(salt);
            ledger.read(&mut reader).map_err(|error| refused(&error.to_string()))?;
        }
        ledger.log = RefCell::new(Some(Log { path: path.to_owned(), file, lines: 0 }));
        ledger.write_anew()?;
        Ok(ledger)
    }

    fn read(&mut self, reader: &mut impl io::Read) -> io::Result<()> {
        let entries = self.entries.get_mut();
        let mut line = [0; LINE];
        loop {
            match reader.read_exact(&mut line) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
            if !line.ends_with(&check(&line)) {
                let reason = "is damaged: remove it, and what differs in the target stays as it is";
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
            match from_line(&line) {
                Some((key, entry)) => drop(entries.insert(key, entry)),
                None => drop(entries.remove(&number(&line, 0))),
            }
        }
    }

    /// Begins a walk through the source.
    pub(super) fn begin_walk(&self) {
        self.walk.set(self.walk.get().wrapping_add(1).max(1));
    }

    pub(super) fn hash(&self, bytes: &[u8]) -> Hash {
        number(&Sha256::new().chain_update(self.salt).chain_update(bytes).finalize(), 0)
    }

    /// Notes that the source has this item, and what was known of it.
    pub(super) fn see(&self, key: Hash) -> Entry {
        let mut entries = self.entries.borrow_mut();
        let entry = entries.entry(key).or_insert(Entry::UNKNOWN);
        let known = *entry;
        entry.walk = self.walk.get();
        known
    }

    /// Whether this walk has seen the item in the source.
    pub(super) fn was_seen(&self, key: Hash) -> bool {
        self.get(key).walk == self.walk.get()
    }

    pub(super) fn get(&self, key: Hash) -> Entry {
        self.entries.borrow().get(&key).copied().unwrap_or(Entry::UNKNOWN)
    }

    /// Whether more than so many items were written, and not taken out again.
    pub(super) fn has_written_more_than(&self, few: usize) -> bool {
        let entries = self.entries.borrow();
        entries.values().filter(|entry| entry.standing == Standing::Written).nth(few).is_some()
    }

    /// Notes that this value is about to be written, in the place of one that was found there, or where nothing was.
    pub(super) fn trying(
        &self,
        key: Hash,
        value: Hash,
        ends: u32,
        there: Option<Hash>,
    ) -> io::Result<()> {
        self.change(key, |entry| {
            // Where nothing was, what an earlier process has sent may still arrive.
            entry.before = there.unwrap_or(entry.written);
            entry.written = value;
            entry.ends = ends;
            entry.standing = Standing::Tried;
        })
    }

    /// Notes that what the target has was written by this command, or is the same.
    pub(super) fn written(&self, key: Hash, value: Hash, ends: u32) -> io::Result<()> {
        self.change(key, |entry| {
            (entry.written, entry.before) = (value, value);
            entry.ends = ends;
            entry.standing = Standing::Written;
        })
    }

    /// Notes that the target has something there that was not written from here.
    pub(super) fn theirs(&self, key: Hash) -> io::Result<()> {
        if self.get(key).standing == Standing::Theirs {
            return Ok(());
        }
        self.change(key, |entry| entry.standing = Standing::Theirs)
    }

    /// Notes that what was written is no more.
    pub(super) fn forget(&self, key: Hash) -> io::Result<()> {
        self.change(key, |entry| *entry = Entry { walk: entry.walk, ..Entry::UNKNOWN })
    }

    fn change(&self, key: Hash, change: impl FnOnce(&mut Entry)) -> io::Result<()> {
        let line = {
            let mut entries = self.entries.borrow_mut();
            let entry = entries.entry(key).or_insert(Entry::UNKNOWN);
            change(entry);
            to_line(key, entry)
        };
        let is_long = match &mut *self.log.borrow_mut() {
            None => false,
            Some(log) => {
                log.file.write_all(&line)?;
                log.lines += 1;
                log.lines > 2 * self.entries.borrow().len() + SPARE
            }
        };
        if is_long { self.write_anew() } else { Ok(()) }
    }

    /// Writes the file with one line for each item, and puts it in the place of the one that there is.
    fn write_anew(&self) -> io::Result<()> {
        let mut log = self.log.borrow_mut();
        let Some(log) = &mut *log else { return Ok(()) };
        let mut beside = log.path.clone().into_os_string();
        beside.push(".new");
        let file = beside_it(Path::new(&beside))?;
        let mut writer = BufWriter::new(&file);
        writer.write_all(MARK)?;
        writer.write_all(&self.about)?;
        writer.write_all(&self.salt)?;
        let entries = self.entries.borrow();
        let written = entries.iter().filter(|(_, entry)| entry.standing != Standing::Seen);
        let mut lines = 0;
        for (key, entry) in written {
            writer.write_all(&to_line(*key, entry))?;
            lines += 1;
        }
        writer.flush()?;
        drop(writer);
        std::fs::rename(&beside, &log.path)?;
        (log.file, log.lines) = (file, lines);
        Ok(())
    }
}

/// What opens it, for its owner alone: whoever has a value can find out by it whether somebody has that.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options
}

/// An empty file, where there is none or one that a process has left that died: nobody else's is overwritten.
fn beside_it(path: &Path) -> io::Result<File> {
    let others = |_| io::Error::other(format!("{} is somebody else's", path.display()));
    if path.is_symlink() {
        return Err(others(()));
    }
    let mut file = options().open(path)?;
    lock(&file)?;
    if file.metadata()?.len() > 0 {
        let mut mark = [0; MARK.len()];
        file.read_exact(&mut mark).ok().filter(|()| mark == *MARK).ok_or(()).map_err(others)?;
        file.set_len(0)?;
        file.rewind()?;
    }
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => io::Error::other("is used by another `cloakroom migrate`"),
        TryLockError::Error(error) => error,
    })
}

fn to_line(key: Hash, entry: &Entry) -> [u8; LINE] {
    let mut line = [0; LINE];
    line[..8].copy_from_slice(&key.to_le_bytes());
    line[8..16].copy_from_slice(&entry.written.to_le_bytes());
    line[16..24].copy_from_slice(&entry.before.to_le_bytes());
    line[24..28].copy_from_slice(&entry.ends.to_le_bytes());
    line[28] = entry.standing as u8;
    let check = check(&line);
    line[CONTENT..].copy_from_slice(&check);
    line
}

/// What a line ends with.
fn check(line: &[u8; LINE]) -> [u8; LINE - CONTENT] {
    let digest = Sha256::digest(&line[..CONTENT]);
    [digest[0], digest[1], digest[2]]
}

/// `None` where the item was forgotten.
fn from_line(line: &[u8; LINE]) -> Option<(Hash, Entry)> {
    let standing = match line[28] {
        1 => Standing::Tried,
        2 => Standing::Written,
        3 => Standing::Theirs,
        _ => return None,
    };
    let ends = u32::from_le_bytes([line[24], line[25], line[26], line[27]]);
    let entry =
        Entry { written: number(line, 8), before: number(line, 16), ends, walk: 0, standing };
    Some((number(line, 0), entry))
}

/// Eight bytes as a number.
fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state of the keys 1 to 3.
    fn with_three_lines(folder: &Path) -> PathBuf {
        let path = folder.join("state");
        let ledger = Ledger::open(&path, "a to b").unwrap();
        for key in 1..=3 {
            ledger.written(key, key, 0).unwrap();
        }
        path
    }

    #[test]
    fn what_was_written_and_what_may_have_been_is_known_in_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (one, other, key) = {
            let ledger = Ledger::open(&path, "a to b").unwrap();
            let [one, other, key] = ["one", "other", "key"].map(|it| ledger.hash(it.as_bytes()));
            ledger.trying(key, one, 7, None).unwrap();
            ledger.written(key, one, 7).unwrap();
            ledger.trying(key, other, 9, Some(one)).unwrap();
            ledger.written(one, one, 0).unwrap();
            ledger.forget(one).unwrap();
            (one, other, key)
        };
        let ledger = Ledger::open(&path, "a to b").unwrap();
        assert_eq!(ledger.hash(b"one"), one, "the salt is the file's");
        let entry = ledger.get(key);
        assert!(entry.is_ours(one) && entry.is_ours(other) && !entry.is_written(other));
        assert!(!entry.is_ours(ledger.hash(b"a site's")));
        assert_eq!((entry.ends, ledger.get(one).standing), (9, Standing::Seen));
    }

    #[test]
    fn a_file_that_was_cut_off_has_lost_its_last_line_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_three_lines(folder.path());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        let ledger = Ledger::open(&path, "a to b").unwrap();
        let known = |key| ledger.get(key).standing == Standing::Written;
        assert_eq!([1, 2, 3].map(known), [true, true, false]);
    }

    #[test]
    fn a_file_that_has_lost_a_byte_in_the_middle_is_refused_and_nobody_elses_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = with_three_lines(folder.path());
        let refused = || Ledger::open(&path, "a to b").map(drop).unwrap_err().to_string();
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        bytes.remove(HEAD + LINE + 5);
        std::fs::write(&path, &bytes).unwrap();
        assert!(refused().contains("is damaged"));
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is there to be looked at");

        std::fs::write(&path, whole).unwrap();
        let beside = folder.path().join("state.new");
        std::fs::write(&beside, "somebody's notes").unwrap();
        assert!(refused().contains("somebody else's"));
        std::fs::remove_file(&beside).unwrap();
        std::os::unix::fs::symlink(folder.path().join("notes"), &beside).unwrap();
        assert!(refused().contains("somebody else's"));
        assert!(!folder.path().join("notes").exists());
    }

    #[test]
    fn another_file_and_one_that_is_used_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let refused = |about| Ledger::open(&path, about).map(drop).unwrap_err().to_string();
        let ledger = Ledger::open(&path, "a to b").unwrap();
        assert!(refused("a to b").contains("is used by another"));
        drop(ledger);
        assert!(refused("a to c").contains("about two other stores"));
        std::fs::write(&path, "somebody's notes").unwrap();
        assert!(refused("a to b").contains("none of this command's"));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("somebody's"));
    }

    #[test]
    fn the_file_does_not_grow_with_each_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let ledger = Ledger::open(&path, "a to b").unwrap();
        for value in 0..(SPARE as u64 + 50) {
            ledger.written(1, value, 0).unwrap();
        }
        assert!(std::fs::metadata(&path).unwrap().len() < 100 * LINE as u64);
        assert!(ledger.get(1).is_written(SPARE as u64 + 49));
    }
}
