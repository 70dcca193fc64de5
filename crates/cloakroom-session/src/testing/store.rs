//! A store in memory that fails and waits on demand.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom_storage::{
    BoxStream, Bytes, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation,
    RemoveOutcome, Result, SetOutcome, When, async_trait,
};
use futures_util::stream;

use crate::clock::Clock;

use super::held::{HeldWrite, Hold};

const NAME: &str = "test";

/// A store in memory that counts its calls, and fails and waits on demand. Its clones are the same store.
///
/// That of a [`TestSite`](super::TestSite) has the site's time. One of its own has the system's, for whoever brings their own
/// [`Sessions`](crate::Sessions).
///
/// ```
/// use cloakroom_session::storage::ErrorKind;
/// use cloakroom_session::testing::TestSite;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let site = TestSite::new();
/// let session = site.session();
/// session.set("theme", "dark")?;
/// site.store().fail_writes(Some(ErrorKind::StorageFull));
/// assert!(site.commit(&session).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct TestStore {
    state: Arc<Mutex<State>>,
    clock: Clock,
    is_undisturbed: bool,
}

#[derive(Default)]
struct State {
    items: HashMap<ItemKey, Kept>,
    writes: u64,
    calls: usize,
    all: Option<ErrorKind>,
    changes: Option<ErrorKind>,
    loses_answer: bool,
    holds: VecDeque<Hold>,
}

struct Kept {
    value: Bytes,
    version: u64,
    until: Option<f64>,
}

impl TestStore {
    /// An empty store that works.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use cloakroom_session::testing::TestStore;
    /// use cloakroom_session::{Config, Sessions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let store = TestStore::new();
    /// let sessions = Sessions::with_driver(Arc::new(store.clone()), &Config::default())?;
    /// sessions.check().await?;
    /// assert_ne!(store.calls(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new() -> TestStore {
        TestStore::default()
    }

    pub(super) fn by_clock(clock: Clock) -> TestStore {
        TestStore { clock, ..TestStore::default() }
    }

    /// Lets every call fail, or none.
    pub fn fail(&self, kind: Option<ErrorKind>) {
        self.state().all = kind;
    }

    /// Lets every call fail that changes something, or none.
    pub fn fail_writes(&self, kind: Option<ErrorKind>) {
        self.state().changes = kind;
    }

    /// Lets the next change happen, and its answer be lost.
    pub fn lose_next_answer(&self) {
        self.state().loses_answer = true;
    }

    /// Keeps the next call that changes something waiting, until what this returns is dropped. Those after it pass, so that
    /// they overtake it; called twice, it keeps the next two.
    ///
    /// ```
    /// use cloakroom_session::testing::TestSite;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// // A visit whose write a logout overtakes.
    /// let site = TestSite::new();
    /// let visit = site.session_with(|session| session.set("name", "Ann")).await?;
    /// visit.set("visited", &true)?;
    /// let held = site.store().hold_next_write();
    /// let (visited, left) = tokio::join!(site.commit(&visit), async {
    ///     held.arrived().await;
    ///     let logout = site.again(&visit);
    ///     logout.destroy();
    ///     let left = site.commit(&logout).await;
    ///     drop(held);
    ///     left
    /// });
    /// assert!(left?.was_destroyed());
    /// // The session stays ended, and the visit is told to nobody.
    /// assert_eq!(visited?.cookie(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn hold_next_write(&self) -> HeldWrite {
        let (hold, held) = Hold::new();
        self.state().holds.push_back(hold);
        held
    }

    /// How many calls there were so far.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// The same items, for a test that looks at them or puts one there: what is called here is not counted, does not fail and
    /// does not wait.
    ///
    /// ```
    /// use cloakroom_session::ErrorKind;
    /// use cloakroom_session::storage::{Driver, ItemKey, When};
    /// use cloakroom_session::testing::TestSite;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A record that cannot be read.
    /// let site = TestSite::new();
    /// let session = site.session();
    /// session.set("name", "Ann")?;
    /// let committed = site.commit(&session).await?;
    /// let id = committed.id().expect("it has one").to_string();
    /// site.store().undisturbed().set(&ItemKey::new(&id)?, "broken".into(), When::Always, None).await?;
    /// let error = site.next(&committed).get::<String>("name").await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Corrupt);
    /// # Ok(())
    /// # }
    /// ```
    pub fn undisturbed(&self) -> TestStore {
        TestStore { is_undisturbed: true, ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        state.items.retain(|_, kept| kept.until.is_none_or(|until| now < until));
        state
    }

    /// As [`call`](TestStore::call), for one that changes something: it may have to wait.
    async fn change(&self, operation: Operation, key: &ItemKey) -> Result<MutexGuard<'_, State>> {
        if !self.is_undisturbed {
            let hold = self.state().next_hold();
            if let Some(hold) = hold {
                hold.wait().await;
            }
        }
        self.call(operation, key)
    }

    /// What there is, for a call that does not fail.
    fn call(&self, operation: Operation, key: &ItemKey) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if self.is_undisturbed {
            return Ok(state);
        }
        state.calls += 1;
        let fails = match operation {
            Operation::Get | Operation::Keys => state.all,
            _ => state.all.or(state.changes),
        };
        match fails {
            None => Ok(state),
            Some(kind) => Err(failure(kind, operation, key, "the test wants this call to fail")
                .with_unapplied(true)),
        }
    }

    /// What a change answers, or that nobody knows.
    fn answer<T>(
        &self,
        mut state: MutexGuard<'_, State>,
        operation: Operation,
        key: &ItemKey,
        answer: T,
    ) -> Result<T> {
        match !self.is_undisturbed && std::mem::take(&mut state.loses_answer) {
            false => Ok(answer),
            true => {
                let message = "the test wants this answer to be lost";
                Err(failure(ErrorKind::Unavailable, operation, key, message))
            }
        }
    }

    fn deadline(&self, ttl: Option<Duration>) -> Option<f64> {
        ttl.map(|ttl| self.clock.now() + ttl.as_secs_f64() * 1000.0)
    }
}

