//! The operations of a driver, on a table of any layout in any of the databases.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::executor::{Executor, Row};
use super::statement::{Arguments, Statement};
use cloakroom_storage::{
    Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Swept, Version, When,
};

/// How long a statement may take that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many keys are listed in one round trip.
const PAGE: i64 = 1000;

/// How many expired items one statement removes: few enough that nobody waits long for its locks.
const BATCH: usize = 500;

/// The longest ttl in milliseconds, about thirty thousand years; what is longer never ends.
const LONGEST_TTL: u128 = 1_000_000_000_000_000;

/// What is sent for each operation. One statement each, where it succeeds.
#[derive(Debug)]
pub(crate) struct Statements {
    /// The value, and its version where there are numbers for them.
    pub(crate) get: Statement,
    /// As `get`, and milliseconds.
    pub(crate) get_with_ttl: Statement,
    /// Writes whatever is there.
    pub(crate) set: Statement,
    /// Writes where nothing is.
    pub(crate) create: Statement,
    /// Writes where only an expired item is, if `create` takes that for a duplicate.
    pub(crate) renew: Option<Statement>,
    /// Writes where the version that was read is.
    pub(crate) update: Statement,
    pub(crate) remove: Statement,
    /// Removes the version that was read.
    pub(crate) remove_version: Statement,
    /// Selects anything where the item is.
    pub(crate) find: Statement,
    pub(crate) touch: Statement,
    /// The keys behind one of them, in the table's order.
    pub(crate) keys: Statement,
    /// Removes some of the expired items.
    pub(crate) sweep: Option<Statement>,
    /// Takes away the deadlines that do not count.
    pub(crate) forget: Option<Statement>,
}

/// What tells one version of an item from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// A number beside the value, random at each write, so that it comes again neither for the item nor for a later one
    /// of the same key: not even where a failover or a restored backup takes the last writes back.
    Numbers,
    /// The bytes themselves.
    Bytes,
}

/// A table of items.
pub(crate) struct Store<D> {
    database: D,
    statements: Statements,
    versions: Versions,
}

impl<D: Executor> Store<D> {
    pub(crate) fn new(database: D, statements: Statements, versions: Versions) -> Store<D> {
        Store { database, statements, versions }
    }

    pub(crate) fn database(&self) -> &D {
        &self.database
    }

