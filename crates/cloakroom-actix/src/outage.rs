//! What a route or a scope says about outages.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use cloakroom_session::OutagePolicy;
use cloakroom_session::adapter::{Commit, Scope};

use crate::extract::Place;

/// Declares what the requests of a route or a scope get while the session store does not answer, over what
/// [`SessionMiddleware`](crate::SessionMiddleware) and the configuration say.
///
/// ```
/// use actix_web::{App, web};
/// use cloakroom_actix::{OutageMiddleware, Result, Session};
/// use cloakroom_session::OutagePolicy;
///
/// async fn front_page(session: Session) -> Result<String> {
///     let name: Option<String> = session.get("name").await?;
///     Ok(match name {
///         Some(name) => format!("Hello {name}"),
///         None if session.is_degraded() => "Hello. Your session is away for a moment.".to_owned(),
///         None => "Hello".to_owned(),
///     })
/// }
///
/// let front_page = web::get().to(front_page).wrap(OutageMiddleware::new(OutagePolicy::Anonymous));
/// let app = App::new().route("/", front_page); // and `.wrap(SessionMiddleware::new(sessions))`
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OutageMiddleware {
    policy: OutagePolicy,
}

impl OutageMiddleware {
    /// A middleware that declares `policy`.
    pub fn new(policy: OutagePolicy) -> OutageMiddleware {
        OutageMiddleware { policy }
    }
}

impl<S, B> Transform<S, ServiceRequest> for OutageMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = OutageService<S>;
    type InitError = ();
    type Future = Ready<Result<OutageService<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(OutageService { inner, policy: self.policy }))
    }
}

/// The service that [`OutageMiddleware`] makes.
#[derive(Clone, Debug)]
pub struct OutageService<S> {
    inner: S,
    policy: OutagePolicy,
}

impl<S> Service<ServiceRequest> for OutageService<S>
where
    S: Service<ServiceRequest>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> S::Future {
        // A route without a session has nothing that an outage could take away.
        if let Some(Scope::Session(session)) = Place::of(&request) {
            session.set_outage_policy(self.policy);
        }
        self.inner.call(request)
    }
}
