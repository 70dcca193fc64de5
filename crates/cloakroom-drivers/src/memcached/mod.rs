//! `memcached`: memcached 1.6 or later, by its meta protocol. Not one of unstorage's drivers.
//!
//! # Layout
//! The item `id` is the value under `id`, or under `base:id`: the bytes alone, with memcached's own expiry. A key that
//! has a space goes in base64, by the protocol's flag for that, and is stored with its space.
//!
//! # Servers
//! One: sessions that are spread over several are lost with each of them, and a server for more than one can hold
//! is a store that keeps what it has. No TLS.
//!
//! # What memcached is not
//! It keeps sessions in memory alone, and throws out the least recently used where that is full: everybody may be logged
//! out at any time. Nor can it list its keys. Values go up to its `-I`, 1 MB unless it is set, which is asked once.
//!
//! memcached counts whole seconds. An item never ends before its time, and up to two seconds after it.
//!
//! # Compare and swap
//! By memcached's own number for what was written last. Moving a deadline leaves it as it is. A server that was restarted
//! counts from one again, so that a version says which run of the server its number is of; each connection asks that once,
//! by `stats`.

mod connection;
mod pool;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::FREED;
use crate::common::wall_clock;
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, Version, When, options,
};
use connection::{Answer, Code, Request, Run};
use pool::Pool;

const NAME: &str = "memcached";

/// The longest key that the server takes, as it goes over the wire.
const LONGEST_KEY: usize = 250;

/// What memcached keeps with an item, and some more.
const OVERHEAD: usize = 100;

/// What every server takes: the smallest that `-I` can be.
const SMALLEST_LIMIT: usize = 1024;

/// The number of what a ttl of zero left behind: memcached counts from one.
const NOTHING: u64 = 0;

/// Items in memcached.
///
/// ```
/// use cloakroom_drivers::memcached::{Memcached, Options};
///
/// let mut options = Options::new("memcached://localhost:11211");
/// options.base = "sess".into();
/// let memcached = Memcached::new(options)?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
pub struct Memcached {
    pool: Pool,
    base: String,
}

/// The options of `memcached`, all of them ours.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// Where the server is, `memcached://localhost:11211` by default.
    pub url: String,
    /// What all keys begin with, nothing by default.
    pub base: String,
    /// Who we are to a server that was started with a file of users (`-Y`). It goes with `password`.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
}

