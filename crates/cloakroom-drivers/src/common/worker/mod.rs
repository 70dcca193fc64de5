//! What the drivers have in common that live inside of a Cloudflare Worker.

use std::time::Duration;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{self, Reflect};

use cloakroom_storage::platform::SystemTime;
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result, options};

/// The name in an item's metadata under which its [`Deadline`] is.
pub(crate) const DEADLINE: &str = "expires";

/// What is to live longer than a hundred years lives for ever.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    /// Every binding, as a request's `env` has it.
    #[wasm_bindgen(thread_local_v2, js_name = env)]
    static ENV: JsValue;
}

/// The object of this name that has the bindings' methods: in the global scope and in `__env__`, where unstorage looks
/// and Astro's adapter puts it, or else among the Worker's own bindings.
///
/// # Errors
/// With [`ErrorKind::InvalidOptions`] where there is none.
pub(crate) fn binding(driver: &'static str, name: &str) -> Result<JsValue> {
    let property = |object: &JsValue, name: &str| {
        Reflect::get(object, &name.into()).ok().filter(|value| value.is_object())
    };
    let global: JsValue = js_sys::global().into();
    let found = property(&global, name)
        .or_else(|| property(&global, "__env__").and_then(|env| property(&env, name)))
        .or_else(|| ENV.with(|env| property(env, name)))
        .filter(|found| {
            ["get", "put", "delete", "list"].iter().all(|method| {
                Reflect::get(found, &(*method).into()).is_ok_and(|method| method.is_function())
            })
        });
    found.ok_or_else(|| {
        let message = format!(
            "option `binding`: this Worker has no such store as `{name}`: bind one by that name, in wrangler.toml or \
             where the Worker is deployed"
        );
        options::invalid(driver, message)
    })
}

/// Where unstorage's drivers put what.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The base and a `:`, or nothing.
    prefix: String,
    /// The longest name that the store takes, in bytes.
    longest: usize,
}

impl Layout {
    pub(crate) fn new(base: &str, longest: usize) -> Layout {
        // As unstorage's drivers do it, which is not quite as it does it for keys: runs of `:` stay, and `?` does.
        let base = base.replace(['/', '\\'], ":");
        let base = base.strip_prefix(':').unwrap_or(&base);
        let base = base.strip_suffix(':').unwrap_or(base);
        let separator = if base.is_empty() { "" } else { ":" };
        Layout { prefix: format!("{base}{separator}"), longest }
    }

    /// # Errors
    /// With [`ErrorKind::InvalidKey`] where the store cannot have such a long name.
    pub(crate) fn name(&self, key: &ItemKey) -> Result<String> {
        let name = self.prefix(key.as_str());
        if name.len() <= self.longest {
            return Ok(name);
        }
        let message = format!("with its base it is longer than {} bytes", self.longest);
        Err(Error::new(ErrorKind::InvalidKey, message).with_key(key))
    }

    /// What the names begin with of the keys that begin with `prefix`.
    pub(crate) fn prefix(&self, prefix: &str) -> String {
        format!("{}{prefix}", self.prefix)
    }

    /// The item that a name belongs to, if it is one.
    pub(crate) fn item(&self, name: &str) -> Option<ItemKey> {
        let name = name.strip_prefix(&self.prefix)?;
        // A name that unstorage would write otherwise cannot be asked for, so it is nobody's.
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }
}

/// When an item expires, in milliseconds since 1970. A part of one counts as a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(pub(crate) u64);

impl Deadline {
    pub(crate) fn now() -> Deadline {
        Deadline::from(Duration::ZERO)
    }

    /// The moment `ttl` from now, or `None` for never.
    pub(crate) fn after(ttl: Option<Duration>) -> Option<Deadline> {
        ttl.filter(|ttl| *ttl <= LONGEST).map(Deadline::from)
    }

    pub(crate) fn has_passed(self) -> bool {
        self.0 <= Deadline::now().0
    }

    /// How long it is until then.
    pub(crate) fn remaining(self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(Deadline::now().0))
    }

    /// How long ago it was.
    #[cfg(feature = "cloudflare-r2-binding")]
    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_millis(Deadline::now().0.saturating_sub(self.0))
    }
}

impl From<Duration> for Deadline {
    fn from(from_now: Duration) -> Deadline {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let moment = now.saturating_add(from_now).as_nanos().div_ceil(1_000_000);
        Deadline(u64::try_from(moment).unwrap_or(u64::MAX))
    }
}

/// The items of a list, page after page. `list` gives those of a page, and where the next one begins.
pub(crate) fn pages<'a, L, F>(list: L) -> BoxStream<'a, Result<ItemKey>>
where
    L: Fn(Option<String>) -> F + Send + 'a,
    F: Future<Output = Result<(Vec<ItemKey>, Option<String>)>> + Send + 'a,
{
    stream::try_unfold(Some(None), move |begin| {
        let page = begin.map(&list);
        async {
            let Some(page) = page else { return Ok(None) };
            let (items, next) = page.await?;
            Ok(Some((stream::iter(items.into_iter().map(Ok)), next.map(Some))))
        }
    })
    .try_flatten()
    .boxed()
}

/// What a thrown value says.
pub(crate) fn message(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => thrown.as_string().unwrap_or_else(|| "it threw what is no error".to_owned()),
    }
}
