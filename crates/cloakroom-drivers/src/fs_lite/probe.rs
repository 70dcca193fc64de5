//! What the file system below a folder does, which only it can tell.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::deadline;
use super::lock::{Lock, Place, Stripe};
use super::temporary::{self, Reaches, Temporary};
use super::{NAME, platform};

/// The units of time that file systems have. Whatever is within the first is none to speak of.
const UNITS: [Duration; 3] =
    [Duration::from_millis(1), Duration::from_secs(1), Duration::from_secs(2)];

/// A second of the year 2027, at whose dates a file system may have begun to count in two seconds.
const ODD: u64 = 1_800_000_001;

/// What not every file system does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Abilities {
    /// A file keeps the modification time that it is given. Those over a network or a store of objects may drop it.
    pub(super) keeps_times: bool,
    /// The unit of the times that it keeps, to which it rounds down: none to speak of, a second, or two.
    pub(super) unit: Duration,
    /// Of two that lock a file only one has it. Some grant every lock.
    pub(super) excludes: bool,
    /// A file that is replaced while it is open has no name any more. Some give it another one until it is closed, which
    /// would be listed.
    pub(super) replaces_open: bool,
}

impl Abilities {
    /// As they are on the disk of an operating system.
    pub(super) const USUAL: Abilities =
        Abilities { keeps_times: true, unit: Duration::ZERO, excludes: true, replaces_open: false };

    /// Tries them in our own folder, by what a write does.
    pub(super) fn of(folder: &Path) -> io::Result<Abilities> {
        platform::create_folders(folder)?;
        let place = Place { folder: folder.to_owned(), stripe: Stripe::FIRST };
        // Nobody takes the files for those of a killed process.
        let lock = Lock::acquire(&place)?;
        let excludes = !lock.is_granted_again()?;
        let moved = temporary::path(&place);
        // The last moment of an odd second is rounded by whoever rounds.
        let time = SystemTime::UNIX_EPOCH + Duration::new(ODD, 999_999_999);
        let write = || {
            let path = temporary::path(&place);
            Temporary::write(path, b"?", deadline::times(Some(time)), Reaches::Sometime)
        };
        write()?.rename(&moved)?;
        // Where there is no room for another file, it is not found out.
        let replaces_open = write().and_then(|new| replaces_open(&moved, new)).unwrap_or(false);
        let kept = moved.symlink_metadata().map(|metadata| deadline::of(&metadata));
        fs::remove_file(&moved)?;
        let unit = kept?.and_then(|kept| {
            let away = time.duration_since(kept).unwrap_or_else(|error| error.duration());
            UNITS.into_iter().find(|unit| away < *unit)
        });
        let keeps_times = unit.is_some();
        let unit = unit.filter(|unit| *unit > UNITS[0]).unwrap_or_default();
        Ok(Abilities { keeps_times, unit, excludes, replaces_open })
    }

    /// Says so, once, where items or locks are less than usual.
    pub(super) fn warn(self, base: &Path) {
        let lacks = match (self.keeps_times, self.excludes) {
            (true, true) => return,
            (false, true) => "drops the times that files are given, so that nothing expires",
            (true, false) => "grants a lock to everybody, so that only one process may use it",
            (false, false) => {
                "drops the times that files are given and grants a lock to everybody, so that nothing expires and only one process may use it"
            }
        };
        tracing::warn!(driver = NAME, base = %base.display(), "the folder's file system {lacks}");
    }
}

/// Whether an open file loses its name to the one that is moved into its place.
fn replaces_open(path: &Path, mut temporary: Temporary) -> io::Result<bool> {
    let open = platform::options().read(true).open(path)?;
    // Some say of no file that it has a name.
    let had_name = platform::has_name(&open)?;
    temporary.rename(path)?;
    Ok(had_name && !platform::has_name(&open)?)
}
