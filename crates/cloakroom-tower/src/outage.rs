//! What a route says about outages.

use std::task::{Context, Poll};

use cloakroom_session::adapter::Commit;
use cloakroom_session::{OutagePolicy, Session};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

/// Declares what the requests of a route get while the session store does not answer, over what
/// [`SessionLayer`](crate::SessionLayer) and the configuration say.
///
/// It stands below the session layer: in axum, on a route or a method.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # {
/// use axum::{Router, routing::get};
/// use cloakroom_session::OutagePolicy;
/// use cloakroom_tower::OutageLayer;
/// use cloakroom_tower::axum::{Result, Session};
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
/// let front_page = get(front_page).layer(OutageLayer::new(OutagePolicy::Anonymous));
/// let app: Router = Router::new().route("/", front_page); // and above it `.layer(SessionLayer::new(sessions))`
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OutageLayer {
    policy: OutagePolicy,
}

impl OutageLayer {
    /// A layer that declares `policy`.
    pub fn new(policy: OutagePolicy) -> OutageLayer {
        OutageLayer { policy }
    }
}

impl<S> Layer<S> for OutageLayer {
    type Service = OutageService<S>;

    fn layer(&self, inner: S) -> OutageService<S> {
        OutageService { inner, policy: self.policy }
    }
}

/// The service that [`OutageLayer`] makes.
#[derive(Clone, Debug)]
pub struct OutageService<S> {
    inner: S,
    policy: OutagePolicy,
}

impl<S, Body> Service<Request<Body>> for OutageService<S>
where
    S: Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        // A route without a session has nothing that an outage could take away.
        if let Some(session) = request.extensions().get::<Session>() {
            session.set_outage_policy(self.policy);
        }
        self.inner.call(request)
    }
}
