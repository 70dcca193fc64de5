//! The middleware: handler → commit → cookie.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::http::header::{COOKIE, HeaderValue};
use cloakroom_session::adapter::{
    CookieHeaders, Entered, FailureFormat, Finished, PrerenderedRoutes, Scopes,
};
use cloakroom_session::{OutagePolicy, Sessions};

use crate::body::SessionBody;
use crate::error::SessionError;
use crate::extract::Place;
use crate::headers::Headers;

/// Gives requests their session, and saves it when they are answered.
///
/// Below another one of the same [`Sessions`], as on a scope of an app that has one, it is the same session, which the
/// outer middleware saves; this one's [`outage`](SessionMiddleware::outage) and
/// [`prerendered`](SessionMiddleware::prerendered) hold for what is below it. Middleware of other `Sessions` has a
/// cookie of another name, and the handler gets the session of the innermost.
///
/// ```
/// use actix_web::{App, web};
/// use cloakroom_actix::{Result, Session, SessionMiddleware};
/// use cloakroom_session::{Config, OutagePolicy, Sessions};
///
/// async fn theme(session: Session) -> Result<String> {
///     Ok(session.get("theme").await?.unwrap_or_else(|| "light".to_owned()))
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// let app = App::new().route("/theme", web::get().to(theme)).wrap(
///     SessionMiddleware::new(sessions)
///         .outage(OutagePolicy::Anonymous)
///         .prerendered(["/about", "/assets/*"]),
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionMiddleware {
    sessions: Sessions,
    outage: Option<OutagePolicy>,
    prerendered: PrerenderedRoutes,
}

impl SessionMiddleware {
    /// A middleware over these sessions. All of a server's workers take clones of one [`Sessions`].
    pub fn new(sessions: Sessions) -> SessionMiddleware {
        SessionMiddleware { sessions, outage: None, prerendered: PrerenderedRoutes::default() }
    }

    /// Declares what requests get while the store does not answer, over what the configuration says. A route's own
    /// [`OutageMiddleware`](crate::OutageMiddleware) takes precedence over it.
    #[must_use]
    pub fn outage(mut self, policy: OutagePolicy) -> SessionMiddleware {
        self.outage = Some(policy);
        self
    }

    /// Marks routes as prerendered: they have no session, and whoever asks for one there gets an error that says so.
    /// They never get a cookie or a `Vary`, and never ask the store.
    #[must_use]
    pub fn prerendered(
        mut self,
        routes: impl IntoIterator<Item = impl Into<String>>,
    ) -> SessionMiddleware {
        self.prerendered = PrerenderedRoutes::new(routes);
        self
    }

    fn enter(&self, request: &ServiceRequest, above: &Scopes) -> Entered {
        let cookies = request.headers().get_all(COOKIE).map(HeaderValue::as_bytes);
        let cookies = || cookies.collect::<CookieHeaders>();
        self.sessions.enter(above, request.path(), &self.prerendered, self.outage, cookies)
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<SessionBody<B>>;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = Ready<Result<SessionService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService { inner, middleware: self.clone() }))
    }
}

/// The service that [`SessionMiddleware`] makes.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    middleware: SessionMiddleware,
}

impl<S, B> Service<ServiceRequest> for SessionService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody,
{
    type Response = ServiceResponse<SessionBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let place = Place::in_request(&request);
        let Entered { scope, scopes, joined } = self.middleware.enter(&request, &place.scopes());
        let filled = place.fill(scopes);
        let handler = scope.enter(|| self.inner.call(request));
        Box::pin(async move {
            let outcome = scope.run(handler).await;
            drop(filled);
            if joined {
                return Ok(outcome?.map_body(|_, body| SessionBody::joined(body)));
            }
            let finished = scope.finish().await.map_err(|error| {
                SessionError::from(error).told_in(outcome.as_ref().ok().and_then(format))
            })?;
            let mut response = outcome.map_err(|error| told(error, &finished))?;
            finished.apply(&mut Headers(response.headers_mut()));
            Ok(response.map_body(|_, body| SessionBody::new(body, &scope)))
        })
    }
}

fn format<B>(response: &ServiceResponse<B>) -> Option<FailureFormat> {
    response.response().extensions().get().copied()
}

/// An error of a middleware, which becomes a response only above this one, and needs the cookie as any other does.
fn told(error: Error, finished: &Finished) -> Error {
    if *finished == Finished::default() {
        return error;
    }
    let mut response = error.error_response();
    finished.apply(&mut Headers(response.headers_mut()));
    InternalError::from_response(error, response).into()
}
