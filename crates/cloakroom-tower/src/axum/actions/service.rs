//! From a request to an action, and from its outcome to the response.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse as _, Response};
use bytes::Bytes;
use cloakroom_actions::{
    ActionError, Call, Caller, FAILURE_FORMAT, Outcome, REFUSAL_TYPE, RawInput, Sent, read, refusal,
};
use cloakroom_session::Session;
use cloakroom_session::adapter::Prerendered;
use futures_core::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, LOCATION, REFERER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::handler::BoxFuture;
use super::{ActionsLayer, rejection};

/// The service that [`Actions`](super::Actions) makes.
#[derive(Clone)]
pub struct ActionsService<I, S = ()> {
    inner: I,
    actions: ActionsLayer<S>,
}

impl<I, S> ActionsService<I, S> {
    pub(super) fn new(inner: I, actions: ActionsLayer<S>) -> ActionsService<I, S> {
        ActionsService { inner, actions }
    }
}

impl<I, S> Service<Request> for ActionsService<I, S>
where
    I: Service<Request, Response = Response>,
    S: Clone + Send + Sync + 'static,
{
    type Response = Response;
    type Error = I::Error;
    type Future = ActionFuture<I::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> ActionFuture<I::Future> {
        let (method, uri) = (request.method().as_str(), request.uri());
        match self.actions.registry.call(method, uri.path(), uri.query()) {
            // A prerendered page takes no form, as in Astro.
            Some(call) if request.extensions().get::<Prerendered>().is_none() => {
                let actions = self.actions.clone();
                ActionFuture::Action { answer: Box::pin(actions.answer(call, request)) }
            }
            _ => ActionFuture::Inner { inner: self.inner.call(request) },
        }
    }
}

pin_project! {
    /// Waits for the action that is called, or for the service below.
    #[project = ActionFutureProjection]
    pub enum ActionFuture<F> {
        #[doc(hidden)]
        Inner { #[pin] inner: F },
        #[doc(hidden)]
        Action { answer: BoxFuture<Response> },
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for ActionFuture<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Response, E>> {
        match self.project() {
            ActionFutureProjection::Inner { inner } => inner.poll(context),
            ActionFutureProjection::Action { answer } => {
                Poll::Ready(Ok(ready!(answer.as_mut().poll(context))))
            }
        }
    }
}

impl<S: Clone + Send + Sync + 'static> ActionsLayer<S> {
    async fn answer(self, call: Call, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let method = parts.method.as_str();
        let header = |name: &str| parts.headers.get(name).map(HeaderValue::as_bytes);
        if !self.registry.origin.allows(method, header) {
            let headers = [(CONTENT_TYPE, REFUSAL_TYPE)];
            return (StatusCode::FORBIDDEN, headers, refusal(method)).into_response();
        }
        let found = match self.registry.find(&call) {
            Ok(action) => input(&parts, self.registry.body_limit, body)
                .await
                .and_then(|input| input.expect(action.accept))
                .map(|input| (&action.handler, Arc::new(input))),
            Err(error) => Err(error),
        };
        match call.caller {
            Caller::Client => to_client(match found {
                Ok((run, input)) => run(with_input(parts, input), self.state.clone()).await,
                Err(error) => Outcome::error("", &error),
            }),
            Caller::Form => {
                let Some(session) = parts.extensions.get::<Session>().cloned() else {
                    return without_session(&parts);
                };
                let page = Page::of(&parts);
                let (input, outcome) = match found {
                    Ok((run, input)) => {
                        let parts = with_input(parts, Arc::clone(&input));
                        (input, run(parts, self.state.clone()).await)
                    }
                    Err(error) => (Arc::default(), Outcome::error("", &error)),
                };
                let kept = self.registry.keep(&session, &call, outcome, &input, page.sent()).await;
                kept.map_or_else(|error| to_person(&call, &error), see_other)
            }
        }
    }
}

async fn input(parts: &Parts, limit: usize, body: Body) -> Result<RawInput, ActionError> {
    let length = text(parts, CONTENT_LENGTH).and_then(|length| length.parse().ok());
    read(text(parts, CONTENT_TYPE), length, limit, Chunks(body)).await
}

fn with_input(mut parts: Parts, input: Arc<RawInput>) -> Parts {
    parts.extensions.insert(input);
    parts
}

fn text(parts: &Parts, name: HeaderName) -> Option<&str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

fn to_client(outcome: Outcome) -> Response {
    let mut response = rejection::response(outcome);
    response.extensions_mut().insert(FAILURE_FORMAT);
    response
}

/// The browser goes on with a GET (RFC 9110, 15.4.4).
fn see_other(destination: String) -> Response {
    match HeaderValue::try_from(destination) {
        Ok(destination) => (StatusCode::SEE_OTHER, [(LOCATION, destination)]).into_response(),
        // A path that came in a request goes out in a header.
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A form's outcome that could not be kept: a sentence, and the cause in the log.
fn to_person(call: &Call, error: &ActionError) -> Response {
    let status = Outcome::error(&call.name, error).status();
    (status, error.message().to_owned()).into_response()
}

fn without_session(parts: &Parts) -> Response {
    let route = parts.uri.path();
    tracing::error!(
        route,
        "a form's action has no session to leave its outcome in: add `Actions` before \
         `.layer(SessionLayer::new(sessions))`"
    );
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Where a form was sent to, and from where.
struct Page {
    uri: http::Uri,
    host: Option<String>,
    referer: Option<String>,
}

impl Page {
    fn of(parts: &Parts) -> Page {
        let text = |name| text(parts, name).map(str::to_owned);
        // HTTP/2 has no `Host`, but the authority in its place.
        let host = text(HOST).or_else(|| parts.uri.authority().map(ToString::to_string));
        Page { uri: parts.uri.clone(), host, referer: text(REFERER) }
    }

    fn sent(&self) -> Sent<'_> {
        Sent {
            path: self.uri.path(),
            query: self.uri.query(),
            host: self.host.as_deref(),
            referer: self.referer.as_deref(),
        }
    }
}

/// A body's data as it comes.
struct Chunks(Body);

impl Stream for Chunks {
    type Item = Result<Bytes, axum_core::Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, axum_core::Error>>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(context)) {
                Some(Ok(frame)) => {
                    // Trailers say nothing of the input.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}
