//! The conformance suite itself: it must notice a driver that breaks a rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DynDriver, Item, ItemKey, RemoveOutcome, Result, SetOutcome,
    Swept, When, conformance,
};
use futures_util::FutureExt;

/// What a driver does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    CutsLargeValues,
    OverwritesWhenAbsentIsAskedFor,
    ComparesBeforeItSwaps,
    ForgetsTheTtl,
    ExpiresTooEarly,
    TouchForgetsTheDeadline,
    HidesTheTtl,
    SweepsBeyondItsBudget,
    ListsEverything,
}

/// The memory driver with one fault.
#[derive(Debug)]
struct Faulty(Memory, Fault);

#[async_trait]
impl Driver for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.0.get(key).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.0.get_with_ttl(key).await?;
        Ok(found.map(|(item, ttl)| (item, ttl.filter(|_| self.1 != Fault::HidesTheTtl))))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        match (self.1, when) {
            (Fault::CutsLargeValues, when) => {
                self.0.set(key, value.slice(..value.len().min(65_536)), when, ttl).await
            }
            (Fault::OverwritesWhenAbsentIsAskedFor, When::Absent) => {
                self.0.set(key, value, When::Always, ttl).await
            }
            (Fault::ComparesBeforeItSwaps, When::Version(version)) => {
                let current = self.0.get(key).await?.map(|item| item.version);
                tokio::task::yield_now().await;
                if current != Some(version) {
                    return Ok(SetOutcome::Conflict);
                }
                self.0.set(key, value, When::Always, ttl).await
            }
            (Fault::ForgetsTheTtl, when) => self.0.set(key, value, when, None).await,
            (Fault::ExpiresTooEarly, when) => {
                self.0.set(key, value, when, ttl.map(|ttl| ttl / 2)).await
            }
            (_, when) => self.0.set(key, value, when, ttl).await,
        }
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.0.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let ttl = ttl.filter(|ttl| self.1 != Fault::TouchForgetsTheDeadline || ttl.is_zero());
        self.0.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.0.keys(if self.1 == Fault::ListsEverything { "" } else { prefix })
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.0.sweep(if self.1 == Fault::SweepsBeyondItsBudget { budget * 2 } else { budget }).await
    }
}

/// The name of the rule that the suite says is broken.
async fn broken_rule(fault: Fault) -> String {
    let store: DynDriver = Arc::new(Faulty(Memory::new(), fault));
    let run = AssertUnwindSafe(conformance::run(|| async { store.clone() })).catch_unwind().await;
    let panic = run.expect_err("the suite noticed nothing");
    let message = panic.downcast_ref::<String>().unwrap().clone();
    message
        .strip_prefix("conformance of faulty: broken: ")
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_fault_is_noticed_by_the_rule_that_it_breaks() {
    let expected = [
        (Fault::CutsLargeValues, "large values come back whole"),
        (Fault::OverwritesWhenAbsentIsAskedFor, "creating refuses an existing item"),
        (Fault::ComparesBeforeItSwaps, "concurrent counting over two handles loses nothing"),
        (Fault::ForgetsTheTtl, "an item expires after its ttl and not before"),
        (Fault::ExpiresTooEarly, "an item expires after its ttl and not before"),
        (Fault::TouchForgetsTheDeadline, "an item tells how long it still lives"),
        (Fault::HidesTheTtl, "an item tells how long it still lives"),
        (Fault::SweepsBeyondItsBudget, "a sweep frees the expired alone and keeps to its budget"),
        (Fault::ListsEverything, "keys lists each item under the prefix once"),
    ];
    // To print what is expected takes seconds where there are backtraces, and the rules about time are held up by it.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let runs = expected.map(|(fault, _)| tokio::spawn(broken_rule(fault)));
    let rules = futures_util::future::join_all(runs).await;
    std::panic::set_hook(hook);
    for ((fault, expected), rule) in expected.iter().zip(rules) {
        assert_eq!(rule.unwrap(), *expected, "{fault:?}");
    }
}
