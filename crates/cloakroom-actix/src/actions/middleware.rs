//! From a request to an action, and from its outcome to the response.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION, REFERER,
};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use cloakroom_actions::{
    ActionError, Call, Caller, FAILURE_FORMAT, Outcome, RawInput, Registry, Sent, read,
};
use cloakroom_session::Session;
use cloakroom_session::adapter::Scope;

use super::handler::{Action, LocalFuture};
use super::{Actions, rejection};
use crate::error::SessionError;
use crate::extract::Place;
use crate::origin;

impl<S, B> Transform<S, ServiceRequest> for Actions
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = ActionsService<S>;
    type InitError = ();
    type Future = Ready<Result<ActionsService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(ActionsService { inner, registry: Arc::new(self.registry.clone()) }))
    }
}

/// The service that [`Actions`] makes.
#[derive(Clone)]
pub struct ActionsService<S> {
    inner: S,
    registry: Arc<Registry<Action>>,
}

impl<S, B> Service<ServiceRequest> for ActionsService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalFuture<Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (method, uri) = (request.method().as_str(), request.uri());
        match self.registry.call(method, uri.path(), uri.query()) {
            // A prerendered page takes no form, as in Astro.
            Some(call) if !is_prerendered(&request) => {
                let registry = Arc::clone(&self.registry);
                Box::pin(async move {
                    let (request, payload) = request.into_parts();
                    let response = answer(&registry, &call, &request, payload).await;
                    Ok(ServiceResponse::new(request, response.map_into_right_body()))
                })
            }
            _ => {
                let inner = self.inner.call(request);
                Box::pin(async move { Ok(inner.await?.map_into_left_body()) })
            }
        }
    }
}

fn is_prerendered(request: &ServiceRequest) -> bool {
    matches!(Place::of(request.request()), Some(Scope::Prerendered(_)))
}

async fn answer(
    registry: &Registry<Action>,
    call: &Call,
    request: &HttpRequest,
    payload: Payload,
) -> HttpResponse {
    if let Some(refused) = origin::refused(&registry.origin, request.method(), request.headers()) {
        return refused;
    }
    let found = match registry.find(call) {
        Ok(action) => input(registry, request, payload)
            .await
            .and_then(|input| input.expect(action.accept))
            .map(|input| (&action.handler, Arc::new(input))),
        Err(error) => Err(error),
    };
    let run = |handler: &Action, input| {
        request.extensions_mut().insert(input);
        handler(request.clone())
    };
    match call.caller {
        Caller::Client => to_client(match found {
            Ok((handler, input)) => run(handler, input).await,
            Err(error) => Outcome::error("", &error),
        }),
        Caller::Form => {
            let session = match session(request) {
                Ok(session) => session,
                Err(error) => return HttpResponse::from_error(error),
            };
            let (input, outcome) = match found {
                Ok((handler, input)) => (Arc::clone(&input), run(handler, input).await),
                Err(error) => (Arc::default(), Outcome::error("", &error)),
            };
            let kept = registry.keep(&session, call, outcome, &input, sent(request)).await;
            kept.map_or_else(|error| to_person(call, &error), |page| see_other(&page))
        }
    }
}

async fn input(
    registry: &Registry<Action>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<RawInput, ActionError> {
    let length = text(request, CONTENT_LENGTH).and_then(|length| length.parse().ok());
    read(text(request, CONTENT_TYPE), length, registry.body_limit, payload).await
}

fn text(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn to_client(outcome: Outcome) -> HttpResponse {
    let mut response = rejection::response(outcome);
    response.extensions_mut().insert(FAILURE_FORMAT);
    response
}

/// The browser goes on with a GET (RFC 9110, 15.4.4).
fn see_other(destination: &str) -> HttpResponse {
    match HeaderValue::try_from(destination) {
        Ok(destination) => HttpResponse::SeeOther().insert_header((LOCATION, destination)).finish(),
        // A path that came in a request goes out in a header.
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

/// A form's outcome that could not be kept: a sentence, and the cause in the log.
fn to_person(call: &Call, error: &ActionError) -> HttpResponse {
    let status = rejection::status(Outcome::error(&call.name, error).status());
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(error.message().to_owned())
}

/// Where a form's action leaves its outcome.
fn session(request: &HttpRequest) -> Result<Session, SessionError> {
    match Place::of(request) {
        Some(Scope::Session(session)) => Ok(session),
        _ => Err(cloakroom_session::Error::no_session(
            request.path(),
            "and a form's action leaves its outcome in one; have `.wrap(actions)` before \
             `.wrap(SessionMiddleware::new(sessions))`",
        )
        .into()),
    }
}

/// Where a form was sent to, and from where.
fn sent(request: &HttpRequest) -> Sent<'_> {
    let uri = request.uri();
    // HTTP/2 has no `Host`, but the authority in its place.
    let host = text(request, HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    Sent { path: uri.path(), query: uri.query(), host, referer: text(request, REFERER) }
}
