//! Who looks at the store, so that no page has to.
//!
//! While somebody asks for pages, a task walks over the store's keys at intervals and keeps their names. A walk reads no session,
//! and rests thirty times as long as it took. Where nobody has asked for a page for some minutes, the task ends, and the next page
//! begins it again.

mod snapshot;

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use cloakroom_session::{Error, Result, SessionId, Sessions, StoredHandle, StoredName};
use futures_util::TryStreamExt as _;
use tokio::sync::Notify;
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

pub(crate) use snapshot::{Changes, Prefix, Snapshot};

/// How many times as long as a walk took it rests after it: it is at work for 3% of the time at most.
const REST: u32 = 30;

/// How long after the last page it goes on.
const ATTENTION: Duration = Duration::from_secs(300);

/// How long a page waits for the first walk, which in a small store takes less.
const PATIENCE: Duration = Duration::from_millis(100);

/// How many looks the plot has.
const HISTORY: usize = 180;

/// How many names are kept that a search has found, and a walk may not have yet.
const FOUND: usize = 1_000;

/// How many names are taken between two looks at what else there is to do.
const BATCH: usize = 1_024;

/// What is known of the store.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// `None` before the first walk is over.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// The latest last.
    pub(crate) looks: VecDeque<Look>,
    /// Why the latest walk has failed, where it has.
    pub(crate) trouble: Option<Arc<Error>>,
    /// How many names the walk that goes on has found so far.
    pub(crate) counted: usize,
}

/// What one look has found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) at: SystemTime,
    pub(crate) sessions: usize,
    /// How long one read takes, of what is not there.
    pub(crate) latency: Duration,
    /// Since the look before it, and how long ago that was.
    pub(crate) changes: Option<(Changes, Duration)>,
}

impl Look {
    /// How many sessions have begun and ended in a minute, since the look before.
    pub(crate) fn rates(&self) -> Option<(f64, f64)> {
        let (changes, since) = self.changes?;
        let minutes = since.as_secs_f64() / 60.0;
        (minutes > 0.0).then(|| (changes.created as f64 / minutes, changes.ended as f64 / minutes))
    }
}

/// The task, and what it has found.
pub(crate) struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    sessions: Sessions,
    interval: Duration,
    state: Mutex<State>,
    counted: AtomicUsize,
    /// Told after each walk.
    walked: Notify,
}

struct State {
    known: Known,
    found: VecDeque<StoredName>,
    asked: Instant,
    runs: bool,
}

impl Watch {
    pub(crate) fn new(sessions: Sessions, interval: Duration) -> Watch {
        let (known, found) = (Known::default(), VecDeque::new());
        let state = State { known, found, asked: Instant::now(), runs: false };
        let shared = Shared {
            sessions,
            interval,
            state: Mutex::new(state),
            counted: AtomicUsize::new(0),
            walked: Notify::new(),
        };
        Watch { shared: Arc::new(shared) }
    }

    /// What is known, for a page: from now on somebody looks.
    pub(crate) async fn known(&self) -> Known {
        let walked = self.shared.walked.notified();
        let mut known = self.asked();
        if known.snapshot.is_none() && known.trouble.is_none() {
            _ = timeout(PATIENCE, walked).await;
            known = self.asked();
        }
        known.counted = self.shared.counted.load(Ordering::Relaxed);
        known
    }

    fn asked(&self) -> Known {
        let mut state = self.shared.lock();
        state.asked = Instant::now();
        if !std::mem::replace(&mut state.runs, true) {
            tokio::spawn(go_on(Arc::downgrade(&self.shared)));
        }
        state.known.clone()
    }

    /// The name of a handle that a walk or a search has found.
    pub(crate) async fn name(&self, handle: StoredHandle) -> Option<StoredName> {
        let known = self.known().await;
        let walked = known.snapshot.and_then(|snapshot| snapshot.find(handle).cloned());
        walked.or_else(|| {
            self.shared.lock().found.iter().find(|name| name.handle() == handle).cloned()
        })
    }

    /// Keeps what a search has found: it may have begun since the last walk.
    pub(crate) fn remember(&self, names: impl Iterator<Item = StoredName>) {
        let mut state = self.shared.lock();
        for name in names.take(FOUND) {
            state.found.retain(|other| *other != name);
            state.found.push_back(name);
        }
        let surplus = state.found.len().saturating_sub(FOUND);
        state.found.drain(..surplus);
    }
}

/// Looks again and again, for as long as somebody looks at that, and the console is there.
async fn go_on(shared: std::sync::Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        if !shared.goes_on() {
            return;
        }
        let begin = Instant::now();
        shared.look().await;
        let rest = shared.interval.max(begin.elapsed() * REST);
        drop(shared);
        sleep(rest).await;
    }
}

impl Shared {
    /// Whether somebody still looks; the task ends where nobody does.
    fn goes_on(&self) -> bool {
        let mut state = self.lock();
        state.runs = state.asked.elapsed() < ATTENTION;
        state.runs
    }

    async fn look(&self) {
        let before = self.lock().known.snapshot.clone();
        match self.walk(before).await {
            Ok(Some((snapshot, look))) => {
                let mut state = self.lock();
                state.known.snapshot = Some(snapshot);
                state.known.trouble = None;
                state.known.looks.push_back(look);
                let surplus = state.known.looks.len().saturating_sub(HISTORY);
                state.known.looks.drain(..surplus);
            }
            // The program ends.
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "the console cannot look at the store");
                self.lock().known.trouble = Some(Arc::new(error));
            }
        }
        self.walked.notify_waiters();
    }

    async fn walk(&self, before: Option<Arc<Snapshot>>) -> Result<Option<(Arc<Snapshot>, Look)>> {
        let latency = self.latency().await?;
        let at = SystemTime::now();
        let all = self.sessions.all();
        let mut listed = all.names()?;
        let mut names = Vec::with_capacity(before.as_ref().map_or(0, |before| before.len()));
        while let Some(name) = listed.try_next().await? {
            names.push(name);
            if names.len().is_multiple_of(BATCH) {
                self.counted.store(names.len(), Ordering::Relaxed);
                yield_now().await;
            }
        }
        // To sort a million takes longer than a page may wait.
        let sorted = spawn_blocking(move || {
            let snapshot = Snapshot::new(names, at);
            let changes = before.map(|before| {
                (snapshot.since(&before), at.duration_since(before.at).unwrap_or_default())
            });
            let look = Look { at, sessions: snapshot.len(), latency, changes };
            (Arc::new(snapshot), look)
        });
        Ok(sorted.await.ok())
    }

    /// How long the store takes for a session that nobody has.
    async fn latency(&self) -> Result<Duration> {
        let nobody = SessionId::parse(&Uuid::new_v4().to_string());
        let begin = Instant::now();
        if let Some(nobody) = nobody {
            self.sessions.all().find_by_id(nobody).await?;
        }
        Ok(begin.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Watch").finish_non_exhaustive()
    }
}
