//! A plain tower layer and its service, which finds the session in the request's extensions.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, Response};
use cloakroom::Session;
use cloakroom::adapter::Failure;
use tower::{Layer, Service};

use crate::{LAST_ERROR, LAST_PAGE};

/// Notes in the session which page was asked for, and which one failed.
#[derive(Clone, Copy)]
pub(crate) struct TrailLayer;

impl<S> Layer<S> for TrailLayer {
    type Service = Trail<S>;

    fn layer(&self, inner: S) -> Trail<S> {
        Trail { inner }
    }
}

/// The service that [`TrailLayer`] makes.
#[derive(Clone)]
pub(crate) struct Trail<S> {
    inner: S,
}

impl<S, RequestBody> Service<Request<RequestBody>> for Trail<S>
where
    S: Service<Request<RequestBody>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        // `None` on a page without a session, such as a prerendered one.
        let session = request.extensions().get::<Session>().cloned();
        let page = request.uri().path().to_owned();
        let note = move |key| session.as_ref().map_or(Ok(()), |session| session.set(key, &page));

        if let Err(error) = note(LAST_PAGE) {
            return Box::pin(ready(Ok(failure(&error))));
        }
        let handler = self.inner.call(request);
        Box::pin(async move {
            let response = handler.await?;
            if response.status().is_server_error()
                && let Err(error) = note(LAST_ERROR)
            {
                return Ok(failure(&error));
            }
            Ok(response)
        })
    }
}

/// A service's own error would end the connection, so the session's is a response.
fn failure(error: &cloakroom::Error) -> Response<Body> {
    Failure::from(error).into_response(Body::from)
}
