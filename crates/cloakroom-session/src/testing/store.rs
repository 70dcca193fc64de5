//! A store in memory that fails on demand.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom_storage::{
    BoxStream, Bytes, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation,
    RemoveOutcome, Result, SetOutcome, When, async_trait,
};
use futures_util::stream;

use crate::clock::Clock;

const NAME: &str = "test";

/// A store in memory whose time is the test's, and which fails on demand. Its clones are the same store.
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
#[derive(Clone)]
pub struct TestStore {
    held: Arc<Mutex<Held>>,
    clock: Clock,
}

#[derive(Default)]
struct Held {
    items: HashMap<ItemKey, Kept>,
    writes: u64,
    calls: usize,
    all: Option<ErrorKind>,
    changes: Option<ErrorKind>,
    loses_answer: bool,
    is_undisturbed: bool,
}

struct Kept {
    value: Bytes,
    version: u64,
    until: Option<f64>,
}

/// While this is there nothing fails, and nothing counts.
pub(super) struct Undisturbed(TestStore);

impl TestStore {
    pub(super) fn new(clock: Clock) -> TestStore {
        TestStore { held: Arc::default(), clock }
    }

    /// Lets every call fail, or none.
    pub fn fail(&self, kind: Option<ErrorKind>) {
        self.held().all = kind;
    }

    /// Lets every call fail that changes something, or none.
    pub fn fail_writes(&self, kind: Option<ErrorKind>) {
        self.held().changes = kind;
    }

    /// Lets the next change happen, and its answer be lost.
    pub fn lose_next_answer(&self) {
        self.held().loses_answer = true;
    }

    /// How many calls there were so far.
    pub fn calls(&self) -> usize {
        self.held().calls
    }

    /// For whoever looks at what there is, and is no part of the test.
    pub(super) fn undisturbed(&self) -> Undisturbed {
        self.held().is_undisturbed = true;
        Undisturbed(self.clone())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        held.items.retain(|_, kept| kept.until.is_none_or(|until| now < until));
        held
    }

    /// What there is, for a call that does not fail.
    fn call(&self, operation: Operation, key: &ItemKey) -> Result<MutexGuard<'_, Held>> {
        let mut held = self.held();
        if held.is_undisturbed {
            return Ok(held);
        }
        held.calls += 1;
        let fails = match operation {
            Operation::Get | Operation::Keys => held.all,
            _ => held.all.or(held.changes),
        };
        match fails {
            None => Ok(held),
            Some(kind) => Err(failure(kind, operation, key, "the test wants this call to fail")
                .with_unapplied(true)),
        }
    }

    fn deadline(&self, ttl: Option<Duration>) -> Option<f64> {
        ttl.map(|ttl| self.clock.now() + ttl.as_secs_f64() * 1000.0)
    }
}

fn failure(kind: ErrorKind, operation: Operation, key: &ItemKey, message: &str) -> Error {
    Error::new(kind, message).with_driver(NAME).with_operation(operation).with_key(key)
}

impl Held {
    /// What a change answers, or that nobody knows.
    fn answer<T>(&mut self, operation: Operation, key: &ItemKey, answer: T) -> Result<T> {
        match std::mem::take(&mut self.loses_answer) {
            false => Ok(answer),
            true => {
                let message = "the test wants this answer to be lost";
                Err(failure(ErrorKind::Unavailable, operation, key, message))
            }
        }
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
        let held = self.call(Operation::Get, key)?;
        let left = |until: f64| Duration::from_secs_f64((until - self.clock.now()) / 1000.0);
        Ok(held
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
        let until = self.deadline(ttl);
        let mut held = self.call(Operation::Set, key)?;
        let there = held.items.get(key).map(|kept| kept.version);
        let holds = match when {
            When::Always => true,
            When::Absent => there.is_none(),
            When::Version(seen) => there.is_some_and(|version| seen == version.into()),
        };
        if !holds {
            return held.answer(Operation::Set, key, SetOutcome::Conflict);
        }
        held.writes += 1;
        let version = held.writes;
        held.items.insert(key.clone(), Kept { value, version, until });
        held.answer(Operation::Set, key, SetOutcome::Written { version: version.into() })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let mut held = self.call(Operation::Remove, key)?;
        let there = held.items.get(key).map(|kept| kept.version);
        let outcome = match (when, there) {
            (When::Absent, _) => return Err(Error::remove_absent(NAME, key)),
            (_, None) => RemoveOutcome::Missing,
            (When::Version(seen), Some(version)) if seen != version.into() => {
                RemoveOutcome::Conflict
            }
            _ => RemoveOutcome::Removed,
        };
        if outcome == RemoveOutcome::Removed {
            held.items.remove(key);
        }
        held.answer(Operation::Remove, key, outcome)
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let until = self.deadline(ttl);
        let mut held = self.call(Operation::Touch, key)?;
        let is_there = held.items.get_mut(key).map(|kept| kept.until = until).is_some();
        held.answer(Operation::Touch, key, is_there)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let held = self.held();
        let keys = held.items.keys().filter(|key| key.as_str().starts_with(prefix));
        let keys: Vec<_> = keys.cloned().map(Ok).collect();
        Box::pin(stream::iter(keys))
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        self.0.held().is_undisturbed = false;
    }
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStore").field("items", &self.held().items.len()).finish()
    }
}
