//! What a streamed body changes after the headers have left, for framework adapters.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cloakroom_storage::platform;

use crate::error::{Error, Result};
use crate::scope::Scope;
use crate::session::Session;

use super::{Commit, Finishing};

/// Commits what a response's body changes in the session while it streams, before the body's last piece leaves.
/// [`Scope::late`] makes it.
///
/// Where the body holds no handle to the session it does nothing, and is one word. A commit that fails ends the body
/// with an error, so that nobody takes it for complete. Dropped before, it commits in the background.
pub struct LateCommit<Piece>(Option<Box<Late<Piece>>>);

struct Late<Piece> {
    session: Session,
    finishing: Option<Finishing>,
    /// The last piece waits for the commit, because a server may not ask for what comes after it.
    last: Option<Piece>,
    ended: bool,
}

/// What [`LateCommit::poll`] is told by a body: its next piece, and whether that is known to be the last.
pub type NextPiece<Piece, E> = Option<(Result<Piece, E>, bool)>;

impl Scope {
    /// What the body may still change, once the request is finished.
    pub fn late<Piece>(&self) -> LateCommit<Piece> {
        LateCommit(match self {
            Scope::Session(session) if session.is_shared() || session.is_changed() => {
                Some(Box::new(Late {
                    session: session.clone(),
                    finishing: None,
                    last: None,
                    ended: false,
                }))
            }
            _ => None,
        })
    }
}

impl<Piece> LateCommit<Piece> {
    /// Whether nothing is left to commit, so that the body's end is the end.
    pub fn is_done(&self) -> bool {
        self.0.is_none()
    }

    /// The next piece of the body, which `next` asks for.
    ///
    /// # Errors
    /// The body's own, and the commit's.
    pub fn poll<E: From<Error>>(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut(&mut Context<'_>) -> Poll<NextPiece<Piece, E>>,
    ) -> Poll<Option<Result<Piece, E>>> {
        let Some(late) = &mut self.0 else {
            return next(context).map(|next| next.map(|(piece, _)| piece));
        };
        late.keep_alive();
        if !late.ended {
            match ready!(Scope::Session(late.session.clone()).enter(|| next(context))) {
                Some((Ok(piece), false)) => return Poll::Ready(Some(Ok(piece))),
                Some((Err(error), _)) => return Poll::Ready(Some(Err(error))),
                Some((Ok(piece), true)) => late.last = Some(piece),
                None => {}
            }
            late.ended = true;
        }
        ready!(late.poll_commit(context))?;
        let last = late.last.take();
        self.0 = None;
        Poll::Ready(last.map(Ok))
    }
}

impl<Piece> Late<Piece> {
    /// Lets the idle deadline follow what a body does that streams for longer than a session may be idle. Neither waits for
    /// the other: a client that does not read holds up nothing.
    fn keep_alive(&self) {
        if self.session.needs_keeping() {
            let session = self.session.clone();
            // Outside of a runtime the deadline moves with the end of the body.
            let _ = platform::detach(async move { session.keep_alive().await });
        }
    }

    fn poll_commit(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        // Also where it was only read: that moves its idle deadline.
        if self.finishing.is_none() && self.session.is_used() {
            self.finishing = Some(Finishing::commit_late(&self.session));
        }
        let Some(finishing) = &mut self.finishing else { return Poll::Ready(Ok(())) };
        let finished = ready!(Pin::new(finishing).poll(context));
        self.finishing = None;
        if let Err(error) = &finished {
            tracing::error!(%error, "what a streamed body changed in the session was not saved");
        }
        Poll::Ready(finished.map(drop))
    }
}

impl<Piece> Drop for Late<Piece> {
    /// The client went away, or the server knew from the length that nothing more would come.
    fn drop(&mut self) {
        // A commit that is under way goes on by itself, and one that failed has broken the body off: it is not tried
        // again behind the back of a client that was told.
        if !self.ended && self.session.is_changed() {
            drop(Finishing::commit_late(&self.session));
        }
    }
}

/// Of a body that can change nothing.
impl<Piece> Default for LateCommit<Piece> {
    fn default() -> LateCommit<Piece> {
        LateCommit(None)
    }
}

impl<Piece> fmt::Debug for LateCommit<Piece> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LateCommit").field("is_done", &self.is_done()).finish()
    }
}
