//! Routes and scopes that are not for everybody.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, HeaderValue, LOCATION};
use actix_web::{Error, HttpResponse, ResponseError};
use cloakroom_session::adapter::{Guard, GuardedRequest, Refusal};

use crate::error::SessionError;
use crate::extract::Session;

/// Lets those requests pass whose visitor is signed in.
///
/// It stands below the session middleware, on a route or a scope, or is wrapped around an app before it. Others get 401; with
/// [`or_sign_in_at`](RequirePrincipal::or_sign_in_at), who looks at a page is sent to sign in.
///
/// ```
/// use actix_web::web::Redirect;
/// use actix_web::{App, web};
/// use cloakroom_actix::{Principal, RequirePrincipal, Result, ReturnTo, Session};
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
///     Ok(Redirect::to(return_to.into_string()).see_other())
/// }
///
/// let orders = web::get().to(orders).wrap(RequirePrincipal::or_sign_in_at("/login"));
/// let app = App::new()
///     .route("/orders", orders)
///     .route("/login", web::get().to(login))
///     .route("/login", web::post().to(log_in)); // and `.wrap(SessionMiddleware::new(sessions))`
/// ```
#[derive(Clone, Debug)]
pub struct RequirePrincipal(Guard);

impl RequirePrincipal {
    /// Refuses all others: 401.
    pub fn new() -> RequirePrincipal {
        RequirePrincipal(Guard::principal())
    }

    /// Sends visitors to this page of the site, by 303 and `Cache-Control: no-store`, with the address that they asked for as
    /// `return_to`. What a script asks for, or is not `GET` or `HEAD`, is 401.
    ///
    /// The page itself is for all, so that the middleware may stand before a whole site.
    pub fn or_sign_in_at(page: impl AsRef<str>) -> RequirePrincipal {
        RequirePrincipal(Guard::principal().or_at(page.as_ref()))
    }
}

impl Default for RequirePrincipal {
    fn default() -> RequirePrincipal {
        RequirePrincipal::new()
    }
}

/// Lets those requests pass whose visitor was authenticated a short time ago, by
/// [`sign_in`](cloakroom_session::Session::sign_in) or [`reauthenticated`](cloakroom_session::Session::reauthenticated).
///
/// Others get 403, and 401 where nobody is signed in, unless a [`RequirePrincipal`] above sends them to sign in.
///
/// ```
/// use std::time::Duration;
/// use actix_web::{App, web};
/// use cloakroom_actix::{RequirePrincipal, RequireRecent};
///
/// async fn new_password() -> &'static str {
///     "…"
/// }
///
/// let confirmed = RequireRecent::within(Duration::from_secs(5 * 60)).or_confirm_at("/confirm");
/// let app = App::new()
///     .route("/password", web::get().to(new_password).wrap(confirmed))
///     .wrap(RequirePrincipal::or_sign_in_at("/login")); // and `.wrap(SessionMiddleware::new(sessions))`
/// ```
#[derive(Clone, Debug)]
pub struct RequireRecent(Guard);

impl RequireRecent {
    /// Refuses where the authentication is older than this.
    pub fn within(within: Duration) -> RequireRecent {
        RequireRecent(Guard::recent(within))
    }

    /// Sends who is signed in to this page of the site, to confirm that it is they, as
    /// [`RequirePrincipal::or_sign_in_at`] does.
    #[must_use]
    pub fn or_confirm_at(self, page: impl AsRef<str>) -> RequireRecent {
        RequireRecent(self.0.or_at(page.as_ref()))
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequirePrincipal
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = GuardService<S>;
    type InitError = ();
    type Future = Ready<Result<GuardService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(GuardService::new(inner, &self.0)))
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequireRecent
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = GuardService<S>;
    type InitError = ();
    type Future = Ready<Result<GuardService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(GuardService::new(inner, &self.0)))
    }
}

/// The service that [`RequirePrincipal`] and [`RequireRecent`] make.
#[derive(Debug)]
pub struct GuardService<S> {
    // A request asks the session first, and the service afterwards.
    inner: Rc<S>,
    guard: Rc<Guard>,
}

impl<S> GuardService<S> {
    fn new(inner: S, guard: &Guard) -> GuardService<S> {
        GuardService { inner: Rc::new(inner), guard: Rc::new(guard.clone()) }
    }
}

impl<S, B> Service<ServiceRequest> for GuardService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (inner, guard) = (self.inner.clone(), self.guard.clone());
        Box::pin(async move {
            match check(&guard, &request).await {
                Ok(()) => Ok(inner.call(request).await?.map_into_left_body()),
                Err(error) => {
                    let response = refuse(&guard, error, &request);
                    Ok(request.into_response(response.map_into_right_body()))
                }
            }
        })
    }
}

async fn check(guard: &Guard, request: &ServiceRequest) -> Result<(), SessionError> {
    if guard.spares(request.path()) {
        return Ok(());
    }
    let session = Session::of(request.request())?;
    Ok(guard.check(&session).await?)
}

fn refuse(guard: &Guard, error: SessionError, request: &ServiceRequest) -> HttpResponse {
    let path_and_query = request.uri().path_and_query();
    let refusal = guard.refuse(
        error.into_inner(),
        GuardedRequest {
            method: request.method().as_str(),
            path_and_query: path_and_query.map_or("/", |both| both.as_str()),
            accept: request.headers().get(ACCEPT).map(HeaderValue::as_bytes),
        },
    );
    match refusal {
        Refusal::Error(error) => SessionError::from(error).error_response(),
        Refusal::SeeOther(location) => {
            let mut response = HttpResponse::SeeOther();
            response.insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store"));
            response.finish()
        }
    }
}
