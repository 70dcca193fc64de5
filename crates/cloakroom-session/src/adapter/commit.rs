//! What only an adapter asks of a session: whether it was used, and the commit.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use crate::commit;
use crate::config::OutagePolicy;
use crate::error::Result;
use crate::machine::SetCookie;
use crate::session::Session;

use super::Finished;

/// What only whoever answers requests asks of a [`Session`]. Apart from it, so that handlers see what is theirs.
///
/// An adapter asks a [`Scope`](super::Scope), which does most of this in the right order. What answers no requests, such as
/// a test, may commit by itself:
///
/// ```
/// use cloakroom_session::adapter::Commit;
/// use cloakroom_session::{Config, CookieHeaders, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// let session = sessions.session(CookieHeaders::default());
/// session.set("theme", "dark")?;
/// assert!(session.finish().await?.set_cookie.is_some());
/// # Ok(())
/// # }
/// ```
pub trait Commit: Sealed {
    /// Whether anything was asked of the session. Where not, the response needs nothing from it.
    fn is_used(&self) -> bool;

    /// Whether a handle other than this one is still alive, so that the session may still change.
    fn is_shared(&self) -> bool;

    /// Whether something changed that no commit has written yet.
    fn is_changed(&self) -> bool;

    /// Says what this request gets while the store does not answer, over what the configuration says. To be called
    /// before the session is read; the last call counts.
    fn set_outage_policy(&self, policy: OutagePolicy);

    /// Commits: to be called after the handler returned and before the headers leave.
    ///
    /// # Errors
    /// As [`Session::save`], except that a session that was ended elsewhere is no error here: its changes
    /// are dropped. It is one where the session was to be regenerated. After an error no cookie may be sent, and
    /// nothing that the request changed is saved any more.
    fn finish(&self) -> impl Future<Output = Result<Finished>> + Send;

    /// Says that the headers have left, for a session that nobody has used so far.
    fn start_response(&self);
}

/// Nobody else's type can be committed, so that methods may be added.
pub trait Sealed {}

impl Sealed for Session {}

impl Commit for Session {
    fn is_used(&self) -> bool {
        self.inner.is_used()
    }

    fn is_shared(&self) -> bool {
        let is_shared = Arc::strong_count(&self.inner) > 1;
        // What was done through handles that are gone is seen by whoever looks after this.
        fence(Ordering::Acquire);
        is_shared
    }

    fn is_changed(&self) -> bool {
        self.is_used() && self.inner.machine().is_changed()
    }

    fn set_outage_policy(&self, policy: OutagePolicy) {
        self.inner.set_outage_policy(policy);
    }

    async fn finish(&self) -> Result<Finished> {
        if self.inner.close_unused() {
            return Ok(Finished::default());
        }
        let cookie = commit::finish(&self.inner).await?;
        Ok(self.finished(cookie))
    }

    fn start_response(&self) {
        self.inner.machine().close();
    }
}

/// What [`Finishing`](super::Finishing) and [`LateCommit`](super::LateCommit) do with it besides.
impl Session {
    /// As [`finish`](Commit::finish) where there is nothing to write and nothing to wait for.
    pub(super) fn finish_at_once(&self) -> Option<Result<Finished>> {
        let _io = self.inner.io.try_lock().ok()?;
        let rules = self.inner.shared().rules();
        let (cookie, happened) = self.inner.machine().close_idle(&rules)?;
        if let Some(happened) = happened {
            self.inner.shared().store.tell_happened(happened);
        }
        Some(cookie.map(|cookie| self.finished(cookie)))
    }

    /// Commits what was changed after the headers have left.
    pub(super) async fn finish_late(&self) -> Result<()> {
        commit::finish_late(&self.inner).await
    }

    /// Keeps the session alive that is in use by a response which takes long. A failure is told to the operator alone.
    pub(super) async fn keep_alive(&self) {
        // Its own failures are no errors.
        let _ = commit::keep_alive(&self.inner).await;
    }

    /// Whether the session was used, and its deadline may have to follow.
    pub(super) fn needs_keeping(&self) -> bool {
        self.inner.needs_keeping()
    }

    /// Says that the client went away before it was answered.
    pub(super) fn abandon(&self) {
        self.inner.machine().abandon();
    }

    /// As [`start_response`](Commit::start_response), unless somebody has used it; answers whether nobody has.
    pub(super) fn close_unused(&self) -> bool {
        self.inner.close_unused()
    }

    fn finished(&self, cookie: Option<SetCookie>) -> Finished {
        let format = &self.inner.shared().cookie;
        let set_cookie = cookie.map(|cookie| match cookie {
            SetCookie::HandOut(it) => format.hand_out(&it.id, it.remember, it.longest),
            SetCookie::Delete => format.delete(),
        });
        Finished { set_cookie, used: true, degraded: self.is_degraded() }
    }
}
