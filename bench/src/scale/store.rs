//! A store with a number of sessions, and how long one of them takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cloakroom_storage::{DynDriver, ItemKey, SetOutcome, When};
use figures::sessions::{id, is_of, record};
use figures::walk::Walk;
use serde_json::Value;
use tokio::task::JoinSet;

use super::threads::Timed;

/// How long a session lives.
pub(crate) const TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many sessions are looked up between two looks at the clock.
const BATCH: usize = 64;

/// How many sessions are written at once where a store is filled.
const WRITERS: usize = 64;

/// How many sessions are read to see that a store holds what it should.
const LOOKED_AT: usize = 1000;

pub(super) struct Store {
    pub(super) driver: DynDriver,
    pub(super) count: usize,
    walk: Walk,
    turn: u32,
}

impl Store {
    /// A store that has been filled, once it has been seen that it was.
    pub(super) async fn filled(driver: DynDriver, count: usize) -> Result<Store> {
        let store = Store { driver, count, walk: Walk::new(count), turn: 0 };
        for number in Walk::new(count).take(LOOKED_AT) {
            let found = store.driver.get_with_ttl(&key(number)?).await?;
            let (item, ttl) = found.with_context(|| format!("session {number} is missing"))?;
            ensure!(item.value == record(number, 0), "session {number} is another one");
            ensure!(ttl.is_some_and(|ttl| ttl <= TTL), "session {number} lives for {ttl:?}");
        }
        Ok(store)
    }

    /// The same twice, for two threads that never change the same session.
    pub(super) fn apart(&self) -> [Store; 2] {
        let Store { driver, count, turn, .. } = self;
        Walk::apart(*count).map(|walk| Store {
            driver: Arc::clone(driver),
            count: *count,
            walk,
            turn: *turn,
        })
    }
}

impl Timed for Store {
    async fn read(&mut self, sample: Duration) -> Result<f64> {
        let Store { driver, walk, .. } = self;
        time(sample, walk, key, async |number, key| {
            let item = driver.get(&key).await?.context("a session is missing")?;
            ensure!(is_of(number, &item.value), "session {number} is another one");
            Ok(())
        })
        .await
    }

    /// Unless somebody else has changed it.
    async fn change(&mut self, sample: Duration) -> Result<f64> {
        self.turn += 1;
        let Store { driver, walk, turn, .. } = self;
        let prepare = |number| Ok((key(number)?, record(number, *turn)));
        time(sample, walk, prepare, async |number, (key, value)| {
            let item = driver.get(&key).await?.context("a session is missing")?;
            ensure!(is_of(number, &item.value), "session {number} is another one");
            let when = When::Version(item.version);
            let outcome = driver.set(&key, value.into(), when, Some(TTL)).await?;
            ensure!(outcome != SetOutcome::Conflict, "session {number} was changed by another");
            Ok(())
        })
        .await
    }
}

/// Opens a driver as a configuration does.
pub(crate) async fn open(name: &str, options: &[(&str, Value)]) -> Result<DynDriver> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Ok(cloakroom_drivers::open(name, &options).await?)
}

/// Writes new sessions, many at once.
pub(crate) async fn fill(
    driver: &DynDriver,
    numbers: impl Iterator<Item = usize> + Clone + Send + 'static,
) -> Result<()> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (driver, numbers) = (Arc::clone(driver), numbers.clone());
        writers.spawn(async move {
            for number in numbers.skip(writer).step_by(WRITERS) {
                let (key, value) = (key(number)?, record(number, 0).into());
                let outcome = driver.set(&key, value, When::Absent, Some(TTL)).await?;
                ensure!(outcome != SetOutcome::Conflict, "session {number} is there already");
            }
            Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(())
}

pub(crate) fn key(number: usize) -> Result<ItemKey> {
    Ok(ItemKey::new(&id(number))?)
}

/// How long one takes, batch after batch for about so long. What each needs is made before its batch's time begins.
pub(super) async fn time<I>(
    sample: Duration,
    walk: &mut Walk,
    prepare: impl Fn(usize) -> Result<I>,
    mut operation: impl AsyncFnMut(usize, I) -> Result<()>,
) -> Result<f64> {
    let (mut spent, mut times) = (Duration::ZERO, 0);
    while spent < sample {
        let batch = walk.by_ref().take(BATCH).map(|number| Ok((number, prepare(number)?)));
        let batch = batch.collect::<Result<Vec<_>>>()?;
        let begin = Instant::now();
        for (number, input) in batch {
            operation(number, input).await?;
        }
        spent += begin.elapsed();
        times += BATCH;
    }
    Ok(spent.as_nanos() as f64 / times as f64)
}
