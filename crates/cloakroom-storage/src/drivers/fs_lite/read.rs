//! Reading a file that somebody may be writing to.

use std::fs::Metadata;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::platform::{self, Fingerprint};

/// For how long after its last modification a file that was written in place is not yet trusted: a writer
/// takes that long at most between truncating and writing, or between two parts of a large value.
pub(super) const SETTLING: Duration = Duration::from_millis(20);

/// How long a reader waits for a file to settle.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long after its last modification an empty file may still be about to be filled: a busy writer's thread
/// can wait this long for its turn between truncating and writing.
const FILLING: Duration = Duration::from_secs(4);

/// How often it looks meanwhile.
const PAUSE: Duration = Duration::from_millis(3);

/// What is under a path.
pub(super) enum Found {
    /// No file.
    Nothing,
    /// A file that has expired, or that its writer left empty.
    Dead,
    /// An item, how to tell whether its file has changed since, and when it expires.
    Live(Bytes, Fingerprint, Option<SystemTime>),
}

impl Found {
    fn live(value: Bytes, metadata: &Metadata) -> Found {
        Found::Live(value, platform::fingerprint(metadata), platform::deadline(metadata))
    }

    /// The item's bytes.
    pub(super) fn value(self) -> Option<Bytes> {
        match self {
            Found::Live(value, ..) => Some(value),
            Found::Nothing | Found::Dead => None,
        }
    }
}

/// Reads the file, again for a short while if it is being written in place.
pub(super) fn read(path: &Path) -> io::Result<Found> {
    let begin = Instant::now();
    loop {
        let started = SystemTime::now();
        let Some((value, metadata)) = read_once(path)? else { return Ok(Found::Nothing) };
        if has_expired(&metadata) {
            return Ok(Found::Dead);
        }
        if value.is_empty() {
            // A file that is being truncated may be empty for a moment before its times say so.
            let is_old = was_left_empty(&metadata, started) && begin.elapsed() > PATIENCE;
            if is_old || begin.elapsed() > FILLING {
                return Ok(Found::Dead);
            }
        } else if has_settled(&metadata, started) && metadata.len() == value.len() as u64
            || begin.elapsed() > PATIENCE
        {
            return Ok(Found::live(value, &metadata));
        }
        std::thread::sleep(PAUSE);
    }
}

/// The file, if it is an item that can be read without waiting: neither for the disk, nor for somebody who may be
/// writing it in place. `None` leaves open what it is.
#[cfg(target_os = "linux")]
pub(super) fn read_cached(path: &Path) -> Option<Found> {
    let started = SystemTime::now();
    let (value, metadata) = super::cached::read(path)?;
    let is_item = !value.is_empty() && !has_expired(&metadata) && has_settled(&metadata, started);
    is_item.then(|| Found::live(value, &metadata))
}

/// Whether the item's time has passed.
pub(super) fn has_expired(metadata: &Metadata) -> bool {
    platform::deadline(metadata).is_some_and(|deadline| deadline <= SystemTime::now())
}

/// Whether nobody can have written to the file in place since shortly before `started`. Our own files are
/// always settled: their modification time is in the future or has been set back. That holds for what was written:
/// the kernel shortens a file a moment before it changes the times.
fn has_settled(metadata: &Metadata, started: SystemTime) -> bool {
    let Ok(modified) = metadata.modified() else { return true };
    platform::deadline(metadata).is_some()
        || modified + SETTLING < started
        // Whoever writes with a clock that is ahead of ours cannot be waited for.
        || modified > started + PATIENCE
}

/// Whether an empty file is so old that nobody is about to fill it.
fn was_left_empty(metadata: &Metadata, started: SystemTime) -> bool {
    metadata
        .modified()
        .is_ok_and(|modified| modified + FILLING < started || modified > started + FILLING)
}

fn read_once(path: &Path) -> io::Result<Option<(Bytes, Metadata)>> {
    let mut file = match platform::options().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // The times are taken after the bytes: a file that is old then was old while it was read.
    let mut value = Vec::with_capacity(4096);
    match file.by_ref().take(u64::MAX).read_to_end(&mut value) {
        Ok(_) => {}
        // A folder holds other items and is none itself.
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => return Ok(None),
        Err(error) => return Err(error),
    }
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is neither a file nor a folder"));
    }
    value.shrink_to_fit();
    Ok(Some((value.into(), metadata)))
}
