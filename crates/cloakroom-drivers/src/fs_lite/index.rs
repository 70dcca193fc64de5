//! Which items expire when, so that a sweep need not look at the others.
//!
//! A deadline is rounded up to the end of a *bucket*, and each bucket is a file with a line for every item that was
//! ever given a deadline in it. Lines are only added, and before the deadline is: a process that is killed in between
//! leaves a line too many and never one too few. What a line says is a hint, the item's own file is the truth.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::platform;
use cloakroom_storage::ItemKey;

/// How many buckets at least lie between now and a deadline, however far it is. It bounds how many lines a busy item
/// gets, how many buckets there are, and how much longer than its ttl an item may stay.
const BUCKETS_AHEAD: u64 = 16;

/// How many lines a process remembers that it has added.
const REMEMBERED: usize = 16_384;

/// Says that every item with a deadline has a line.
const COMPLETE: &str = "indexed$";

/// Where the bucket that is being swept is.
pub(super) const TAKEN: &str = "expired$";

/// A span of time, by its end in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Bucket(u64);

impl Bucket {
    /// The bucket for a deadline: the narrower, the nearer it is.
    fn of(deadline: SystemTime, now: SystemTime) -> Bucket {
        let ahead = deadline.duration_since(now).unwrap_or_default().as_secs();
        let width = 1 << (ahead / BUCKETS_AHEAD).checked_ilog2().unwrap_or_default();
        Bucket((seconds(deadline) + 1).next_multiple_of(width))
    }

    /// The bucket whose file has this name.
    pub(super) fn of_file(name: &str) -> Option<Bucket> {
        name.strip_suffix(".expires$")?.parse().ok().map(Bucket)
    }

    fn file(self) -> String {
        format!("{:011}.expires$", self.0)
    }

    /// When every deadline in it has passed.
    pub(super) fn end(self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.0))
    }

    /// Whether every deadline in it has passed.
    pub(super) fn has_passed(self, now: SystemTime) -> bool {
        self.0 <= seconds(now)
    }
}

/// The buckets of one folder.
#[derive(Debug)]
pub(super) struct Index {
    folder: PathBuf,
    sync: bool,
    /// The lines that were added last, which spares a busy item most of them.
    added: Mutex<HashSet<(ItemKey, Bucket)>>,
}

impl Index {
    pub(super) fn new(folder: PathBuf, sync: bool) -> Index {
        Index { folder, sync, added: Mutex::default() }
    }

    /// Notes that the item is about to expire at `deadline`, if it is.
    pub(super) fn note(&self, key: &ItemKey, deadline: Option<SystemTime>) -> io::Result<()> {
        let Some(deadline) = deadline else { return Ok(()) };
        let line = (key.clone(), Bucket::of(deadline, SystemTime::now()));
        let path = self.path(line.1);
        // unstorage's `clear` removes the buckets too.
        if self.added().contains(&line) && path.exists() {
            return Ok(());
        }
        self.add(key, &path)?;
        let mut added = self.added();
        if added.len() >= REMEMBERED {
            added.clear();
        }
        added.insert(line);
        Ok(())
    }

    /// As [`note`](Index::note), once for an item that will not be noted again soon.
    pub(super) fn note_once(&self, key: &ItemKey, deadline: SystemTime) -> io::Result<()> {
        self.add(key, &self.path(Bucket::of(deadline, SystemTime::now())))
    }

    /// Whether every item with a deadline has been noted. Those of an earlier version have not.
    pub(super) fn is_complete(&self) -> bool {
        self.folder.join(COMPLETE).exists()
    }

    pub(super) fn set_complete(&self) -> io::Result<()> {
        self.open(&self.folder.join(COMPLETE)).map(drop)
    }

    /// Takes a bucket's file to `path`, where nobody adds to it.
    pub(super) fn take(&self, bucket: Bucket, path: &Path) -> io::Result<()> {
        match fs::rename(self.path(bucket), path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            taken => taken,
        }
    }

    fn path(&self, bucket: Bucket) -> PathBuf {
        self.folder.join(bucket.file())
    }

    fn added(&self) -> MutexGuard<'_, HashSet<(ItemKey, Bucket)>> {
        // A set is whole wherever it was left.
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, key: &ItemKey, path: &Path) -> io::Result<()> {
        // The break comes first, so that a line that was cut short does not run into the next one.
        let line = format!("\n{}", key.as_str());
        loop {
            let mut file = self.open(path)?;
            file.write_all(line.as_bytes())?;
            if self.sync {
                file.sync_all()?;
                platform::sync_folder(&self.folder)?;
            }
            // Once a bucket has been taken away, its lines may have been read already.
            if platform::leads_to(path, platform::identity(&file)?)? {
                return Ok(());
            }
        }
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        let mut options = platform::options();
        options.append(true).create(true);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                platform::create_folders(&self.folder)?;
                options.open(path)
            }
            opened => opened,
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_bucket_ends_after_its_deadlines_and_at_most_a_sixteenth_of_the_ttl_or_a_second_later() {
        for ttl in [0, 1, 15, 16, 31, 32, 33, 59, 600, 3600, 86_400, 604_800, 100 * 365 * 86_400] {
            let bucket = Bucket::of(at(NOW + ttl), at(NOW));
            assert!(bucket.0 > NOW + ttl, "{ttl}");
            assert!(bucket.0 <= NOW + ttl + (ttl / BUCKETS_AHEAD).max(1), "{ttl}");
            assert!(!bucket.has_passed(at(NOW + ttl)) && bucket.has_passed(at(bucket.0)), "{ttl}");
        }
    }

    #[test]
    fn a_busy_item_gets_few_lines_and_any_deadlines_have_few_buckets() {
        let week = 604_800;
        let busy: HashSet<_> =
            (NOW..NOW + week).step_by(60).map(|now| Bucket::of(at(now + week), at(now))).collect();
        assert!(busy.len() <= 34, "{}", busy.len());
        let all: HashSet<_> = (1..week).map(|ttl| Bucket::of(at(NOW + ttl), at(NOW))).collect();
        assert!(all.len() <= 300, "{}", all.len());
    }

    #[cfg(unix)]
    #[test]
    fn a_line_that_is_added_while_its_bucket_is_taken_away_is_not_lost() {
        const LINES: usize = 20_000;
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::new(folder.path().to_owned(), false);
        let (bucket, taken) = (Bucket(NOW), folder.path().join("taken"));
        let mut found = HashSet::new();
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|writer| {
                    let index = &index;
                    scope.spawn(move || {
                        for line in 0..LINES {
                            let key = ItemKey::new(&format!("{writer}-{line}")).expect("valid");
                            index.add(&key, &index.path(bucket)).expect("added");
                        }
                    })
                })
                .collect();
            loop {
                let done = writers.iter().all(std::thread::ScopedJoinHandle::is_finished);
                index.take(bucket, &taken).expect("taken");
                if let Ok(text) = fs::read_to_string(&taken) {
                    found.extend(text.lines().skip(1).map(str::to_owned));
                    fs::remove_file(&taken).expect("removed");
                }
                if done {
                    break;
                }
            }
        });
        assert_eq!(found.len(), 2 * LINES);
    }

    #[test]
    fn a_file_tells_its_bucket() {
        assert_eq!(Bucket::of_file(&Bucket(NOW).file()), Some(Bucket(NOW)));
        for name in ["07.lock$", "indexed$", "x.expires$", "01800000000.expires"] {
            assert_eq!(Bucket::of_file(name), None, "{name}");
        }
    }
}
