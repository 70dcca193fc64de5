//! `upstash`: Redis over HTTP, as Upstash serves it.
//!
//! # Layout
//! That of `redis`: the item `id` is the string under `id`, or under `base:id`, with Redis's own expiry.
//! unstorage's `upstash`, `vercel-kv` and, over Redis's own protocol, `redis` read and write the same.
//!
//! DIFFERENCE: JavaScript's client turns a stored text that is JSON into what it stands for, which is how Astro gets a
//! session as an array. Here bytes stay bytes.
//!
//! # Round trips
//! Each call is one request. A conditional write runs a script, which Upstash is sent once; it compares what is stored
//! with what was read, so that a JavaScript writer, who knows nothing of versions, is seen as well. As JavaScript's
//! client does, each request names an answer that was seen, so that a copy of the database that has fallen behind does not
//! answer with what was there before.
//!
//! DIFFERENCE: JavaScript's client names the answer that came last, which may have been overtaken by others. Here it is one
//! that is not before what this process has last written or read of the key.
//!
//! # Bytes
//! Commands are JSON, which is text. What is no UTF-8 goes as text of one letter per byte, to a script that turns it
//! back: right, and slow for megabytes. Sessions are UTF-8.

mod command;
mod listing;
mod options;
mod rest;
mod tokens;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use serde_json::{Map, Value};

use crate::common::capabilities::FREED;
use crate::common::keyspace::{Expiry, Layout, Replacement, Swapped};
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome, When,
};
use command::command;
pub use options::Options;
pub(super) use options::Variables;
use rest::{Answer, Failure, Rest};
use tokens::About;

const NAME: &str = "upstash";

/// Items in Redis, over HTTP.
///
/// ```
/// use cloakroom_drivers::upstash::{Options, Upstash};
///
/// let upstash = Upstash::new(Options::new("https://example.upstash.io", "secret"))?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct Upstash {
    rest: Arc<Rest>,
    layout: Layout,
    /// For writes that carry none.
    ttl: Option<Duration>,
    scan_count: Option<u32>,
}

