//! Freeing what has expired, a bit at a time, and one process at a time.

use std::error::Error as _;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::index::{Bucket, TAKEN};
use super::lock::{Place, Stripe, has_no_room};
use super::platform;
use super::recover;
use super::store::Store;
use super::walk::Walk;
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result, Swept};

/// How many items one call looks at for each that it may remove.
const EXAMINED_PER_REMOVAL: usize = 32;

/// How much of a bucket is read at once. More than the longest line.
const CHUNK: u64 = 64 * 1024;

/// When an item that could not be removed is tried again.
const PUT_OFF: Duration = Duration::from_secs(60 * 60);

/// Sweeps a folder by its index, after one walk through a folder that has none yet.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    walk: Mutex<Option<FirstWalk>>,
}

/// Where the next sweep goes on with the walk.
#[derive(Debug)]
struct FirstWalk {
    walk: Walk,
    /// Whether something could not be read that may hold items.
    is_incomplete: bool,
}

impl Sweep {
    pub(super) fn sweep(&self, store: &Store, budget: usize) -> Result<Swept> {
        let finished = Swept { finished: true, ..Swept::default() };
        if budget == 0 {
            return Ok(Swept::default());
        }
        if store.read_only() || !store.exists()? {
            return Ok(finished);
        }
        let _lock = match store.lock_for_sweep() {
            Ok(Some(lock)) => lock,
            // Somebody else is at it.
            Ok(None) => return Ok(finished),
            Err(error) if error.kind() == ErrorKind::ReadOnly => return Ok(finished),
            Err(error) => return Err(error),
        };
        recover::if_needed(store)?;
        let mut step = Step { store, budget, swept: Swept::default(), failed: None };
        if store.index().is_complete() || self.walk(&mut step)? {
            step.sweep_buckets()?;
        }
        step.failed.map_or(Ok(step.swept), Err)
    }

