//! When an item ends, as its file tells it.
//!
//! The bytes are JavaScript's alone, so that the deadline is the file's modification time, 46 years early. Nobody else
//! writes such a time, so that it means one thing whatever becomes of the file's other times; and whoever copies, moves or
//! restores files keeps it, if only to the second or two. What it says never depends on the clock of the moment.

use std::fs::{FileTimes, Metadata};
use std::ops::Range;
use std::time::{Duration, SystemTime};

const DAY: u64 = 24 * 60 * 60;

/// How much earlier than the deadline the modification time is. To the day, as long as no century is without a leap day.
const EARLY: Duration = Duration::from_secs(16_801 * DAY);

/// The modification times that are deadlines, in seconds since 1970: until 2022, before anybody wrote an item. What
/// makes all files of an image equally old sets them to the first second or two.
const DEADLINES: Range<u64> = 2 * DAY..52 * 365 * DAY;

/// How far back the modification time of a file without a deadline is set, so that it is not taken for one that is being
/// written in place. More than a file system's coarsest unit of time.
const SET_BACK: Duration = Duration::from_secs(3);

/// When an item with this ttl ends. For ever is what no file can tell: beyond 2067.
pub(super) fn after(ttl: Option<Duration>) -> Option<SystemTime> {
    let deadline = SystemTime::now().checked_add(ttl?)?;
    let end = SystemTime::UNIX_EPOCH + EARLY + Duration::from_secs(DEADLINES.end);
    (deadline < end).then_some(deadline)
}

/// When the item ends, if it does.
pub(super) fn of(metadata: &Metadata) -> Option<SystemTime> {
    let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let is_deadline = DEADLINES.contains(&modified.as_secs());
    is_deadline.then(|| SystemTime::UNIX_EPOCH + modified + EARLY)
}

/// Whether the file is dated as [`times`] dates what ended before anything was written.
pub(super) fn is_earliest(metadata: &Metadata) -> bool {
    let of_the_epoch = SystemTime::UNIX_EPOCH + EARLY + Duration::from_secs(DEADLINES.start);
    // Where it is copied, its time may be rounded.
    of(metadata).is_some_and(|deadline| deadline <= of_the_epoch + SET_BACK)
}

/// Whether the item's time has passed.
pub(super) fn has_passed(metadata: &Metadata) -> bool {
    of(metadata).is_some_and(|deadline| deadline <= SystemTime::now())
}

/// The times of a file whose item ends then.
pub(super) fn times(deadline: Option<SystemTime>) -> FileTimes {
    FileTimes::new().set_modified(match deadline {
        Some(deadline) => {
            // A clock that stands before 2016 is wrong. What is written by it ends as soon as it is right.
            let first = SystemTime::UNIX_EPOCH + Duration::from_secs(DEADLINES.start);
            deadline.checked_sub(EARLY).map_or(first, |modified| modified.max(first))
        }
        None => SystemTime::now() - SET_BACK,
    })
}