impl Upstash {
    /// A store at a server, of which nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is missing or impossible.
    pub fn new(options: Options) -> Result<Upstash> {
        let variables = Variables {
            url: "UPSTASH_REDIS_REST_URL".to_owned(),
            token: "UPSTASH_REDIS_REST_TOKEN".to_owned(),
        };
        Upstash::new_as(NAME, options, Some(&variables))
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Upstash::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is
    /// unknown.
    pub fn open(options: &Map<String, Value>) -> Result<Upstash> {
        Upstash::new(Options::read(NAME, options)?)
    }

    /// The same under another name, and with other variables.
    pub(super) fn new_as(
        driver: &'static str,
        mut options: Options,
        variables: Option<&Variables>,
    ) -> Result<Upstash> {
        let environment = |name: &str| std::env::var(name).ok();
        let (address, token) = options.server(driver, variables, environment)?;
        Ok(Upstash {
            rest: Arc::new(Rest::new(driver, address, &token)?),
            layout: Layout::new("", &options.base),
            // As in unstorage, none is as good as zero.
            ttl: options.ttl.filter(|ttl| *ttl > 0).map(Duration::from_secs),
            scan_count: options.scan_count,
        })
    }

    fn expiry(&self, ttl: Option<Duration>) -> Expiry {
        Expiry::new(ttl.or(self.ttl))
    }

    async fn read(&self, key: &str) -> Result<Option<Item>, Failure> {
        Ok(item(self.rest.command(About::Read(key), &command(["GET", key])).await?)?)
    }

    async fn read_with_ttl(&self, key: &str) -> Result<Option<(Item, Option<Duration>)>, Failure> {
        let commands = [&command(["GET", key]), &command(["PTTL", key])];
        let [value, ttl] = self.rest.both(About::Read(key), commands).await?;
        // It may expire between the one command and the other.
        Ok(item(value)?.zip(Expiry::told(ttl.number()?)))
    }

    async fn write(
        &self,
        key: &str,
        value: &Bytes,
        when: &When,
        expiry: Expiry,
    ) -> Result<bool, Failure> {
        match when {
            When::Version(version) => {
                let Some(seen) = version.as_bytes() else { return Ok(false) };
                let replacement = Replacement::Value(value, expiry);
                Ok(self.swap(key, seen, replacement).await? == Swapped::Done)
            }
            When::Always if expiry == Expiry::After(0) => {
                self.rest.command(About::Write(key), &command(["UNLINK", key])).await.map(|_| true)
            }
            When::Absent if expiry == Expiry::After(0) => Ok(self
                .rest
                .command(About::Read(key), &command(["EXISTS", key]))
                .await?
                .number()?
                == 0),
            When::Always | When::Absent => {
                let mut options = Vec::new();
                if let Expiry::After(milliseconds) = expiry {
                    options.extend(["PX".into(), Cow::from(milliseconds.to_string())]);
                }
                if *when == When::Absent {
                    options.push("NX".into());
                }
                let set = command::set(key, value, options);
                Ok(!self.rest.command(About::Write(key), &set).await?.is_nothing())
            }
        }
    }

    async fn unlink(&self, key: &str, when: &When) -> Result<RemoveOutcome, Failure> {
        let swapped = match when {
            When::Version(version) => match version.as_bytes() {
                Some(seen) => self.swap(key, seen, Replacement::Nothing).await?,
                None => Swapped::Changed,
            },
            When::Always | When::Absent => Swapped::read(
                self.rest.command(About::Write(key), &command(["UNLINK", key])).await?.number()?,
            ),
        };
        Ok(match swapped {
            Swapped::Done => RemoveOutcome::Removed,
            Swapped::Missing => RemoveOutcome::Missing,
            Swapped::Changed => RemoveOutcome::Conflict,
        })
    }

    async fn expire(&self, key: &str, expiry: Expiry) -> Result<bool, Failure> {
        let there = match expiry {
            Expiry::After(milliseconds) => {
                let milliseconds = milliseconds.to_string();
                self.rest
                    .command(About::Write(key), &command(["PEXPIRE", key, &milliseconds]))
                    .await?
            }
            Expiry::Never => {
                // Whether it had a deadline is what `PERSIST` answers, not whether it was there.
                let commands = [&command(["PERSIST", key]), &command(["EXISTS", key])];
                let [_, there] = self.rest.both(About::Write(key), commands).await?;
                there
            }
        };
        Ok(there.number()? == 1)
    }

    /// Compares and swaps, telling the server the script if it does not know it.
    async fn swap(
        &self,
        key: &str,
        seen: &Bytes,
        replacement: Replacement<'_>,
    ) -> Result<Swapped, Failure> {
        if let Some(known) = command::swap_by_hash(key, seen, replacement) {
            match self.rest.command(About::Write(key), &known).await {
                Err(failure) if failure.is_unknown_script() => {}
                answer => return Ok(Swapped::read(answer?.number()?)),
            }
        }
        let told = command::swap_by_text(key, seen, replacement);
        Ok(Swapped::read(self.rest.command(About::Write(key), &told).await?.number()?))
    }
}

/// The version is the bytes themselves: a JavaScript writer keeps no other.
fn item(answer: Answer) -> Result<Option<Item>> {
    Ok(answer.bytes()?.map(|value| Item::new(value.clone(), value)))
}

/// Says what was being done to what.
fn explain(failure: Failure, operation: Operation, key: &ItemKey) -> Error {
    failure.into_error().with_operation(operation).with_key(key)
}

#[async_trait]
impl Driver for Upstash {
    fn name(&self) -> &'static str {
        self.rest.driver()
    }

    fn system(&self) -> &'static str {
        "redis"
    }

    fn capabilities(&self) -> Capabilities {
        FREED
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        let item = self.read(&self.layout.name(key)).await;
        item.map_err(|failure| explain(failure, Operation::Get, key))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.read_with_ttl(&self.layout.name(key)).await;
        found.map_err(|failure| explain(failure, Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let written = self.write(&self.layout.name(key), &value, &when, self.expiry(ttl)).await;
        match written.map_err(|failure| explain(failure, Operation::Set, key))? {
            true => Ok(SetOutcome::Written { version: value.into() }),
            false => Ok(SetOutcome::Conflict),
        }
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(self.name(), key));
        }
        let outcome = self.unlink(&self.layout.name(key), &when).await;
        outcome.map_err(|failure| explain(failure, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let there = self.expire(&self.layout.name(key), self.expiry(ttl)).await;
        there.map_err(|failure| explain(failure, Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        listing::keys(self.rest.clone(), self.layout.clone(), prefix, self.scan_count)
    }
}