fn failure(kind: ErrorKind, operation: Operation, key: &ItemKey, message: &str) -> Error {
    Error::new(kind, message).with_driver(NAME).with_operation(operation).with_key(key)
}

impl State {
    /// What the next change waits for. Those that were given up before one came are no more.
    fn next_hold(&mut self) -> Option<Hold> {
        while let Some(hold) = self.holds.pop_front() {
            if !hold.is_over() {
                return Some(hold);
            }
        }
        None
    }
}

#[async_trait]
impl Driver for TestStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            retains: true,
            compare_and_swap: true,
            version_per_write: true,
            expiry: true,
            native_ttl: true,
            iteration: true,
            empty_values: true,
            ..Capabilities::none()
        }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let state = self.call(Operation::Get, key)?;
        let left = |until: f64| {
            let seconds = (until - self.clock.now()).max(0.0) / 1000.0;
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        };
        Ok(state
            .items
            .get(key)
            .map(|kept| (Item::new(kept.value.clone(), kept.version), kept.until.map(left))))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let mut state = self.change(Operation::Set, key).await?;
        let until = self.deadline(ttl);
        let there = state.items.get(key).map(|kept| kept.version);
        let holds = match when {
            When::Always => true,
            When::Absent => there.is_none(),
            When::Version(seen) => there.is_some_and(|version| seen == version.into()),
        };
        if !holds {
            return self.answer(state, Operation::Set, key, SetOutcome::Conflict);
        }
        state.writes += 1;
        let version = state.writes;
        state.items.insert(key.clone(), Kept { value, version, until });
        self.answer(state, Operation::Set, key, SetOutcome::Written { version: version.into() })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let mut state = self.change(Operation::Remove, key).await?;
        let there = state.items.get(key).map(|kept| kept.version);
        let outcome = match (when, there) {
            (When::Absent, _) => return Err(Error::remove_absent(NAME, key)),
            (_, None) => RemoveOutcome::Missing,
            (When::Version(seen), Some(version)) if seen != version.into() => {
                RemoveOutcome::Conflict
            }
            _ => RemoveOutcome::Removed,
        };
        if outcome == RemoveOutcome::Removed {
            state.items.remove(key);
        }
        self.answer(state, Operation::Remove, key, outcome)
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let mut state = self.change(Operation::Touch, key).await?;
        let until = self.deadline(ttl);
        let is_there = state.items.get_mut(key).map(|kept| kept.until = until).is_some();
        self.answer(state, Operation::Touch, key, is_there)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let state = self.state();
        let keys = state.items.keys().filter(|key| key.as_str().starts_with(prefix));
        let keys: Vec<_> = keys.cloned().map(Ok).collect();
        Box::pin(stream::iter(keys))
    }
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStore").field("items", &self.state().items.len()).finish()
    }
}
