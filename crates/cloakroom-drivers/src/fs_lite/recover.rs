//! Deadlines that a copy without times has lost, out of the index.
//!
//! A file of our own is dated as an item with a deadline is. Where it is dated otherwise the items are too: somebody has
//! copied the folder without times, or touched all of it, be it with a day of long ago. The index is copied as any file
//! is, and says by when each item was to end. That may be a little later than it was to; and an item whose deadline was
//! taken away since gets it back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::NAME;
use super::deadline;
use super::index::{Bucket, TAKEN};
use super::platform;
use super::store::Store;
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result};

/// The file that is dated.
const DATED: &str = "dated$";

/// Gives the items their deadlines back, if their files have lost them.
pub(super) fn if_needed(store: &Store) -> Result<()> {
    let folder = store.own_folder();
    let mut count = 0;
    let mut refused = None;
    match folder.join(DATED).symlink_metadata() {
        Ok(found) if deadline::is_earliest(&found) => return Ok(()),
        // Where it drops them, there is nothing to give back.
        _ if !store.abilities().keeps_times => return Ok(()),
        Ok(found) if deadline::of(&found).is_some() => take_dates(store, &mut refused)?,
        Ok(_) => {}
        Err(_) => {
            // What cannot be written now is with the next sweep.
            let _ = date(folder);
            return Ok(());
        }
    }
    for (end, path) in lists(folder).map_err(|error| store.failure(error))? {
        let lines = fs::read(path).map_err(|error| store.failure(error))?;
        for line in lines.split(|byte| *byte == b'\n') {
            let key = std::str::from_utf8(line).ok().map(ItemKey::new);
            // What is no key was cut short when its process was killed.
            let Some(Ok(key)) = key else { continue };
            match store.give_deadline(&key, end) {
                // It was noted and could not be written.
                Err(error) if error.kind() == ErrorKind::InvalidKey => {}
                given => count += usize::from(unless_refused(given, &key, &mut refused)?),
            }
        }
    }
    date(folder).map_err(|error| store.failure(error))?;
    tracing::warn!(
        driver = NAME,
        base = %store.base().display(),
        count,
        "the folder's files have lost their times, as in a copy without them; items have got their deadlines back"
    );
    refused.map_or(Ok(()), Err)
}

/// What makes all files equally old may choose a day that looks like a deadline.
fn take_dates(store: &Store, refused: &mut Option<Error>) -> Result<()> {
    for found in store.walk() {
        let (path, key) = found.map_err(|error| store.failure(error))?;
        unless_refused(store.take_deadline(&path, &key), &key, refused)?;
    }
    Ok(())
}

/// Whether the file was dated. One that is not for us to date is noted, and keeps neither all others from their deadlines
/// nor the sweep from its work.
fn unless_refused(dated: Result<bool>, key: &ItemKey, refused: &mut Option<Error>) -> Result<bool> {
    match dated.map_err(|error| error.with_key(key)) {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnly) => {
            refused.get_or_insert(error);
            Ok(false)
        }
        dated => dated,
    }
}

fn date(folder: &Path) -> io::Result<()> {
    let mut options = platform::options();
    let file = options.write(true).create(true).truncate(false).open(folder.join(DATED))?;
    file.set_times(deadline::times(Some(SystemTime::UNIX_EPOCH)))
}

/// The lists of the index and when all that is in them has ended, the last first: an item's last deadline counts.
fn lists(folder: &Path) -> io::Result<Vec<(SystemTime, PathBuf)>> {
    let mut lists = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let end = match entry.file_name().to_str() {
            Some(TAKEN) => Some(SystemTime::now()),
            name => name.and_then(Bucket::of_file).and_then(Bucket::end),
        };
        lists.extend(end.map(|end| (end, entry.path())));
    }
    lists.sort_unstable();
    lists.reverse();
    Ok(lists)
}
