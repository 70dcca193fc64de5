//! Values for one page: a message that the next page shows once.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ErrorKind, Result};
use crate::session::Session;

/// A key whose value is read once: the message of a form, for the page that its redirect leads to.
///
/// It is an entry like any other, whose name begins with `flash:`, and stays until a page reads it. To let several
/// messages gather, choose a list for `T` and add to it before it is left again.
///
/// ```
/// # use cloakroom_session::{Config, CookieHeaders, Flash, Sessions};
/// const NOTICE: Flash<String> = Flash::new("notice");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// # let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// session.flash(NOTICE, "Your settings are saved.")?;
///
/// // Usually in the next request:
/// assert_eq!(session.flashed(NOTICE).await?.as_deref(), Some("Your settings are saved."));
/// assert_eq!(session.flashed(NOTICE).await?, None);
/// # Ok(())
/// # }
/// ```
pub struct Flash<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Flash<T> {
    /// A flash by this name.
    ///
    /// ```
    /// use cloakroom_session::Flash;
    ///
    /// const NOTICE: Flash<String> = Flash::new("notice");
    /// ```
    pub const fn new(name: &'static str) -> Flash<T> {
        Flash { name, value: PhantomData }
    }

    /// The name of its entry, which is what JavaScript reads it by: `flash:notice` for `notice`.
    ///
    /// ```
    /// # use cloakroom_session::Flash;
    /// assert_eq!(Flash::<String>::new("notice").entry(), "flash:notice");
    /// ```
    pub fn entry(&self) -> String {
        format!("flash:{}", self.name)
    }
}

// Derives would ask the same of `T`.
impl<T> Clone for Flash<T> {
    fn clone(&self) -> Flash<T> {
        *self
    }
}

impl<T> Copy for Flash<T> {}

impl<T> fmt::Debug for Flash<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Flash").field(&self.name).finish()
    }
}

impl Session {
    /// Leaves a value for the next page that reads it, in place of one that is still unread.
    ///
    /// As any entry it comes along when the session is regenerated, and ends when it is destroyed. What is left after
    /// that begins a new session, as the farewell of a log-out does.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Flash, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// const NOTICE: Flash<String> = Flash::new("notice");
    ///
    /// session.flash(NOTICE, "Your settings are saved.")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn flash<T, V>(&self, flash: Flash<T>, value: &V) -> Result<()>
    where
        T: Borrow<V>,
        V: Serialize + ?Sized,
    {
        self.set(flash.entry(), value)
    }

    /// Reads what was left for this page, and removes it.
    ///
    /// Two requests at once may both read it, since neither removes it before it is finished; and what a third one
    /// leaves in the meantime may go with it, unread. While the store does not answer nothing can be removed, so a
    /// message in an old copy of the session waits and is `None`.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Flash, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// const NOTICE: Flash<String> = Flash::new("notice");
    ///
    /// session.flash(NOTICE, "Your settings are saved.")?;
    /// assert!(session.flashed(NOTICE).await?.is_some());
    /// assert!(session.flashed(NOTICE).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`]. A value of the wrong type, or beyond what can be read, is an error once: it is removed too,
    /// because every page after this one would fail over it.
    pub async fn flashed<T: DeserializeOwned>(&self, flash: Flash<T>) -> Result<Option<T>> {
        let entry = flash.entry();
        let read = self.get(&entry).await;
        let found = match &read {
            Ok(value) => value.is_some(),
            Err(error) => matches!(error.kind(), ErrorKind::WrongType | ErrorKind::BeyondLimit),
        };
        if found && self.is_degraded() {
            return Ok(None);
        }
        if found {
            self.delete(&entry);
        }
        read
    }
}
