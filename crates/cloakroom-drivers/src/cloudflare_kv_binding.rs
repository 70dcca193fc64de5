//! `cloudflare-kv-binding`: Cloudflare's KV, from inside of a Worker.
//!
//! Values are at most 25 MiB, and keys at most 512 bytes with their base.
//!
//! # What KV does not promise
//! - It is eventually consistent. A write is seen at once where it was made, mostly, and up to a minute later
//!   elsewhere; that a key was not there is remembered as long. A session that follows its user from one of
//!   Cloudflare's locations to another may be read as it was.
//! - It has no compare-and-swap: of two requests that change one session at once, each loads it, merges its changes and
//!   writes, and the one that writes first may be overwritten. A request that was under way may write a session back
//!   that another one destroyed.
//! - It cannot move a deadline: `touch` writes the item again as it read it, so an `idle` timeout makes readers
//!   writers too. It takes about one write a second of each key.
//!
//! Where that is too little, sessions belong in [R2](super::cloudflare_r2_binding).
//!
//! KV ends an item no earlier than after a minute. What is to live for less, and to the millisecond, is noted in the
//! item's metadata (`expires`, in milliseconds since 1970), which JavaScript ignores and its writes leave out: of an
//! item that JavaScript wrote with a ttl, KV does not tell how long it lives.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wasm_bindgen::JsValue;
use worker::Env;
use worker::kv::{KvError, KvStore, ListResponse};
use worker::send::SendFuture;

use crate::common::capabilities::FREED;
use crate::common::worker::{DEADLINE, Deadline, Layout, binding, message, pages};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Version, When, options,
};

const NAME: &str = "cloudflare-kv-binding";

/// The longest name of a value, in bytes.
const LONGEST_NAME: usize = 512;

/// The shortest ttl that KV takes, in seconds.
const SHORTEST_TTL: u64 = 60;

/// Items in a namespace of Cloudflare's KV that is bound to this Worker.
///
/// ```no_run
/// use cloakroom_drivers::cloudflare_kv_binding::CloudflareKvBinding;
///
/// # fn example(env: &worker::Env) -> cloakroom_storage::Result<()> {
/// let driver = CloudflareKvBinding::from_env(env, "SESSION")?.with_base("sess");
/// # Ok(())
/// # }
/// ```
pub struct CloudflareKvBinding {
    kv: KvStore,
    layout: Layout,
    min_ttl: u64,
}

/// unstorage's options.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Options {
    /// The name by which the namespace is bound to the Worker, `STORAGE` by default; Astro's adapter has `SESSION`.
    pub binding: String,
    /// What all keys begin with, before a `:`. Nothing by default.
    pub base: String,
    /// `minTTL`: the shortest ttl that KV is told, in seconds, 60 by default.
    ///
    /// DIFFERENCE: one below 60 counts as 60. unstorage hands it to KV, which refuses it.
    #[serde(rename = "minTTL")]
    pub min_ttl: u64,
}

impl Options {
    /// The default options for the namespace that is bound by this name.
    pub fn new(binding: impl Into<String>) -> Options {
        Options { binding: binding.into(), ..Options::default() }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { binding: "STORAGE".to_owned(), base: String::new(), min_ttl: SHORTEST_TTL }
    }
}

impl CloudflareKvBinding {
    /// The items of the namespace that the options name, wherever the Worker has it.
    ///
    /// ```no_run
    /// use cloakroom_drivers::cloudflare_kv_binding::{CloudflareKvBinding, Options};
    ///
    /// # fn example() -> cloakroom_storage::Result<()> {
    /// let driver = CloudflareKvBinding::new(Options::new("SESSION"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] where there is none.
    pub fn new(options: Options) -> Result<CloudflareKvBinding> {
        let holder = JsValue::from(worker::js_sys::Object::new());
        let kv = binding(NAME, &options.binding)?;
        let kv = worker::js_sys::Reflect::set(&holder, &"kv".into(), &kv)
            .map_err(KvError::from)
            .and_then(|_| KvStore::from_this(&holder, "kv"))
            .map_err(|error| failure(error, Operation::Open))?;
        let min_ttl = options.min_ttl.max(SHORTEST_TTL);
        let driver = CloudflareKvBinding::with_namespace(kv).with_base(&options.base);
        Ok(CloudflareKvBinding { min_ttl, ..driver })
    }

    /// The items of a namespace.
    pub fn with_namespace(kv: KvStore) -> CloudflareKvBinding {
        CloudflareKvBinding { kv, layout: Layout::new("", LONGEST_NAME), min_ttl: SHORTEST_TTL }
    }

    /// The items of the namespace that is bound by this name.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] where there is none.
    pub fn from_env(env: &Env, binding: &str) -> Result<CloudflareKvBinding> {
        let kv = env.kv(binding).map_err(|error| {
            let message = format!("no namespace of KV is bound to this Worker as `{binding}`");
            options::invalid(NAME, message).with_source(error.to_string())
        })?;
        Ok(CloudflareKvBinding::with_namespace(kv))
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`CloudflareKvBinding::new`], and with [`ErrorKind::InvalidOptions`] when an option is unknown or of the wrong type.
    pub fn open(options: &Map<String, Value>) -> Result<CloudflareKvBinding> {
        CloudflareKvBinding::new(options::parse(NAME, options)?)
    }

