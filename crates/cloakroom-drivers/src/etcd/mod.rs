//! `etcd`: etcd 3.4 or later, by the JSON that it speaks over HTTP. Not one of unstorage's drivers.
//!
//! # Layout
//! The item `id` is the value under `id`, or under `base:id`: the bytes alone. Its deadline is the lease that it is
//! attached to: the lease's number has the sign bit set, then the deadline, in milliseconds since 1970, and in the lower 20
//! bits a digest of the base and the user. So an item and its deadline are read together, and etcd itself compares a deadline with the time in the transaction that writes. An item
//! that stays has no lease. etcd frees what has expired about ten seconds later.
//!
//! Items of one base and user that end at the same time share a lease. (Those of several users may not: etcd refuses to
//! attach an item to a lease that has one which the user may not write.) For that, a deadline is put off by at most a thousandth of the ttl, and
//! at most a second. A process makes a lease once, which costs the write that needs it a round trip more.
//!
//! # Compare and swap
//! A transaction compares what is stored with what was read, so that moving a deadline, which is a write to etcd, leaves a
//! version as it is. Both values have to fit into one request: etcd takes 1.5 MiB, in which base64 is not counted.

mod answer;
mod lease;
mod leases;
mod options;
mod server;

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value, json};

use crate::common::capabilities::FREED;
use answer::{Answer, Pair};
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Version, When,
};
use lease::Lease;
use leases::Leases;
pub use options::Options;
use server::{Failure, Server};

const NAME: &str = "etcd";

/// How many keys are listed at once.
const PAGE: usize = 1000;

/// Items in etcd.
///
/// ```no_run
/// use cloakroom_drivers::etcd::{Etcd, Options};
///
/// # fn example() -> cloakroom_storage::Result<()> {
/// let mut options = Options::new("http://localhost:2379");
/// options.base = "sess".to_owned();
/// let etcd = Etcd::new(options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Etcd {
    server: Server,
    leases: Leases,
    /// With the `:` before the keys.
    base: String,
}

impl Etcd {
    /// A store in a cluster. Connects at the first call.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible.
    pub fn new(options: Options) -> Result<Etcd> {
        let options = options.or_environment();
        let base = options.base()?;
        let leases = Leases::new(&base, options.user());
        Ok(Etcd { server: Server::new(options)?, leases, base })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Etcd::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<Etcd> {
        Etcd::new(cloakroom_storage::options::parse(NAME, options)?)
    }

    fn key(&self, key: &ItemKey) -> String {
        STANDARD.encode(format!("{}{}", self.base, key.as_str()))
    }

    async fn find(&self, key: &ItemKey) -> Result<Option<Pair>> {
        let answer = self.server.call("/v3/kv/range", &json!({ "key": self.key(key) })).await?;
        Ok(answer.pairs.into_iter().next().filter(Pair::is_alive))
    }

    async fn read(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let Some(pair) = self.find(key).await? else { return Ok(None) };
        let ttl = pair.lease()?.remaining();
        let value = pair.value()?;
        Ok(Some((Item::new(value.clone(), value), ttl)))
    }

    /// Runs a transaction whose operations attach items to the lease of this ttl.
    async fn transact(
        &self,
        ttl: Option<Duration>,
        transaction: impl Fn(Lease) -> Value,
    ) -> Result<Answer> {
        let lease = self.leases.after(ttl);
        match self.transact_with(lease, &transaction(lease)).await {
            Err(failure) if failure.is_forbidden() && lease.remaining().is_some() => {
                // Perhaps not the item is another's, but the lease.
                self.leases.part();
                let lease = self.leases.after(ttl);
                let answer = self.transact_with(lease, &transaction(lease)).await;
                answer.map_err(Failure::into_error)
            }
            answer => answer.map_err(Failure::into_error),
        }
    }

    async fn transact_with(&self, lease: Lease, transaction: &Value) -> Result<Answer, Failure> {
        self.leases.ensure(&self.server, lease).await?;
        match self.server.try_call("/v3/kv/txn", transaction).await {
            // Somebody revoked it, or this is another store than it was.
            Err(failure) if failure.is_unknown_lease() => {
                self.leases.forget(lease);
                self.leases.ensure(&self.server, lease).await?;
                self.server.try_call("/v3/kv/txn", transaction).await
            }
            answer => answer,
        }
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        when: &When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let name = self.key(key);
        let at = match when {
            When::Always | When::Absent => None,
            When::Version(version) => match is_at(&name, version) {
                Some(is_at) => Some(is_at),
                None => return Ok(SetOutcome::Conflict),
            },
        };
        let value_text = STANDARD.encode(value);
        let transaction = |lease| {
            let write = match ttl {
                Some(Duration::ZERO) => delete(&name),
                _ => put(&json!({ "key": name, "value": value_text, "lease": lease })),
            };
            match (&at, when) {
                (Some(at), _) => json!({ "compare": at, "success": [write] }),
                (None, When::Absent) => json!({ "compare": is_alive(&name), "failure": [write] }),
                (None, _) => json!({ "success": [write] }),
            }
        };
        let answer = self.transact(ttl, transaction).await?;
        match answer.succeeded == (*when != When::Absent) {
            true => Ok(SetOutcome::Written { version: value.clone().into() }),
            false => Ok(SetOutcome::Conflict),
        }
    }

    async fn delete(&self, key: &ItemKey, when: &When) -> Result<RemoveOutcome> {
        let name = self.key(key);
        let condition = match when {
            When::Always | When::Absent => Some(is_alive(&name)),
            When::Version(version) => is_at(&name, version),
        };
        let read = json!({ "request_range": { "key": name, "keys_only": true } });
        let transaction = match condition {
            Some(condition) => {
                json!({ "compare": condition, "success": [delete(&name)], "failure": [read] })
            }
            None => json!({ "compare": never(&name), "failure": [read] }),
        };
        let answer = self.server.call("/v3/kv/txn", &transaction).await?;
        let is_there = answer.operations().any(|pair| pair.is_alive());
        Ok(match answer.succeeded {
            true => RemoveOutcome::Removed,
            false if is_there => RemoveOutcome::Conflict,
            false => RemoveOutcome::Missing,
        })
    }

    async fn expire(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let name = self.key(key);
        let transaction = |lease| {
            let write = match ttl {
                Some(Duration::ZERO) => delete(&name),
                _ => put(&json!({ "key": name, "ignore_value": true, "lease": lease })),
            };
            json!({ "compare": is_alive(&name), "success": [write] })
        };
        Ok(self.transact(ttl, transaction).await?.succeeded)
    }

    /// A page of keys from `start` on, and where the next one starts.
    async fn page(&self, start: Vec<u8>, end: &[u8]) -> Result<(Vec<ItemKey>, Option<Vec<u8>>)> {
        let range = json!({
            "key": STANDARD.encode(start),
            "range_end": STANDARD.encode(end),
            "keys_only": true,
            "limit": PAGE,
        });
        let answer = self.server.call("/v3/kv/range", &range).await?;
        let mut next = None;
        let mut keys = Vec::new();
        for pair in &answer.pairs {
            let mut name = pair.key()?;
            if pair.is_alive() {
                keys.extend(self.item_key(&name));
            }
            name.push(0);
            next = Some(name);
        }
        Ok((keys, next.filter(|_| answer.more)))
    }

    /// The item that is under this name; `None` where that is no item of ours.
    fn item_key(&self, name: &[u8]) -> Option<ItemKey> {
        let name = std::str::from_utf8(name).ok()?.strip_prefix(&self.base)?;
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }
}

fn put(request: &Value) -> Value {
    json!({ "request_put": request })
}

fn delete(name: &str) -> Value {
    json!({ "request_delete_range": { "key": name } })
}

/// That there is an item that has not expired.
fn is_alive(name: &str) -> Value {
    let exists = json!({ "key": name, "target": "VERSION", "result": "GREATER", "version": "0" });
    json!([exists, has_not_expired(name)])
}

/// That an item of this version is there; `None` where no item can be.
fn is_at(name: &str, version: &Version) -> Option<Value> {
    let value = STANDARD.encode(version.as_bytes()?);
    let equals = json!({ "key": name, "target": "VALUE", "result": "EQUAL", "value": value });
    Some(json!([equals, has_not_expired(name)]))
}

/// What does not hold.
fn never(name: &str) -> Value {
    json!([{ "key": name, "target": "VERSION", "result": "LESS", "version": "0" }])
}

fn has_not_expired(name: &str) -> Value {
    json!({ "key": name, "target": "LEASE", "result": "GREATER", "lease": Lease::now() })
}

/// The first key behind all that begin with `prefix`, as etcd wants it: one zero for the end of all.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let kept = prefix.iter().rposition(|byte| *byte < u8::MAX);
    match kept.and_then(|last| prefix.get(..=last)) {
        Some([first @ .., last]) => [first, &[last + 1]].concat(),
        _ => vec![0],
    }
}

