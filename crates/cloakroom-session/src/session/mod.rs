//! The session as handlers hold it: Astro's methods in Rust's spelling, its keys, its updates and structs of its entries.
//!
//! Users touch all of it that is public. It tells the commit what to do, and knows neither frameworks nor the store.

mod data;
mod identity;
mod key;
mod life;
mod options;
mod update;
mod write;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_devalue::Value;

use crate::commit::{Inner, Shared};
use crate::cookie::CookieHeaders;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::machine::View;
use crate::record;

pub use data::SessionData;
pub(crate) use identity::{check as check_principal, not_signed_in};
pub use key::{EntryName, Key, SessionKey, WriteKey};
pub use options::SetOptions;

/// The session of one request.
///
/// Reads are async, because the first one loads the record; `set` and `delete` are not: they are seen at once
/// and saved once, by the framework at the end of the request. Cheap to clone: all clones are the same session.
///
/// ```
/// # use cloakroom_session::{Config, CookieHeaders, Key, Sessions};
/// const CART: Key<Vec<String>> = Key::new("cart");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// # let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// assert_eq!(session.get(CART).await?, None);
/// session.set("theme", "dark")?;
/// let cart = session.update(CART, |cart| cart.push("scarf".to_owned())).await?;
/// assert_eq!(cart, ["scarf"]);
/// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) inner: Arc<Inner>,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, cookies: CookieHeaders) -> Session {
        Session { inner: Arc::new(Inner::new(shared, cookies)) }
    }

    /// Whether it is one of these sessions.
    pub(crate) fn is_of(&self, owner: &Arc<Shared>) -> bool {
        self.inner.is_of(owner)
    }

    /// The value under `key`, or `None`.
    ///
    /// The first read of a request loads the record; a request without a cookie never does.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
    /// assert_eq!(session.get::<String>("language").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WrongType`] where the value is not a `T`, [`ErrorKind::BeyondLimit`] where it is more than can be
    /// read, [`ErrorKind::Corrupt`] where the record or the entry is none, [`ErrorKind::Unavailable`] where the store does
    /// not answer.
    pub async fn get<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        self.inner.load_unless(|machine| machine.has_changed(key.name())).await?;
        self.inner.seen(key.name()).value(key.name())
    }

    /// The value under `key`; where there is none the key's own default, or else `T::default()`. Writes nothing.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Key, Sessions};
    /// const CART: Key<Vec<String>> = Key::new("cart");
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// assert!(session.get_or_default(CART).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn get_or_default<T>(&self, key: impl SessionKey<T>) -> Result<T>
    where
        T: Default + DeserializeOwned,
    {
        let value = self.get(key.name()).await?;
        Ok(value.unwrap_or_else(|| key.default_value()))
    }

    /// Whether there is an entry under `key`, even one whose value is undefined.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// assert!(session.has("theme").await?);
    /// assert!(!session.has("language").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn has(&self, key: impl EntryName) -> Result<bool> {
        self.inner.load_unless(|machine| machine.has_changed(key.name())).await?;
        self.inner.seen(key.name()).is_there(key.name())
    }

    /// The keys, in `Map` order, also of entries whose values cannot be read.
    ///
    /// JavaScript may have used keys that no Rust string can hold: numbers, dates, strings with an unpaired surrogate.
    /// They are left out, here and among the entries and the values. What is under them is kept as it is, and lives as long
    /// as it says.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// session.set("language", "pt")?;
    /// assert_eq!(session.keys().await?, ["theme", "language"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`], but for those of a value.
    pub async fn keys(&self) -> Result<Vec<String>> {
        self.inner.load_unless(|_| false).await?;
        let View { record, changes, moment } = self.inner.view();
        record::keys(record.as_deref(), &changes, moment)
    }

    /// The values, in `Map` order.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, devalue::Value, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("visits", &3)?;
    /// assert_eq!(session.values().await?, [Value::from(3)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn values(&self) -> Result<Vec<Value>> {
        Ok(self.entries().await?.into_iter().map(|(_, value)| value).collect())
    }

    /// The keys and values, in `Map` order. What is stored may take no more, all together, than one value may.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, devalue::Value, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("visits", &3)?;
    /// assert_eq!(session.entries().await?, [("visits".to_owned(), Value::from(3))]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`], of the first value that cannot be read: the error names its key. The others can be had one by
    /// one, by their [`keys`](Session::keys).
    pub async fn entries(&self) -> Result<Vec<(String, Value)>> {
        self.inner.load_unless(|_| false).await?;
        let View { record, changes, moment } = self.inner.view();
        record::entries(record.as_deref(), &changes, moment)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("id", &self.inner.machine().id())
            .finish_non_exhaustive()
    }
}