    /// Notes the items that a version without an index wrote; answers whether it came to the end.
    fn walk(&self, step: &mut Step) -> Result<bool> {
        // A walk can be used again wherever it was left.
        let mut place = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let first = place
            .get_or_insert_with(|| FirstWalk { walk: step.store.walk(), is_incomplete: false });
        while step.may_go_on() {
            match first.walk.next() {
                Some(Ok((path, key))) => {
                    let examined = step.examine(&path, &key, true);
                    first.is_incomplete |= examined.is_err();
                    match examined {
                        // There is no room to note it, and others may have expired.
                        Err(error) if error.kind() == ErrorKind::StorageFull => {}
                        examined => examined?,
                    }
                }
                Some(Err(error)) => {
                    // A folder that only others may read holds none of our items.
                    first.is_incomplete |= error.kind() != io::ErrorKind::PermissionDenied;
                    return Err(step.store.failure(error));
                }
                None => {
                    let is_complete = !first.is_incomplete;
                    *place = None;
                    if is_complete
                        && let Err(error) = step.store.index().set_complete()
                        // Without room to say so, the next sweep walks again.
                        && !has_no_room(&error)
                    {
                        return Err(step.store.failure(error));
                    }
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// One call.
struct Step<'a> {
    store: &'a Store,
    budget: usize,
    swept: Swept,
    /// Why the first of the items that could not be removed was not.
    failed: Option<Error>,
}

impl Step<'_> {
    fn may_go_on(&self) -> bool {
        self.swept.removed < self.budget
            && self.swept.examined < self.budget.saturating_mul(EXAMINED_PER_REMOVAL)
    }

    /// Removes the item if it has expired. One that cannot be removed is put off, so that it is in nobody's way.
    fn examine(&mut self, path: &Path, key: &ItemKey, is_new: bool) -> Result<()> {
        self.swept.examined += 1;
        let error = match self.store.remove_expired(path, key) {
            Ok(true) => {
                self.swept.removed += 1;
                return Ok(());
            }
            Ok(false) if is_new => match self.store.note_deadline(path, key) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            // An item that was noted and is not there: removed, or its name is too long to be written.
            Err(error) if !is_no_file_name(&error) => error,
            _ => return Ok(()),
        };
        let later = SystemTime::now() + PUT_OFF;
        let noted = self.store.index().note_once(key, later);
        noted.map_err(|error| self.store.failure(error))?;
        self.failed.get_or_insert(error.with_key(key));
        Ok(())
    }

    fn sweep_buckets(&mut self) -> Result<()> {
        let taken = self.store.own_folder().join(TAKEN);
        let work = Work::look_for(self.store).map_err(|error| self.store.failure(error))?;
        let mut buckets = work.buckets.into_iter();
        // What an earlier call or a killed process left comes first.
        while self.sweep_bucket(&taken)? {
            let Some(bucket) = buckets.next() else {
                remove_left_over(self.store, &work.temporary)?;
                self.swept.finished = true;
                break;
            };
            let took = self.store.index().take(bucket, &taken);
            took.map_err(|error| self.store.failure(error))?;
        }
        Ok(())
    }

    /// Goes through a bucket's lines from the last to the first and cuts off what is done, so that whoever goes on,
    /// in whichever process, finds only what is left. Answers whether it came to the end.
    fn sweep_bucket(&mut self, path: &Path) -> Result<bool> {
        let store = self.store;
        let failure = |error| store.failure(error);
        let mut file = match platform::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(failure(error)),
        };
        let mut length = file.metadata().map_err(failure)?.len();
        let mut chunk = Vec::new();
        while length > 0 {
            if !self.may_go_on() {
                return Ok(false);
            }
            let begin = length.saturating_sub(CHUNK);
            chunk.clear();
            file.seek(SeekFrom::Start(begin))
                .and_then(|_| (&mut file).take(length - begin).read_to_end(&mut chunk))
                .map_err(failure)?;
            let (left, outcome) = self.sweep_lines(&chunk);
            length = begin + left as u64;
            file.set_len(length).map_err(failure)?;
            outcome?;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failure(error)),
            _ => Ok(true),
        }
    }

    /// Answers how many bytes are left to do.
    fn sweep_lines(&mut self, chunk: &[u8]) -> (usize, Result<()>) {
        let mut end = chunk.len();
        while self.may_go_on() {
            let Some(at) = chunk[..end].iter().rposition(|byte| *byte == b'\n') else {
                // The line begins in the chunk before. What fills a whole chunk is no line.
                let left = if end == chunk.len() { 0 } else { end };
                return (left, Ok(()));
            };
            let key = std::str::from_utf8(&chunk[at + 1..end]).ok().map(ItemKey::new);
            // What is no key was cut short when its process was killed.
            if let Some(Ok(key)) = key
                && let Ok(path) = self.store.path(&key)
                && let Err(error) = self.examine(&path, &key, false)
            {
                return (end, Err(error));
            }
            end = at;
        }
        (end, Ok(()))
    }
}

/// Whether there can be no file of this name.
fn is_no_file_name(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::InvalidFilename)
}

/// What there is to do in our own folder.
#[derive(Default)]
struct Work {
    /// The buckets whose time has passed.
    buckets: Vec<Bucket>,
    temporary: Vec<(String, Stripe)>,
}

impl Work {
    fn look_for(store: &Store) -> io::Result<Work> {
        let mut work = Work::default();
        let now = SystemTime::now();
        let entries = match fs::read_dir(store.own_folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(work),
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            if let Some(stripe) = Stripe::of_temporary(name) {
                work.temporary.push((name.to_owned(), stripe));
            }
            work.buckets.extend(Bucket::of_file(name).filter(|bucket| bucket.has_passed(now)));
        }
        work.buckets.sort_unstable();
        Ok(work)
    }
}

/// Removes the temporary files of killed processes: those whose lock nobody holds.
fn remove_left_over(store: &Store, files: &[(String, Stripe)]) -> Result<()> {
    for (name, stripe) in files {
        let folder = store.own_folder().to_owned();
        let path = folder.join(name);
        let _lock = store.lock(&Place { folder, stripe: *stripe })?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(store.failure(error));
            }
            _ => {}
        }
    }
    Ok(())
}
