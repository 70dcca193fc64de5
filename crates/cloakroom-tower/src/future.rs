//! handler → commit → cookie.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cloakroom_session::adapter::{Failure, Finished, Finishing, Scope};
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
        // Away while the handler is polled.
        scope: Option<Scope>,
        // The session is another layer's above, and so are its commit and its cookie.
        joined: bool,
        // Apart, because seldom anybody has to wait for it.
        finishing: Option<Box<(Finishing, Response<B>)>>,
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) fn new(handler: F, scope: Option<Scope>, joined: bool) -> ResponseFuture<F, B> {
        ResponseFuture { handler, scope, joined, finishing: None }
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
        let (finished, response) = match this.finishing.take() {
            Some(mut begun) => match Pin::new(&mut begun.0).poll(context) {
                Poll::Ready(finished) => (finished, begun.1),
                Poll::Pending => {
                    *this.finishing = Some(begun);
                    return Poll::Pending;
                }
            },
            None => {
                let response = ready!(Scope::lend(this.scope, || this.handler.poll(context)))?;
                if *this.joined {
                    // The layer above is asked next whether anybody else holds the session.
                    *this.scope = None;
                }
                let scope = this.scope.as_ref().filter(|scope| !scope.is_unapplied());
                let Some(scope) = scope else {
                    return Poll::Ready(Ok(response.map(SessionBody::finished)));
                };
                let mut finishing = scope.finish();
                match Pin::new(&mut finishing).poll(context) {
                    Poll::Ready(finished) => (finished, response),
                    Poll::Pending => {
                        *this.finishing = Some(Box::new((finishing, response)));
                        return Poll::Pending;
                    }
                }
            }
        };
        Poll::Ready(Ok(answer(finished, response, this.scope.as_ref())))
    }
}

fn answer<B>(
    finished: cloakroom_session::Result<Finished>,
    mut response: Response<B>,
    scope: Option<&Scope>,
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