    pub(crate) async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.row(&self.statements.get, key).await?.map(|(item, _)| item))
    }

    pub(crate) async fn get_with_ttl(
        &self,
        key: &ItemKey,
    ) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.row(&self.statements.get_with_ttl, key).await?;
        Ok(found.map(|(item, row)| (item, row.numbers[1].map(milliseconds))))
    }

    async fn row(&self, statement: &Statement, key: &ItemKey) -> Result<Option<(Item, Row)>> {
        let rows = self.fetch(statement, &arguments(key)).await?;
        let row = rows.into_iter().next();
        Ok(row.and_then(|row| {
            let value = row.bytes.clone()?;
            let version = match self.versions {
                Versions::Numbers => Version::from(row.numbers[0]?.cast_unsigned()),
                Versions::Bytes => Version::from(value.clone()),
            };
            Some((Item { value, version }, row))
        }))
    }

    pub(crate) async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let arguments = Arguments {
            value: &value,
            version: random_version(),
            ttl: ttl.and_then(ttl_milliseconds),
            ..arguments(key)
        };
        let is_written = match &when {
            When::Always => {
                self.execute(&self.statements.set, &arguments).await?;
                true
            }
            When::Absent => self.create(&arguments).await?,
            When::Version(seen) => match self.seen(seen, arguments) {
                Some(seen) => {
                    self.execute(&self.statements.update, &seen).await? > 0
                        || !self.database.counts_found_rows() && self.is_same(key, &seen).await?
                }
                None => false,
            },
        };
        if !is_written {
            return Ok(SetOutcome::Conflict);
        }
        let version = match self.versions {
            Versions::Numbers => Version::from(arguments.version.cast_unsigned()),
            Versions::Bytes => Version::from(value),
        };
        Ok(SetOutcome::Written { version })
    }

    /// Whether a write of the bytes that were seen found them, and had nothing to change.
    async fn is_same(&self, key: &ItemKey, arguments: &Arguments<'_>) -> Result<bool> {
        let is_same = |item: Item| item.value == arguments.value;
        Ok(arguments.value == arguments.seen && self.get(key).await?.is_some_and(is_same))
    }

    async fn create(&self, arguments: &Arguments<'_>) -> Result<bool> {
        let created = self.database.execute(&self.statements.create, arguments).await;
        match (created, &self.statements.renew) {
            (Err(failure), Some(renew)) if self.database.is_duplicate(&failure) => {
                Ok(self.execute(renew, arguments).await? > 0)
            }
            (created, _) => Ok(created.map_err(|failure| self.database.error(failure))? > 0),
        }
    }

    pub(crate) async fn remove(
        &self,
        driver: &'static str,
        key: &ItemKey,
        when: When,
    ) -> Result<RemoveOutcome> {
        let removed = match &when {
            When::Absent => return Err(Error::remove_absent(driver, key)),
            When::Always => {
                let removed = self.execute(&self.statements.remove, &arguments(key)).await?;
                let outcomes = [RemoveOutcome::Missing, RemoveOutcome::Removed];
                return Ok(outcomes[usize::from(removed > 0)]);
            }
            When::Version(seen) => match self.seen(seen, arguments(key)) {
                Some(seen) => self.execute(&self.statements.remove_version, &seen).await?,
                None => 0,
            },
        };
        if removed > 0 {
            return Ok(RemoveOutcome::Removed);
        }
        // Only here a second look is needed.
        let found = self.fetch(&self.statements.find, &arguments(key)).await?;
        Ok(if found.is_empty() { RemoveOutcome::Missing } else { RemoveOutcome::Conflict })
    }

    pub(crate) async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let arguments = Arguments { ttl: ttl.and_then(ttl_milliseconds), ..arguments(key) };
        // A row that has this deadline already may not count.
        Ok(self.execute(&self.statements.touch, &arguments).await? > 0
            || !self.database.counts_found_rows() && self.contains(key).await?)
    }

    /// Whether the item is there.
    pub(crate) async fn contains(&self, key: &ItemKey) -> Result<bool> {
        Ok(!self.fetch(&self.statements.find, &arguments(key)).await?.is_empty())
    }

    /// The keys under `prefix`, a page at a time.
    pub(crate) fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let start = Some((prefix.to_owned(), String::new()));
        let pages = stream::try_unfold(start, async move |cursor| {
            let Some((prefix, after)) = cursor else { return Ok::<_, Error>(None) };
            let arguments =
                Arguments { prefix: &prefix, after: &after, limit: PAGE, ..Arguments::default() };
            let rows = self.fetch(&self.statements.keys, &arguments).await?;
            let is_last = rows.len() < PAGE as usize;
            let names =
                rows.into_iter().filter_map(|row| String::from_utf8(row.bytes?.into()).ok());
            let names: Vec<String> = names.collect();
            let last = names.last().cloned();
            let keys = names.into_iter().filter(|name| name.starts_with(&prefix));
            // What another program put there under a name that is no key is none of ours.
            let keys = keys.filter_map(|name| {
                ItemKey::new(&name).ok().filter(|key| key.as_str() == name).map(Ok)
            });
            let keys: Vec<Result<ItemKey>> = keys.collect();
            let next = last.filter(|_| !is_last).map(|last| (prefix, last));
            Ok(Some((stream::iter(keys), next)))
        });
        pages.try_flatten().boxed()
    }

    pub(crate) async fn sweep(&self, budget: usize) -> Result<Swept> {
        let mut swept = Swept::default();
        let Some(sweep) = &self.statements.sweep else {
            return Ok(Swept { finished: true, ..swept });
        };
        while swept.removed < budget && !swept.finished {
            let batch = BATCH.min(budget - swept.removed);
            let arguments = Arguments { limit: batch as i64, ..Arguments::default() };
            let removed = match self.execute_in_background(sweep, &arguments).await {
                Ok(removed) => removed,
                // What was removed counts. The next call meets the error again, if it lasts.
                Err(_) if swept.removed > 0 => return Ok(swept),
                Err(error) => return Err(error),
            };
            swept.removed += removed;
            swept.examined += removed;
            swept.finished = removed < batch;
        }
        if let Some(forget) = self.statements.forget.as_ref().filter(|_| swept.finished) {
            self.execute_in_background(forget, &Arguments::default()).await?;
        }
        Ok(swept)
    }

    async fn execute_in_background(
        &self,
        statement: &Statement,
        arguments: &Arguments<'_>,
    ) -> Result<usize> {
        match tokio::time::timeout(PATIENCE, self.execute(statement, arguments)).await {
            Ok(changed) => Ok(usize::try_from(changed?).unwrap_or(usize::MAX)),
            Err(_) => {
                let message =
                    format!("no answer from {} within {PATIENCE:?}", self.database.place());
                Err(Error::new(ErrorKind::Timeout, message))
            }
        }
    }

    async fn execute(&self, statement: &Statement, arguments: &Arguments<'_>) -> Result<u64> {
        let changed = self.database.execute(statement, arguments).await;
        changed.map_err(|failure| self.database.error(failure))
    }

    async fn fetch(&self, statement: &Statement, arguments: &Arguments<'_>) -> Result<Vec<Row>> {
        let rows = self.database.fetch(statement, arguments).await;
        rows.map_err(|failure| self.database.error(failure))
    }

    /// The arguments with the version that was read; `None` where it cannot be one of this store's.
    fn seen<'a>(&self, seen: &'a Version, arguments: Arguments<'a>) -> Option<Arguments<'a>> {
        match self.versions {
            Versions::Numbers => {
                let seen_version = seen.as_number()?.cast_signed();
                Some(Arguments { seen_version, ..arguments })
            }
            Versions::Bytes => Some(Arguments { seen: seen.as_bytes()?, ..arguments }),
        }
    }
}