    /// Puts every item below `base`.
    #[must_use]
    pub fn with_base(self, base: &str) -> CloudflareKvBinding {
        CloudflareKvBinding { layout: Layout::new(base, LONGEST_NAME), ..self }
    }

    /// The value and its deadline, if it has one that is known, unless it has passed.
    async fn find(&self, name: &str) -> Result<Option<(Bytes, Option<Deadline>)>, KvError> {
        let get = self.kv.get(name).bytes_with_metadata::<Value>();
        let (value, metadata) = SendFuture::new(get).await?;
        let Some(value) = value else { return Ok(None) };
        let deadline = deadline(metadata.as_ref());
        let live = !deadline.is_some_and(Deadline::has_passed);
        Ok(live.then(|| (value.into(), deadline)))
    }

    async fn put(&self, name: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), KvError> {
        if ttl == Some(Duration::ZERO) {
            return self.delete(name).await;
        }
        let mut put = self.kv.put_bytes(name, value)?;
        if let (Some(ttl), Some(Deadline(deadline))) = (ttl, Deadline::after(ttl)) {
            let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
            put = put
                .expiration_ttl(seconds.max(self.min_ttl))
                .metadata(json!({ DEADLINE: deadline }))?;
        }
        SendFuture::new(put.execute()).await
    }

    async fn delete(&self, name: &str) -> Result<(), KvError> {
        SendFuture::new(self.kv.delete(name)).await
    }

    /// A page of names, and where the next one begins.
    async fn list(&self, prefix: String, cursor: Option<String>) -> Result<ListResponse, KvError> {
        let mut list = self.kv.list().prefix(prefix);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        SendFuture::new(list.execute()).await
    }
}

#[async_trait]
impl Driver for CloudflareKvBinding {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { compare_and_swap: false, ..FREED }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.find(&self.layout.name(key)?).await;
        let found = found.map_err(|error| failure(error, Operation::Get).with_key(key))?;
        Ok(found.map(|(value, deadline)| {
            (Item::new(value.clone(), Version::from(value)), deadline.map(Deadline::remaining))
        }))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if when != When::Always {
            return Err(no_condition(key, Operation::Set));
        }
        let put = self.put(&self.layout.name(key)?, &value, ttl).await;
        put.map_err(|error| failure(error, Operation::Set).with_key(key))?;
        Ok(SetOutcome::Written { version: Version::from(value) })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        match when {
            When::Always => {}
            When::Absent => return Err(Error::remove_absent(NAME, key)),
            When::Version(_) => return Err(no_condition(key, Operation::Remove)),
        }
        let name = self.layout.name(key)?;
        let failed = |error| failure(error, Operation::Remove).with_key(key);
        let found = self.find(&name).await.map_err(failed)?;
        // Also where it was not found: another location may have it.
        self.delete(&name).await.map_err(failed)?;
        Ok(found.map_or(RemoveOutcome::Missing, |_| RemoveOutcome::Removed))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let name = self.layout.name(key)?;
        let failed = |error| failure(error, Operation::Touch).with_key(key);
        let Some((value, _)) = self.find(&name).await.map_err(failed)? else { return Ok(false) };
        self.put(&name, &value, ttl).await.map_err(failed)?;
        Ok(true)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = self.layout.prefix(prefix);
        pages(move |cursor| {
            let prefix = prefix.clone();
            async move {
                let page = self.list(prefix, cursor).await;
                let ListResponse { keys, list_complete, cursor } =
                    page.map_err(|error| failure(error, Operation::Keys))?;
                let live = keys.iter().filter(|key| {
                    !deadline(key.metadata.as_ref()).is_some_and(Deadline::has_passed)
                });
                let items = live.filter_map(|key| self.layout.item(&key.name)).collect();
                Ok((items, cursor.filter(|_| !list_complete)))
            }
        })
    }
}

impl fmt::Debug for CloudflareKvBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudflareKvBinding").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// The deadline that an item's metadata has, if it is ours.
fn deadline(metadata: Option<&Value>) -> Option<Deadline> {
    metadata?.get(DEADLINE)?.as_f64().map(|milliseconds| Deadline(milliseconds as u64))
}

fn no_condition(key: &ItemKey, operation: Operation) -> Error {
    Error::new(ErrorKind::Unsupported, "KV cannot make a write depend on what is there")
        .with_driver(NAME)
        .with_operation(operation)
        .with_key(key)
}

/// KV's errors are text: `KV PUT failed: 429 Too Many Requests`.
fn failure(error: KvError, operation: Operation) -> Error {
    let text = message(&JsValue::from(error));
    let status = text.split_once(" failed: ").and_then(|(_, rest)| rest.split(' ').next());
    let (kind, unapplied) = match status.and_then(|status| status.parse().ok()) {
        Some(429) => (ErrorKind::Unavailable, true),
        Some(413) => (ErrorKind::TooLarge, true),
        Some(400..=499) => (ErrorKind::Other, true),
        _ => (ErrorKind::Unavailable, false),
    };
    Error::new(kind, text).with_unapplied(unapplied).with_driver(NAME).with_operation(operation)
}
