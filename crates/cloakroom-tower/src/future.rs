//! handler → commit → cookie.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cloakroom_session::{Failure, Finished, Finishing, Scope};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::body::SessionBody;

pin_project! {
    /// Waits for the handler, then for the commit.
    ///
    /// Dropped before the handler has returned, it saves nothing; dropped while it saves, as when the client
    /// goes away, the commit goes on in the background.
    pub struct ResponseFuture<F, B> {
        #[pin]
        handler: F,
        scope: Scope,
        finishing: Option<(Finishing, Response<B>)>,
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) fn new(handler: F, scope: Scope) -> ResponseFuture<F, B> {
        ResponseFuture { handler, scope, finishing: None }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut finishing, response) = match this.finishing.take() {
            Some(begun) => begun,
            None => {
                let response = ready!(this.scope.enter(|| this.handler.poll(context)))?;
                (this.scope.finish(), response)
            }
        };
        match Pin::new(&mut finishing).poll(context) {
            Poll::Ready(finished) => Poll::Ready(Ok(answer(finished, response, this.scope))),
            Poll::Pending => {
                *this.finishing = Some((finishing, response));
                Poll::Pending
            }
        }
    }
}

fn answer<B>(
    finished: cloakroom_session::Result<Finished>,
    mut response: Response<B>,
    scope: &Scope,
) -> Response<SessionBody<B>> {
    match finished {
        Ok(finished) => {
            finished.apply(response.headers_mut());
            response.map(|body| SessionBody::new(body, scope))
        }
        Err(error) => {
            let format = response.extensions().get().copied();
            Failure::from(&error).into_response_in(format, SessionBody::text)
        }
    }
}
