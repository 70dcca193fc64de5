//! What the rules have in common.

use std::hash::BuildHasher;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::platform::{Instant, RandomState, sleep};
use crate::{Capabilities, DynDriver, Error, ErrorKind, Item, ItemKey, SetOutcome, Version, When};

/// A ttl short enough to wait for, and long enough for stores that count whole seconds.
pub(super) const SHORT: Duration = Duration::from_secs(1);
/// A ttl that does not pass while the suite runs.
pub(super) const LONG: Duration = Duration::from_secs(3600);
/// How late a store may be with an item's end.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a rule needs of a driver.
#[derive(Clone, Copy)]
pub(super) enum Need {
    Writing,
    ReadOnly,
    Forgetting,
    CompareAndSwap,
    NoCompareAndSwap,
    VersionPerWrite,
    Expiry,
    Sweeping,
    Iteration,
    EmptyValues,
    NoEmptyValues,
    LongestValue,
}

impl Need {
    pub(super) fn is_met_by(self, capabilities: Capabilities) -> bool {
        match self {
            Need::Writing => capabilities.retains && !capabilities.read_only,
            Need::ReadOnly => capabilities.read_only,
            Need::Forgetting => !capabilities.retains,
            Need::CompareAndSwap => capabilities.compare_and_swap,
            Need::NoCompareAndSwap => !capabilities.compare_and_swap,
            Need::VersionPerWrite => capabilities.version_per_write,
            Need::Expiry => capabilities.expiry,
            Need::Sweeping => !capabilities.native_ttl,
            Need::Iteration => capabilities.iteration,
            Need::EmptyValues => capabilities.empty_values,
            Need::NoEmptyValues => !capabilities.empty_values,
            Need::LongestValue => capabilities.longest_value.is_some(),
        }
    }

    /// Why a rule with this need is skipped.
    pub(super) fn unmet(self) -> &'static str {
        match self {
            Need::Writing => "nothing can be stored",
            Need::ReadOnly => "it can be written to",
            Need::Forgetting => "it retains items",
            Need::CompareAndSwap => "it cannot compare and swap",
            Need::NoCompareAndSwap => "it can compare and swap",
            Need::VersionPerWrite => "its versions say what the bytes are",
            Need::Expiry => "its items do not expire",
            Need::Sweeping => "the store sweeps by itself",
            Need::Iteration => "it cannot list keys",
            Need::EmptyValues => "it cannot store an empty value",
            Need::NoEmptyValues => "it can store an empty value",
            Need::LongestValue => "its values may be as long as a session",
        }
    }
}

/// Two handles on one store, and a part of it that is this run's own.
pub(super) struct Suite {
    pub(super) driver: DynDriver,
    pub(super) other: DynDriver,
    pub(super) namespace: String,
    used: Mutex<Vec<ItemKey>>,
}

impl Suite {
    pub(super) fn new(driver: DynDriver, other: DynDriver) -> Suite {
        let namespace = format!("conformance-{:016x}", RandomState::new().hash_one(0));
        Suite { driver, other, namespace, used: Mutex::default() }
    }

    /// The same part of the store by two other handles.
    pub(super) fn reopened(self, driver: DynDriver, other: DynDriver) -> Suite {
        Suite { driver, other, ..self }
    }

    pub(super) fn key(&self, name: &str) -> ItemKey {
        let key = ItemKey::new(&format!("{}:{name}", self.namespace)).expect("a valid key");
        self.used.lock().expect("not poisoned").push(key.clone());
        key
    }

    pub(super) async fn get(&self, key: &ItemKey) -> Option<Item> {
        self.driver.get(key).await.expect("get")
    }

    pub(super) async fn set(
        &self,
        key: &ItemKey,
        value: impl Into<Bytes>,
        ttl: Option<Duration>,
    ) -> Version {
        written(self.driver.set(key, value.into(), When::Always, ttl).await.expect("set"))
    }

    /// Waits until an item that is written now with a ttl of [`SHORT`] has expired, and so has every such
    /// item that was written before.
    pub(super) async fn let_short_pass(&self, name: &str) {
        let key = self.key(&format!("{name}-clock"));
        self.set(&key, "tick", Some(SHORT)).await;
        self.until_missing(&key).await;
    }

    pub(super) async fn until_missing(&self, key: &ItemKey) {
        let begin = Instant::now();
        while self.get(key).await.is_some() {
            assert!(
                begin.elapsed() < SHORT + PATIENCE,
                "an item is still there long after its ttl"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn list(&self, prefix: &str) -> Vec<ItemKey> {
        let mut keys: Vec<_> = self.driver.keys(prefix).try_collect().await.expect("keys");
        keys.sort();
        keys
    }

    pub(super) async fn clean_up(&self) {
        if !Need::Writing.is_met_by(self.driver.capabilities()) {
            return;
        }
        let used = std::mem::take(&mut *self.used.lock().expect("not poisoned"));
        for key in used {
            let removed = self.driver.remove(&key, When::Always).await;
            let is_no_key = |error: Error| error.kind() == ErrorKind::InvalidKey;
            assert!(removed.map_or_else(is_no_key, |_| true), "an item cannot be removed");
        }
    }
}

/// The version of a write that must have happened.
pub(super) fn written(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a write was refused that should have happened"),
    }
}
