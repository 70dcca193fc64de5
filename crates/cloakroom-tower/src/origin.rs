//! The origin check for a whole site.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cloakroom_actions::{OriginCheck, REFUSAL_TYPE, refusal};
use http::{HeaderValue, Request, Response, StatusCode, header};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Refuses what another site's page makes a visitor's browser send: Astro's `checkOrigin`, for a whole site.
///
/// [`OriginCheck`] says which requests pass; the others get 403 before anything else is done. The actions check
/// their calls by themselves.
///
/// ```
/// use axum::Router;
/// use cloakroom_tower::OriginLayer;
///
/// let app: Router = Router::new().layer(OriginLayer::new().public_origin("https://shop.example"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct OriginLayer {
    check: OriginCheck,
}

impl OriginLayer {
    /// Takes the request's `Host` for the site.
    pub fn new() -> OriginLayer {
        OriginLayer::default()
    }

    /// Adds an origin that counts as the site's own, such as the public one behind a proxy that changes `Host`.
    #[must_use]
    pub fn public_origin(mut self, origin: impl Into<String>) -> OriginLayer {
        self.check = self.check.public_origin(origin);
        self
    }
}

impl<S> Layer<S> for OriginLayer {
    type Service = OriginService<S>;

    fn layer(&self, inner: S) -> OriginService<S> {
        OriginService { inner, check: self.check.clone() }
    }
}

/// The service that [`OriginLayer`] makes.
#[derive(Clone, Debug)]
pub struct OriginService<S> {
    inner: S,
    check: OriginCheck,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for OriginService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: From<String>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = OriginFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> OriginFuture<S::Future> {
        let method = request.method().as_str();
        let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
        match self.check.allows(method, header) {
            true => OriginFuture::Allowed { inner: self.inner.call(request) },
            false => OriginFuture::Refused { refusal: refusal(method) },
        }
    }
}

pin_project! {
    /// Waits for the service below, if the request may pass.
    #[project = OriginFutureProjection]
    pub enum OriginFuture<F> {
        #[doc(hidden)]
        Allowed { #[pin] inner: F },
        #[doc(hidden)]
        Refused { refusal: String },
    }
}

impl<F, B, E> Future for OriginFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<String>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        Poll::Ready(match self.project() {
            OriginFutureProjection::Allowed { inner } => ready!(inner.poll(context)),
            OriginFutureProjection::Refused { refusal } => {
                let mut response = Response::new(B::from(std::mem::take(refusal)));
                *response.status_mut() = StatusCode::FORBIDDEN;
                let text = HeaderValue::from_static(REFUSAL_TYPE);
                response.headers_mut().insert(header::CONTENT_TYPE, text);
                Ok(response)
            }
        })
    }
}
