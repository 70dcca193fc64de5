//! Reading a file that somebody may be writing to.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::deadline;
use super::platform::{self, Fingerprint};

/// For how long after its last modification a file that was written in place is not yet trusted: a writer
/// takes that long at most between truncating and writing, or between two parts of a large value.
const SETTLING: Duration = Duration::from_millis(20);

/// How long a reader waits for a file to settle.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long after its last modification an empty file may still be about to be filled: a busy writer's thread
/// can wait this long for its turn between truncating and writing.
const FILLING: Duration = Duration::from_secs(4);

/// How often it looks until then.
const PAUSE: Duration = Duration::from_millis(3);

/// What is under a path.
pub(super) enum Found {
    /// No file.
    Nothing,
    /// A file that has expired, or that its writer left empty.
    Dead,
    Live(Live),
}

/// An item.
pub(super) struct Live {
    pub(super) value: Bytes,
    pub(super) file: File,
    /// How to tell whether its file has changed since.
    pub(super) fingerprint: Fingerprint,
    /// When it expires.
    pub(super) deadline: Option<SystemTime>,
}

impl Found {
    fn live((value, file, metadata): Seen) -> Found {
        let (fingerprint, deadline) = (platform::fingerprint(&metadata), deadline::of(&metadata));
        Found::Live(Live { value, file, fingerprint, deadline })
    }

    /// The item's bytes.
    pub(super) fn value(self) -> Option<Bytes> {
        match self {
            Found::Live(live) => Some(live.value),
            Found::Nothing | Found::Dead => None,
        }
    }
}

/// Reads the file, again for a short while if it is being written in place.
///
/// `unit` is that of the file system's times here and below.
pub(super) fn read(path: &Path, unit: Duration) -> io::Result<Found> {
    let begin = Instant::now();
    loop {
        let started = SystemTime::now();
        let Some(seen) = read_once(path)? else { return Ok(Found::Nothing) };
        match judge(&seen.2, seen.0.len() as u64, started, begin, unit) {
            Verdict::Dead => return Ok(Found::Dead),
            Verdict::Whole => return Ok(Found::live(seen)),
            Verdict::Unsettled => std::thread::sleep(PAUSE),
        }
    }
}

/// Whether an open file is an item, once it is not being written in place any more.
pub(super) fn is_item(file: &File, unit: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        let started = SystemTime::now();
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(false);
        }
        match judge(&metadata, metadata.len(), started, begin, unit) {
            Verdict::Dead => return Ok(false),
            Verdict::Whole => return Ok(true),
            Verdict::Unsettled => std::thread::sleep(PAUSE),
        }
    }
}

/// A file's bytes, the file, and what was known of it after they were read.
pub(super) type Seen = (Bytes, File, Metadata);

/// What to make of a file.
enum Verdict {
    /// It has expired, or its writer left it empty.
    Dead,
    /// An item, as its writer meant it.
    Whole,
    /// Somebody may be writing it.
    Unsettled,
}

/// Judges a file of which `length` bytes were seen, after `started`, by one who has been looking since `begin`.
fn judge(
    metadata: &Metadata,
    length: u64,
    started: SystemTime,
    begin: Instant,
    unit: Duration,
) -> Verdict {
    let has_waited = begin.elapsed() > PATIENCE + unit;
    if deadline::has_passed(metadata) {
        Verdict::Dead
    } else if length == 0 {
        // A file that is being truncated may be empty for a moment before its times say so.
        let is_old = was_left_empty(metadata, started) && has_waited;
        if is_old || begin.elapsed() > FILLING { Verdict::Dead } else { Verdict::Unsettled }
    } else if has_waited || has_settled(metadata, started, unit) && metadata.len() == length {
        Verdict::Whole
    } else {
        Verdict::Unsettled
    }
}

/// The file, if it is an item that can be read without waiting: neither for the disk, nor for somebody who may be
/// writing it in place. `None` leaves open what it is.
#[cfg(target_os = "linux")]
pub(super) fn read_cached(path: &Path, unit: Duration) -> Option<Found> {
    let started = SystemTime::now();
    let seen = super::cached::read(path)?;
    let (value, _, metadata) = &seen;
    let is_item = !value.is_empty()
        && !deadline::has_passed(metadata)
        && has_settled(metadata, started, unit);
    is_item.then(|| Found::live(seen))
}

/// Whether nobody can have written to the file in place since shortly before `started`. Our own files are
/// always settled: their modification time is long past, or has been set back. That holds for what was written:
/// the kernel shortens a file a moment before it changes the times.
fn has_settled(metadata: &Metadata, started: SystemTime, unit: Duration) -> bool {
    let Ok(modified) = metadata.modified() else { return true };
    // Whoever writes with a clock that is ahead of ours cannot be waited for.
    modified + SETTLING + unit < started || modified > started + PATIENCE
}

/// Whether an empty file is so old that nobody is about to fill it.
fn was_left_empty(metadata: &Metadata, started: SystemTime) -> bool {
    metadata
        .modified()
        .is_ok_and(|modified| modified + FILLING < started || modified > started + FILLING)
}

fn read_once(path: &Path) -> io::Result<Option<Seen>> {
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
    Ok(Some((value.into(), file, metadata)))
}
