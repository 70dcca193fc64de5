//! Having the disk begin to write what was written of late.
//!
//! When a new file is renamed over an old one, ext4 and others begin at once to write it to the disk, so that a power cut
//! leaves the old bytes or the new ones and seldom an empty file. They do not where the two changed places. For a session
//! that changes many times in a second that is most of the work; so it is done here, once in a while.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::platform;

/// How long a file waits at most.
const PAUSE: Duration = Duration::from_secs(1);

/// How many files wait at most.
const MOST: usize = 4096;

/// The files that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Flush(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    paths: HashSet<PathBuf>,
    /// Whether there is a task that will see to them.
    is_awaited: bool,
}

impl Flush {
    /// Has the file written soon.
    pub(super) fn note(&self, path: &Path) {
        let mut waiting = self.waiting();
        if waiting.paths.contains(path) {
            return;
        }
        let runtime = Handle::try_current();
        let Some(runtime) = runtime.ok().filter(|_| waiting.paths.len() < MOST) else {
            drop(waiting);
            platform::begin_writing(path);
            return;
        };
        waiting.paths.insert(path.to_owned());
        if !std::mem::replace(&mut waiting.is_awaited, true) {
            drop(waiting);
            runtime.spawn(Task(self.clone()).run());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A set is whole wherever it was left.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> HashSet<PathBuf> {
        let mut waiting = self.waiting();
        waiting.is_awaited = false;
        std::mem::take(&mut waiting.paths)
    }
}

/// What sees to the files, also when its runtime ends before the time.
struct Task(Flush);

impl Task {
    async fn run(self) {
        tokio::time::sleep(PAUSE).await;
        // Whether it is done or dropped: what is left then is written by the kernel, when it comes to it.
        let _ = spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        for path in self.0.take() {
            platform::begin_writing(&path);
        }
    }
}
