//! A response body that commits what changes while it streams.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use cloakroom_session::adapter::{LateCommit, Scope};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a response that went through [`SessionMiddleware`](crate::SessionMiddleware).
    ///
    /// Where the handler's body holds on to the session, as a stream does, what it changes is committed before
    /// the body ends; a commit that fails ends the body with an error.
    pub struct SessionBody<B> {
        #[pin]
        body: B,
        late: LateCommit<Bytes>,
        sent: u64,
    }
}

impl<B> SessionBody<B> {
    pub(crate) fn new(body: B, scope: &Scope) -> SessionBody<B> {
        SessionBody { body, late: scope.late(), sent: 0 }
    }

    /// A body whose changes another middleware commits, above.
    pub(crate) fn joined(body: B) -> SessionBody<B> {
        SessionBody { body, late: LateCommit::default(), sent: 0 }
    }
}

impl<B: MessageBody> MessageBody for SessionBody<B> {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn StdError>>>> {
        let mut this = self.project();
        let size = this.body.size();
        this.late.poll(context, |context| {
            let chunk = ready!(this.body.as_mut().poll_next(context));
            Poll::Ready(chunk.map(|chunk| {
                *this.sent += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                let last = matches!(size, BodySize::Sized(size) if *this.sent >= size);
                (chunk.map_err(Into::into), last)
            }))
        })
    }

    fn try_into_bytes(self) -> Result<Bytes, SessionBody<B>> {
        if !self.late.is_done() {
            return Err(self);
        }
        let SessionBody { body, late, sent } = self;
        body.try_into_bytes().map_err(|body| SessionBody { body, late, sent })
    }
}