#[async_trait]
impl Driver for Etcd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        FREED
    }

    async fn advice(&self) -> Vec<Advice> {
        self.server.advice()
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.read(key).await.map_err(|error| explain(error, Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let outcome = self.write(key, &value, &when, ttl).await;
        outcome.map_err(|error| explain(error, Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let outcome = self.delete(key, &when).await;
        outcome.map_err(|error| explain(error, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let is_there = self.expire(key, ttl).await;
        is_there.map_err(|error| explain(error, Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = [self.base.as_bytes(), prefix.as_bytes()].concat();
        let end = end_of(&prefix);
        // An empty key is none; a zero is the first that there is.
        let start = if prefix.is_empty() { vec![0] } else { prefix };
        stream::try_unfold(Some(start), move |start| {
            let end = end.clone();
            async move {
                let Some(start) = start else { return Ok(None) };
                let page = self.page(start, &end).await;
                let (keys, next) = page.map_err(|error| error.with_operation(Operation::Keys))?;
                Ok(Some((stream::iter(keys.into_iter().map(Ok)), next)))
            }
        })
        .try_flatten()
        .boxed()
    }
}

/// Says what was being done to what.
fn explain(error: Error, operation: Operation, key: &ItemKey) -> Error {
    error.with_driver(NAME).with_operation(operation).with_key(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_way_to_another_machine_is_open_to_those_on_it() {
        for (url, expected) in [
            ("etcd.example:2379,https://b.example", vec!["no-tls"]),
            ("http://localhost:2379", vec![]),
        ] {
            let options = Options { url: Some(url.to_owned()), ..Options::default() };
            let advice = Etcd::new(options).unwrap().advice().await;
            assert_eq!(advice.iter().map(Advice::code).collect::<Vec<_>>(), expected, "{url}");
        }
    }

    #[test]
    fn a_prefix_ends_before_the_next_one() {
        assert_eq!(end_of(b"a:"), b"a;");
        assert_eq!(end_of(b"a\xff\xff"), b"b");
        assert_eq!(end_of(b"\xff"), [0]);
        assert_eq!(end_of(b""), [0]);
    }
}
