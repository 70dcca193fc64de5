//! The origin check for a whole site.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::{Error, HttpResponse};
use cloakroom_actions::{OriginCheck, REFUSAL_TYPE, refusal};

/// Refuses what another site's page makes a visitor's browser send: Astro's `checkOrigin`, for a whole site.
///
/// [`OriginCheck`] says which requests pass; the others get 403 before anything else is done. The actions check
/// their calls by themselves.
///
/// ```
/// use actix_web::App;
/// use cloakroom_actix::OriginMiddleware;
///
/// let app = App::new().wrap(OriginMiddleware::new().public_origin("https://shop.example"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct OriginMiddleware {
    check: OriginCheck,
}

impl OriginMiddleware {
    /// Takes the request's `Host` for the site.
    pub fn new() -> OriginMiddleware {
        OriginMiddleware::default()
    }

    /// Adds an origin that counts as the site's own, such as the public one behind a proxy that changes `Host`.
    #[must_use]
    pub fn public_origin(mut self, origin: impl Into<String>) -> OriginMiddleware {
        self.check = self.check.public_origin(origin);
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for OriginMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = OriginService<S>;
    type InitError = ();
    type Future = Ready<Result<OriginService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(OriginService { inner, check: self.check.clone() }))
    }
}

/// The service that [`OriginMiddleware`] makes.
#[derive(Clone, Debug)]
pub struct OriginService<S> {
    inner: S,
    check: OriginCheck,
}

impl<S, B> Service<ServiceRequest> for OriginService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match refused(&self.check, request.method(), request.headers()) {
            None => {
                let inner = self.inner.call(request);
                Box::pin(async move { Ok(inner.await?.map_into_left_body()) })
            }
            Some(refused) => {
                let response = request.into_response(refused.map_into_right_body());
                Box::pin(ready(Ok(response)))
            }
        }
    }
}

/// The answer to a request that may not pass.
pub(crate) fn refused(
    check: &OriginCheck,
    method: &Method,
    headers: &HeaderMap,
) -> Option<HttpResponse> {
    let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let passes = check.allows(method.as_str(), header);
    (!passes).then(|| {
        HttpResponse::Forbidden().content_type(REFUSAL_TYPE).body(refusal(method.as_str()))
    })
}
