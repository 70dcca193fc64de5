//! Changes that are seen at once and saved at the end of the request.

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::record::is_own;

use super::{EntryName, Session, SessionKey, SetOptions, WriteKey};

impl Session {
    /// Sets an entry, with the configured ttl.
    ///
    /// The value is serialised now: changing it afterwards changes nothing, and one that cannot be stored fails
    /// here, where the mistake is. The first entry gives the session its ID.
    ///
    /// It is saved when the request is finished, or its streamed body ends. A task that outlives them calls
    /// [`Session::save`], or changes the session with [`Session::update`].
    ///
    /// While the store is away it is accepted, and the end of the request fails. The last of two counts.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// session.set("cart", &["scarf", "hat"])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::EmptyKey`], [`ErrorKind::NotSerializable`], [`ErrorKind::TooLarge`], and
    /// [`ErrorKind::ResponseStarted`] where the session does not exist yet and its cookie can no longer be sent.
    #[doc(alias = "insert")]
    pub fn set<V: Serialize + ?Sized>(&self, key: impl WriteKey<V>, value: &V) -> Result<()> {
        self.set_with(key, value, SetOptions::new())
    }

    /// Sets an entry with options of its own.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions, SetOptions};
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// let five_minutes = SetOptions::new().ttl(Duration::from_secs(300));
    /// session.set_with("code", &4711, five_minutes)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_with<V: Serialize + ?Sized>(
        &self,
        key: impl WriteKey<V>,
        value: &V,
        options: SetOptions,
    ) -> Result<()> {
        let expires = self.inner.expiry(options.ttl);
        let written = self.inner.write_value(key.name(), value, expires)?;
        self.inner.use_machine().set(key.name(), written)
    }

    /// Removes an entry; of no effect where there is none.
    ///
    /// Without a cookie there is nothing to remove, and nothing is asked of the store. While the store is away the end of the
    /// request fails.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// session.delete("theme");
    /// assert!(!session.has("theme").await?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "remove")]
    pub fn delete(&self, key: impl EntryName) {
        if is_own(key.name()) {
            return;
        }
        self.inner.use_machine().delete(key.name());
    }

    /// Removes an entry and returns its value.
    ///
    /// Two requests at once may both get it, since neither removes it before it is finished: what must be used
    /// once alone, such as a code, is taken with [`Session::update`].
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("draft", "Dear Ann,")?;
    /// assert_eq!(session.take::<String>("draft").await?.as_deref(), Some("Dear Ann,"));
    /// assert_eq!(session.take::<String>("draft").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`].
    #[doc(alias = "remove")]
    pub async fn take<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        let value = self.get(key.name()).await?;
        if value.is_some() {
            self.delete(key.name());
        }
        Ok(value)
    }
}