impl Options {
    /// The default options for the server at this URL.
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: url.into(), ..Options::default() }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            url: "memcached://localhost:11211".to_owned(),
            base: String::new(),
            username: None,
            password: None,
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the user and the password, and the URL, where they may stand by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Memcached {
    /// A store in a server, which is connected to at the first call.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] when an option is impossible.
    pub fn new(options: Options) -> Result<Memcached> {
        let credentials = match (options.username, options.password) {
            (None, None) => None,
            (Some(username), Some(password)) => Some(format!("{username} {password}")),
            _ => return Err(options::invalid(NAME, "`username` and `password` go together")),
        };
        Ok(Memcached {
            pool: Pool::new(pool::address(&options.url)?, credentials),
            base: options.base,
        })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Memcached::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<Memcached> {
        Memcached::new(options::parse(NAME, options)?)
    }

    /// Sends a command about an item. `flags` are those of the meta protocol, each after a space.
    async fn call(
        &self,
        command: &'static str,
        key: &ItemKey,
        flags: &str,
        value: Option<&Bytes>,
    ) -> Result<Answer> {
        self.call_at(command, key, flags, value, None).await
    }

    /// As [`call`](Memcached::call), on the condition that the item is as it was seen, where it was.
    async fn call_at(
        &self,
        command: &'static str,
        key: &ItemKey,
        flags: &str,
        value: Option<&Bytes>,
        seen: Option<Seen>,
    ) -> Result<Answer> {
        let key = key.with_base(&self.base)?;
        let is_plain = !key.as_str().contains(' ');
        let name = if is_plain { key.as_str().into() } else { STANDARD.encode(key.as_str()) };
        if name.len() > LONGEST_KEY {
            let message = "memcached takes keys of at most 250 bytes, or 187 if there is a space";
            return Err(Error::new(ErrorKind::InvalidKey, message).with_unapplied(true));
        }
        let size = value.map(|value| format!(" {}", value.len())).unwrap_or_default();
        let encoding = if is_plain { "" } else { " b" };
        let condition = seen.map(|seen| format!(" C{}", seen.number)).unwrap_or_default();
        let line = format!("{command} {name}{size}{encoding}{flags}{condition}\r\n");
        let run = seen.map(|seen| seen.run);
        self.pool.call(Request { run, line: line.into_bytes(), value }).await
    }

    async fn find(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let answer = self.call("mg", key, " v c t", None).await?;
        match (answer.code, answer.value) {
            (Code::Value, Some(value)) => {
                let ttl = answer.remaining.map(|left| left.saturating_sub(ROUNDING));
                let version = Seen { run: answer.run, number: answer.version };
                Ok(Some((Item::new(value, version), ttl)))
            }
            (Code::Missing, _) => Ok(None),
            (code, _) => Err(unexpected(code)),
        }
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        when: &When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let seen = match when {
            When::Always | When::Absent => None,
            When::Version(version) => match Seen::of(version) {
                Some(seen) => Some(seen),
                None => return Ok(SetOutcome::Conflict),
            },
        };
        let mode = if *when == When::Absent { " ME" } else { "" };
        let answer = match expiry(ttl) {
            Some(expiry) => {
                self.fits(value).await?;
                let flags = format!(" c T{expiry}{mode}");
                self.call_at("ms", key, &flags, Some(value), seen).await?
            }
            None if *when == When::Absent => {
                let answer = self.call("mg", key, "", None).await?;
                let version = Seen { run: answer.run, number: NOTHING }.into();
                return Ok(match answer.code {
                    Code::Missing => SetOutcome::Written { version },
                    _ => SetOutcome::Conflict,
                });
            }
            None => self.call_at("md", key, "", None, seen).await?,
        };
        let version = |number| Seen { run: answer.run, number }.into();
        match answer.code {
            Code::Done => Ok(SetOutcome::Written { version: version(answer.version) }),
            Code::Missing if *when == When::Always => {
                Ok(SetOutcome::Written { version: version(NOTHING) })
            }
            Code::Missing | Code::Refused | Code::OfAnotherRun => Ok(SetOutcome::Conflict),
            Code::Value => Err(unexpected(answer.code)),
        }
    }

    /// Refuses what is too large before memcached does, which drops the item that is there as well.
    async fn fits(&self, value: &Bytes) -> Result<()> {
        let size = value.len() + LONGEST_KEY + OVERHEAD;
        if size > SMALLEST_LIMIT && size > self.pool.largest_item().await? {
            let message = "the value is larger than memcached takes; see its option `-I`";
            return Err(Error::new(ErrorKind::TooLarge, message).with_unapplied(true));
        }
        Ok(())
    }

    async fn delete(&self, key: &ItemKey, when: &When) -> Result<RemoveOutcome> {
        let code = match when {
            When::Always | When::Absent => self.call("md", key, "", None).await?.code,
            When::Version(version) => match Seen::of(version) {
                Some(seen) => self.call_at("md", key, "", None, Some(seen)).await?.code,
                None => Code::OfAnotherRun,
            },
        };
        match code {
            Code::Done => Ok(RemoveOutcome::Removed),
            Code::Missing => Ok(RemoveOutcome::Missing),
            Code::Refused => Ok(RemoveOutcome::Conflict),
            // No item is at this version, so that only whether there is one is left to say.
            Code::OfAnotherRun => match self.call("mg", key, "", None).await?.code {
                Code::Missing => Ok(RemoveOutcome::Missing),
                _ => Ok(RemoveOutcome::Conflict),
            },
            Code::Value => Err(unexpected(code)),
        }
    }

    async fn expire(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let answer = match expiry(ttl) {
            Some(expiry) => self.call("mg", key, &format!(" T{expiry}"), None).await?,
            None => self.call("md", key, "", None).await?,
        };
        Ok(answer.code == Code::Done)
    }
}

/// memcached's clock ticks once a second, so that the first of an item's seconds may be over at once.
const ROUNDING: Duration = Duration::from_secs(1);

/// When an item ends, in memcached's terms; `None` where nothing is to be left.
fn expiry(ttl: Option<Duration>) -> Option<i32> {
    const NEVER: i32 = 0;
    /// Beyond 30 days, seconds count from 1970 and not from now.
    const LONGEST_RELATIVE: u64 = 30 * 24 * 3600;
    let Some(ttl) = ttl else { return Some(NEVER) };
    if ttl.is_zero() {
        return None;
    }
    let seconds = ttl.as_secs().saturating_add(u64::from(ttl.subsec_nanos() > 0));
    let mut seconds = seconds.saturating_add(ROUNDING.as_secs());
    if seconds > LONGEST_RELATIVE {
        seconds = seconds.saturating_add(wall_clock::now().unsigned_abs() / 1000);
    }
    Some(i32::try_from(seconds).unwrap_or(NEVER))
}

/// What a version says: the number that a run of memcached gave.
#[derive(Clone, Copy)]
struct Seen {
    run: Run,
    number: u64,
}

impl Seen {
    /// `None` for a version that was not made here, or of which there is no item: zero would be no condition.
    fn of(version: &Version) -> Option<Seen> {
        let (numbers, []) = version.as_bytes()?.as_chunks::<8>() else { return None };
        let [begin, process, number] = *numbers else { return None };
        let [begin, process, number] = [begin, process, number].map(u64::from_be_bytes);
        (number != NOTHING).then_some(Seen { run: Run { begin, process }, number })
    }
}

impl From<Seen> for Version {
    fn from(seen: Seen) -> Version {
        let numbers = [seen.run.begin, seen.run.process, seen.number];
        Version::from(Bytes::from(numbers.map(u64::to_be_bytes).concat()))
    }
}

fn unexpected(code: Code) -> Error {
    let message = format!("the answer {code:?} does not fit the command; is this memcached 1.6?");
    Error::new(ErrorKind::Unavailable, message).with_retryable(false)
}

#[async_trait]
impl Driver for Memcached {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: false, iteration: false, ..FREED }
    }

    async fn advice(&self) -> Vec<Advice> {
        Vec::from_iter(self.pool.advice())
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.find(key).await.map_err(|error| explain(error, Operation::Get, key))
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
}

/// Says what was being done to what.
fn explain(error: Error, operation: Operation, key: &ItemKey) -> Error {
    error.with_driver(NAME).with_operation(operation).with_key(key)
}

impl fmt::Debug for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memcached").field("pool", &self.pool).finish_non_exhaustive()
    }
}