fn arguments(key: &ItemKey) -> Arguments<'_> {
    Arguments { key: key.as_str(), ..Arguments::default() }
}

/// A number that is most certainly nobody else's.
fn random_version() -> i64 {
    // The hash of anything under keys that the operating system chose at random.
    let random = RandomState::new().hash_one(0_u8);
    (random >> 2).cast_signed() | 1
}

/// `None` where it never ends. Less than a millisecond is one.
fn ttl_milliseconds(ttl: Duration) -> Option<i64> {
    let rounded = ttl.as_nanos().div_ceil(1_000_000);
    if rounded > LONGEST_TTL { None } else { i64::try_from(rounded).ok() }
}

fn milliseconds(ttl: i64) -> Duration {
    Duration::from_millis(u64::try_from(ttl).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_counted_in_whole_milliseconds_and_rounded_up() {
        assert_eq!(ttl_milliseconds(Duration::ZERO), Some(0));
        assert_eq!(ttl_milliseconds(Duration::from_nanos(1)), Some(1));
        assert_eq!(ttl_milliseconds(Duration::from_micros(1001)), Some(2));
        assert_eq!(ttl_milliseconds(Duration::from_secs(60)), Some(60_000));
        assert_eq!(ttl_milliseconds(Duration::MAX), None);
    }

    #[test]
    fn no_two_versions_are_the_same_and_all_are_positive() {
        let versions: std::collections::HashSet<_> = (0..1000).map(|_| random_version()).collect();
        assert_eq!(versions.len(), 1000);
        assert!(versions.into_iter().all(|version| version > 0));
    }
}
