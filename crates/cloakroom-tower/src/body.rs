//! A response body that commits what changes while it streams.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cloakroom_session::adapter::{LateCommit, Scope};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

type BoxError = Box<dyn StdError + Send + Sync>;

pin_project! {
    /// The body of a response that went through [`SessionLayer`](crate::SessionLayer).
    ///
    /// Where the handler's body holds on to the session, as a stream does, what it changes is committed before
    /// the body ends; a commit that fails ends the body with an error.
    pub struct SessionBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Handler { #[pin] body: B, late: LateCommit<Frame<Bytes>> },
        Text { text: Option<Bytes> },
    }
}

impl<B> SessionBody<B> {
    pub(crate) fn new(body: B, scope: Option<&Scope>) -> SessionBody<B> {
        let late = scope.map(Scope::late).unwrap_or_default();
        SessionBody { kind: Kind::Handler { body, late } }
    }

    /// A body that can change nothing any more.
    pub(crate) fn finished(body: B) -> SessionBody<B> {
        SessionBody { kind: Kind::Handler { body, late: LateCommit::default() } }
    }

    pub(crate) fn text(text: Cow<'static, str>) -> SessionBody<B> {
        let text = match text {
            Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
            Cow::Owned(text) => text.into(),
        };
        SessionBody { kind: Kind::Text { text: Some(text) } }
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
        match self.project().kind.project() {
            KindProjection::Text { text } => Poll::Ready(text.take().map(Frame::data).map(Ok)),
            KindProjection::Handler { body, late } if late.is_done() => {
                body.poll_frame(context).map_err(Into::into)
            }
            KindProjection::Handler { mut body, late } => late.poll(context, |context| {
                let frame = ready!(body.as_mut().poll_frame(context));
                let last = body.is_end_stream();
                Poll::Ready(frame.map(|frame| (frame.map_err(Into::into), last)))
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Text { text } => text.is_none(),
            Kind::Handler { body, late } => late.is_done() && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Text { text } => SizeHint::with_exact(text.as_ref().map_or(0, Bytes::len) as u64),
            Kind::Handler { body, .. } => body.size_hint(),
        }
    }
}
