//! A response body that commits what changes while it streams.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cloakroom_session::{Scope, Session};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::background::{self, CommitFuture};

type BoxError = Box<dyn StdError + Send + Sync>;

pin_project! {
    /// The body of a response that went through [`SessionLayer`](crate::SessionLayer).
    ///
    /// Where the handler's body holds on to the session, as a stream does, what it changes is committed before
    /// the body ends; a commit that fails ends the body with an error.
    pub struct SessionBody<B> {
        #[pin]
        kind: Kind<B>,
        late: Option<Late>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Handler { #[pin] body: B },
        Text { text: Option<Bytes> },
    }
}

/// Changes that come after the headers have left.
struct Late {
    session: Session,
    commit: Option<CommitFuture<()>>,
    /// The last frame waits for the commit, because a server may not ask for what comes after it.
    last: Option<Frame<Bytes>>,
    ended: bool,
}

impl<B> SessionBody<B> {
    pub(crate) fn new(body: B, session: Option<Session>) -> SessionBody<B> {
        let late = session.map(|session| Late { session, commit: None, last: None, ended: false });
        SessionBody { kind: Kind::Handler { body }, late }
    }

    pub(crate) fn text(text: &'static str) -> SessionBody<B> {
        SessionBody {
            kind: Kind::Text { text: Some(Bytes::from_static(text.as_bytes())) },
            late: None,
        }
    }
}

impl<B> Body for SessionBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        loop {
            if let Some(late) = this.late
                && late.ended
            {
                ready!(late.poll_commit(context))?;
                let last = late.last.take();
                *this.late = None;
                return Poll::Ready(last.map(Ok));
            }
            let mut body = match this.kind.as_mut().project() {
                KindProjection::Text { text } => {
                    return Poll::Ready(text.take().map(|text| Ok(Frame::data(text))));
                }
                KindProjection::Handler { body } => body,
            };
            let frame = match this.late {
                Some(late) => {
                    Scope::Session(late.session.clone()).enter(|| body.as_mut().poll_frame(context))
                }
                None => body.as_mut().poll_frame(context),
            };
            let frame = match ready!(frame) {
                Some(Ok(frame)) => Some(frame),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => None,
            };
            match this.late {
                Some(late) if frame.is_none() || body.is_end_stream() => {
                    late.ended = true;
                    late.last = frame;
                }
                _ => return Poll::Ready(frame.map(Ok)),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Text { text } => text.is_none(),
            Kind::Handler { body } => self.late.is_none() && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Text { text } => SizeHint::with_exact(text.as_ref().map_or(0, Bytes::len) as u64),
            Kind::Handler { body } => body.size_hint(),
        }
    }
}

impl Late {
    fn poll_commit(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Also where it was only read: that moves its idle deadline.
        if self.commit.is_none() && self.session.is_used() {
            self.commit = Some(finish(self.session.clone()));
        }
        let Some(commit) = &mut self.commit else { return Poll::Ready(Ok(())) };
        let finished = ready!(commit.as_mut().poll(context));
        self.commit = None;
        Poll::Ready(finished.map_err(|error| {
            tracing::error!(%error, "what a streamed body changed in the session was not saved");
            error.into()
        }))
    }
}

impl Drop for Late {
    /// The client went away, or the server knew from the length that nothing more would come.
    fn drop(&mut self) {
        let changed = self.session.is_changed();
        let commit = self.commit.take().or_else(|| changed.then(|| finish(self.session.clone())));
        if let Some(commit) = commit {
            background::go_on(commit);
        }
    }
}

fn finish(session: Session) -> CommitFuture<()> {
    Box::pin(async move { session.finish().await.map(drop) })
}
