//! The commit at the end of a request, for framework adapters.

use std::fmt;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use cloakroom_storage::platform;

use crate::error::Result;
use crate::scope::Scope;
use crate::session::Session;

use super::{Commit, Finished};

type Committing = Pin<Box<dyn Future<Output = Result<Finished>> + Send>>;

/// Waits for the commit after a handler has returned. [`Scope::finish`] makes it.
///
/// Dropped while it saves, as when the client goes away, the commit goes on in the background: a logout must happen, and
/// nothing stay half done. What only a cookie could have named is taken back: a new session, and a new ID whose old one
/// is still alive.
#[derive(Default)]
#[must_use = "nothing is saved unless this is awaited"]
pub struct Finishing(Step);

#[derive(Default)]
enum Step {
    /// There is nothing to save, so there is nothing to wait for, and nothing on the heap.
    Known(Finished),
    Commit(Session, Committing),
    #[default]
    Done,
}

impl Scope {
    /// Runs `handler`, and is what [`Session::current`](crate::Session::current) finds within it.
    pub async fn run<F: Future>(&self, handler: F) -> F::Output {
        let (mut scope, mut handler) = (Some(self.clone()), pin!(handler));
        std::future::poll_fn(|context| Scope::lend(&mut scope, || handler.as_mut().poll(context)))
            .await
    }

    /// Whether nobody asked for the session and nobody can any more: there is nothing to commit, and nothing that the
    /// response would have to say. What [`finish`](Scope::finish) would find out too.
    pub fn is_unapplied(&self) -> bool {
        match self {
            // In this order: a task may use its handle and drop it at any moment.
            Scope::Session(session) => !session.is_shared() && !session.is_used(),
            Scope::Prerendered(_) => true,
        }
    }

    /// Commits what the handler changed: to be called after it returned and before the headers leave. What the
    /// response has to say is in [`Finished`], and its body goes through a [`LateCommit`](super::LateCommit).
    ///
    /// The adapter holds no handle to the session but this one, so that those left over are the body's.
    pub fn finish(&self) -> Finishing {
        let Scope::Session(session) = self else { return Finishing::default() };
        // Before it is looked at: a task may use its handle and drop it at any moment.
        let used = session.is_shared();
        if !session.close_unused() {
            return Finishing::commit(session);
        }
        // Nobody asked for the session. Somebody may yet, where the body still holds a handle.
        Finishing(Step::Known(Finished { used, ..Finished::default() }))
    }
}

impl Finishing {
    pub(crate) fn commit(session: &Session) -> Finishing {
        if let Some(Ok(finished)) = session.finish_at_once() {
            return Finishing(Step::Known(finished));
        }
        let finishing = session.clone();
        let commit = Box::pin(async move { finishing.finish().await });
        Finishing(Step::Commit(session.clone(), commit))
    }

    /// As [`commit`](Finishing::commit), after the headers have left.
    pub(crate) fn commit_late(session: &Session) -> Finishing {
        let finishing = session.clone();
        let commit = async move { finishing.finish_late().await.map(|()| Finished::default()) };
        Finishing(Step::Commit(session.clone(), Box::pin(commit)))
    }
}

impl Future for Finishing {
    type Output = Result<Finished>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Finished>> {
        let finished = match &mut self.0 {
            Step::Known(finished) => Ok(std::mem::take(finished)),
            Step::Commit(_, commit) => ready!(commit.as_mut().poll(context)),
            Step::Done => Ok(Finished::default()),
        };
        // The commit's handle to the session goes now, and not with the last of the response.
        self.0 = Step::Done;
        Poll::Ready(finished)
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        let Step::Commit(session, commit) = std::mem::replace(&mut self.0, Step::Done) else {
            return;
        };
        session.abandon();
        let unsaved = |error: &dyn fmt::Display| {
            tracing::error!(%error, "the client went away, and what it changed in the session was not saved");
        };
        let committed = platform::detach(async move {
            if let Err(error) = commit.await {
                unsaved(&error);
            }
        });
        if let Err(error) = committed {
            unsaved(&error);
        }
    }
}

impl fmt::Debug for Finishing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Finishing").finish_non_exhaustive()
    }
}
