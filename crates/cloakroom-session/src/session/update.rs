//! Changes that are decided on what the store has: atomic among all requests and machines.

use std::convert::Infallible;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commit;
use crate::commit::check_key;
use crate::error::{Error, ErrorKind, Result};
use crate::record::Change;

use super::{Session, SessionKey, SetOptions};

impl Session {
    /// Changes an entry without losing what any other request changes: load, apply, compare and swap, and
    /// again on a conflict. Returns what was stored. A missing entry starts as in [`Session::get_or_default`].
    ///
    /// Unlike `set` this writes at once, together with everything else that this request changed so far, and it keeps
    /// the deadline that the entry has. `change` may run several times, each time on a newer value. Where it changes
    /// nothing, nothing is written, and what it returns is what the store has.
    ///
    /// Without a cookie it begins a session, as `set` does. After [`Session::regenerate`] the session moves to its new ID at
    /// once; where the request fails after that, or its client goes away, it moves back.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// let visits = session.update("visits", |visits: &mut u32| *visits += 1).await?;
    /// assert_eq!(visits, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`] and [`Session::set`]; [`ErrorKind::Destroyed`] where another request ended the session, or
    /// gave it a new ID, since this one began; and [`ErrorKind::Conflict`] where the retries ran out.
    pub async fn update<T>(&self, key: impl SessionKey<T>, change: impl FnMut(&mut T)) -> Result<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        self.update_with(key, SetOptions::new(), change).await
    }

    /// As [`Session::update`], with options for the entry, such as a new deadline.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions, SetOptions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// use std::time::Duration;
    ///
    /// let one_hour = SetOptions::new().ttl(Duration::from_secs(3600));
    /// session.update_with("attempts", one_hour, |attempts: &mut u32| *attempts += 1).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::update`].
    pub async fn update_with<T>(
        &self,
        key: impl SessionKey<T>,
        options: SetOptions,
        mut change: impl FnMut(&mut T),
    ) -> Result<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let change = |value: &mut Option<T>| {
            change(value.get_or_insert_with(|| key.default_value()));
            Ok::<_, Infallible>(())
        };
        let (value, Ok(())) = self.decide(key.name(), options, change).await?;
        Ok(value.unwrap_or_else(|| key.default_value()))
    }

    /// Decides on an entry and changes it, as one step among all requests and machines: as [`Session::update`], for a
    /// change that may refuse, that sees whether there is an entry, and that gives something back.
    ///
    /// `None` in place of the value removes the entry. An error of `change` writes nothing, and is returned once the
    /// store has confirmed what it was decided on.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Error, Key, Sessions};
    /// const CODE: Key<u32> = Key::new("code");
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set(CODE, &4711)?;
    /// let given = 4711;
    /// let is_right = session
    ///     .try_update(CODE, |code| Ok::<_, Error>(code.take_if(|code| *code == given).is_some()))
    ///     .await?;
    /// assert!(is_right);
    /// assert_eq!(session.get(CODE).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `change`, and those of [`Session::update`] as `E`.
    pub async fn try_update<T, R, E>(
        &self,
        key: impl SessionKey<T>,
        change: impl FnMut(&mut Option<T>) -> Result<R, E>,
    ) -> Result<R, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error>,
    {
        self.try_update_with(key, SetOptions::new(), change).await
    }

    /// As [`Session::try_update`], with options for the entry, such as a new deadline.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Error, Sessions, SetOptions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// use std::time::Duration;
    ///
    /// let one_hour = SetOptions::new().ttl(Duration::from_secs(3600));
    /// let may_try = session
    ///     .try_update_with("attempts", one_hour, |attempts: &mut Option<u32>| {
    ///         let attempts = attempts.get_or_insert(0);
    ///         *attempts += 1;
    ///         Ok::<_, Error>(*attempts <= 3)
    ///     })
    ///     .await?;
    /// assert!(may_try);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::try_update`].
    pub async fn try_update_with<T, R, E>(
        &self,
        key: impl SessionKey<T>,
        options: SetOptions,
        change: impl FnMut(&mut Option<T>) -> Result<R, E>,
    ) -> Result<R, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error>,
    {
        let (_, decision) = self.decide(key.name(), options, change).await?;
        decision
    }

    /// Lets `change` decide on an entry; gives the value that it left, and what it said.
    async fn decide<T, R, E>(
        &self,
        key: &str,
        options: SetOptions,
        mut change: impl FnMut(&mut Option<T>) -> Result<R, E>,
    ) -> Result<(Option<T>, Result<R, E>)>
    where
        T: Serialize + DeserializeOwned,
    {
        check_key(key)?;
        self.inner.mark_used();
        let mut decided = None;
        commit::update(&self.inner, key, |seen| {
            let (mut value, end) = seen.value_and_end(key)?.unzip();
            let was_there = value.is_some();
            let decision = change(&mut value);
            let change = match (&decision, &value) {
                (Err(_), _) => None,
                (Ok(_), None) => was_there.then_some(Change::Delete),
                (Ok(_), Some(value)) => {
                    let expires = self.deadline(end, options);
                    Some(Change::set(self.inner.write_value(key, value, expires)?))
                }
            };
            decided = Some((value, decision));
            Ok(change)
        })
        .await?;
        decided.ok_or_else(|| Error::new(ErrorKind::Conflict, "the update was never applied"))
    }

    /// When an entry is to expire that is updated: when it was to anyway, if nobody says otherwise.
    fn deadline(&self, end: Option<Option<f64>>, options: SetOptions) -> Option<f64> {
        match (options.ttl, end) {
            (None, Some(kept)) => kept,
            (ttl, _) => self.inner.expiry(ttl),
        }
    }
}
