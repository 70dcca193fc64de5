//! How many sessions there are, where the store can say.

use futures_util::TryStreamExt as _;

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::observe;
use crate::store::from_storage;

use super::Sessions;

impl Sessions {
    /// How many sessions the store has, whoever has begun them; what has ended in the last minute may be among them. With the
    /// feature `metrics` the gauge `cloakroom_sessions_live` is set to it.
    ///
    /// It lists all keys of the store, so it is for a task that runs every few minutes, on one of the servers, and for no request.
    /// Nothing calls it by itself.
    ///
    /// ```
    /// # use cloakroom_session::adapter::Commit;
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// session.finish().await?;
    /// assert_eq!(sessions.count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// With [`ErrorKind::Storage`] where the driver cannot list its keys, or `hashIds` hides which of them are sessions', and
    /// with [`ErrorKind::Unavailable`] where the store does not answer.
    pub async fn count(&self) -> Result<u64> {
        let driver = self.driver();
        if !driver.capabilities().iteration {
            let name = driver.name();
            let message = format!(
                "the sessions cannot be counted: the driver `{name}` cannot list its keys, or `hashIds` hides which of them are \
                 sessions'; ask the store itself"
            );
            return Err(Error::new(ErrorKind::Storage, message));
        }
        let mut sessions = 0;
        let mut keys = driver.keys("");
        while let Some(key) = keys.try_next().await.map_err(from_storage)? {
            // Beside them are indexes, and what was moved aside.
            sessions += u64::from(SessionId::parse(key.as_str()).is_some());
        }
        observe::sessions_counted(sessions);
        Ok(sessions)
    }
}
