//! Routes that are not for everybody.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cloakroom_session::adapter::{Guard, GuardedRequest, Prerendered};
use cloakroom_session::{Error, Session};
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response, Uri};
use tower_layer::Layer;
use tower_service::Service;

/// Lets those requests pass whose visitor is signed in.
///
/// It stands below the session layer: in axum, on a router, a route or a method. Others get 401; with
/// [`or_sign_in_at`](RequirePrincipal::or_sign_in_at), who looks at a page is sent to sign in.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # {
/// use axum::{Router, response::Redirect, routing::get};
/// use cloakroom_tower::RequirePrincipal;
/// use cloakroom_tower::axum::{Principal, Result, ReturnTo, Session};
///
/// async fn orders(principal: Principal) -> String {
///     format!("The orders of {principal}")
/// }
///
/// /// Its form is sent to the address that it has itself, and so the query comes along.
/// async fn login() -> &'static str {
///     "…"
/// }
///
/// async fn log_in(session: Session, return_to: ReturnTo) -> Result<Redirect> {
///     // After the password was right.
///     session.sign_in("ann").await?;
///     Ok(Redirect::to(&return_to))
/// }
///
/// let app: Router = Router::new()
///     .route("/orders", get(orders))
///     .layer(RequirePrincipal::or_sign_in_at("/login"))
///     .route("/login", get(login).post(log_in)); // and above it `.layer(SessionLayer::new(sessions))`
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RequirePrincipal(Arc<Guard>);

impl RequirePrincipal {
    /// Refuses all others: 401.
    pub fn new() -> RequirePrincipal {
        RequirePrincipal(Arc::new(Guard::principal()))
    }

    /// Sends visitors to this page of the site, by 303 and `Cache-Control: no-store`, with the address that they asked for as
    /// `return_to`. What a script asks for, or is not `GET` or `HEAD`, is 401.
    ///
    /// The page itself is for all, so that the layer may stand before a whole site.
    pub fn or_sign_in_at(page: impl AsRef<str>) -> RequirePrincipal {
        RequirePrincipal(Arc::new(Guard::principal().or_at(page.as_ref())))
    }
}

impl Default for RequirePrincipal {
    fn default() -> RequirePrincipal {
        RequirePrincipal::new()
    }
}

/// Lets those requests pass whose visitor was authenticated a short time ago, by
/// [`sign_in`](Session::sign_in) or [`reauthenticated`](Session::reauthenticated).
///
/// Others get 403, and 401 where nobody is signed in, unless a [`RequirePrincipal`] above sends them to sign in.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # {
/// use std::time::Duration;
/// use axum::{Router, routing::get};
/// use cloakroom_tower::{RequirePrincipal, RequireRecent};
///
/// async fn new_password() -> &'static str {
///     "…"
/// }
///
/// let confirmed = RequireRecent::within(Duration::from_secs(5 * 60)).or_confirm_at("/confirm");
/// let app: Router = Router::new()
///     .route("/password", get(new_password).layer(confirmed))
///     .layer(RequirePrincipal::or_sign_in_at("/login")); // and above it `.layer(SessionLayer::new(sessions))`
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RequireRecent(Arc<Guard>);

impl RequireRecent {
    /// Refuses where the authentication is older than this.
    pub fn within(within: Duration) -> RequireRecent {
        RequireRecent(Arc::new(Guard::recent(within)))
    }

    /// Sends who is signed in to this page of the site, to confirm that it is they, as
    /// [`RequirePrincipal::or_sign_in_at`] does.
    #[must_use]
    pub fn or_confirm_at(self, page: impl AsRef<str>) -> RequireRecent {
        RequireRecent(Arc::new(Arc::unwrap_or_clone(self.0).or_at(page.as_ref())))
    }
}

impl<S> Layer<S> for RequirePrincipal {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { inner, guard: self.0.clone() }
    }
}

impl<S> Layer<S> for RequireRecent {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService { inner, guard: self.0.clone() }
    }
}

/// The service that [`RequirePrincipal`] and [`RequireRecent`] make.
#[derive(Clone, Debug)]
pub struct GuardService<S> {
    inner: S,
    guard: Arc<Guard>,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for GuardService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>, Future: Send>,
    S: Clone + Send + 'static,
    RequestBody: Send + 'static,
    ResponseBody: From<String>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        // The one that said it is ready is the one to be called.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        if self.guard.spares(uri(&request).path()) {
            return Box::pin(inner.call(request));
        }
        let (guard, session) = (self.guard.clone(), session(&request));
        Box::pin(async move {
            let passes = match session {
                Ok(session) => guard.check(&session).await,
                Err(error) => Err(error),
            };
            match passes {
                Ok(()) => inner.call(request).await,
                Err(error) => Ok(refuse(&guard, error, &request)),
            }
        })
    }
}

fn refuse<RequestBody, ResponseBody: From<String>>(
    guard: &Guard,
    error: Error,
    request: &Request<RequestBody>,
) -> Response<ResponseBody> {
    let path_and_query = uri(request).path_and_query();
    let refusal = guard.refuse(
        error,
        GuardedRequest {
            method: request.method().as_str(),
            path_and_query: path_and_query.map_or("/", |both| both.as_str()),
            accept: request.headers().get(ACCEPT).map(HeaderValue::as_bytes),
        },
    );
    refusal.into_response(|text| ResponseBody::from(text.into_owned()))
}

fn session<B>(request: &Request<B>) -> Result<Session, Error> {
    let extensions = request.extensions();
    match (extensions.get::<Session>(), extensions.get::<Prerendered>()) {
        (Some(session), _) => Ok(session.clone()),
        (None, Some(page)) => Err(page.error()),
        (None, None) => Err(Error::no_session(
            request.uri().path(),
            "below a SessionLayer; add the guard before `.layer(SessionLayer::new(sessions))`",
        )),
    }
}

/// What the browser asked for: in a nested router of axum's the request has lost the beginning of its path.
fn uri<B>(request: &Request<B>) -> &Uri {
    #[cfg(feature = "axum")]
    if let Some(::axum::extract::OriginalUri(uri)) = request.extensions().get() {
        return uri;
    }
    request.uri()
}
