//! handler → commit → cookie.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cloakroom_session::{Failure, Finished, Scope, Session};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::background::{self, CommitFuture};
use crate::body::SessionBody;
use crate::headers;

pin_project! {
    /// Waits for the handler, then for the commit.
    ///
    /// Dropped before the handler has returned, it saves nothing; dropped while it saves, as when the client
    /// goes away, the commit goes on in the background.
    pub struct ResponseFuture<F, B> {
        #[pin]
        handler: F,
        scope: Scope,
        commit: Option<(CommitFuture<Finished>, Response<B>)>,
    }

    impl<F, B> PinnedDrop for ResponseFuture<F, B> {
        fn drop(this: Pin<&mut Self>) {
            if let Some((commit, _)) = this.project().commit.take() {
                background::go_on(commit);
            }
        }
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) fn new(handler: F, scope: Scope) -> ResponseFuture<F, B> {
        ResponseFuture { handler, scope, commit: None }
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
        let (commit, _) = match this.commit {
            Some(commit) => commit,
            None => {
                let response = ready!(this.scope.enter(|| this.handler.poll(context)))?;
                let Scope::Session(session) = &*this.scope else {
                    return Poll::Ready(Ok(response.map(|body| SessionBody::new(body, None))));
                };
                if !session.is_used() {
                    return Poll::Ready(Ok(unused(response, session)));
                }
                let session = session.clone();
                this.commit.insert((Box::pin(async move { session.finish().await }), response))
            }
        };
        let finished = ready!(commit.as_mut().poll(context));
        // Dropping the commit's future drops its handle too, so that only those of the body are left.
        let response = this.commit.take().map(|(_, response)| response);
        Poll::Ready(Ok(match (finished, response, &*this.scope) {
            (Ok(finished), Some(mut response), Scope::Session(session)) => {
                headers::apply(&finished, response.headers_mut());
                watched(response, session)
            }
            (Err(error), ..) => Failure::from(&error).into_response(SessionBody::text),
            // The response stands beside its commit, always.
            (Ok(_), ..) => Response::new(SessionBody::text("")),
        }))
    }
}

/// Nobody asked for the session. Somebody may yet, where the body still holds a handle.
fn unused<B>(mut response: Response<B>, session: &Session) -> Response<SessionBody<B>> {
    if session.is_shared() {
        session.start_response();
        headers::vary(response.headers_mut());
    }
    watched(response, session)
}

/// Lets the body commit what changes while it streams, where it holds a handle to change anything with.
fn watched<B>(response: Response<B>, session: &Session) -> Response<SessionBody<B>> {
    let session = session.is_shared().then(|| session.clone());
    response.map(|body| SessionBody::new(body, session))
}
