//! The layer and its service.

use std::task::{Context, Poll};

use bytes::Bytes;
use cloakroom_session::adapter::{
    CookieHeaders, Entered, Prerendered, PrerenderedRoutes, Scope, Scopes,
};
use cloakroom_session::{OutagePolicy, Session, Sessions};
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::SessionBody;
use crate::future::ResponseFuture;

/// Gives requests their session, and saves it when they are answered.
///
/// Below another layer of the same [`Sessions`], as on a router that is merged or nested, it is the same session, which
/// the outer layer saves; this one's [`outage`](SessionLayer::outage) and [`prerendered`](SessionLayer::prerendered)
/// hold for what is below it. Layers of other `Sessions` have a cookie of another name, and the handler gets the
/// session of the innermost.
///
/// ```
/// use cloakroom_session::{Config, Session, Sessions};
/// use cloakroom_tower::SessionLayer;
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// let service = ServiceBuilder::new().layer(SessionLayer::new(sessions)).service(service_fn(
///     async |request: Request<String>| {
///         if let Some(session) = request.extensions().get::<Session>() {
///             session.set("theme", "dark")?;
///         }
///         Ok::<_, cloakroom_session::Error>(Response::new(String::from("hello")))
///     },
/// ));
/// let response = service.oneshot(Request::new(String::new())).await?;
/// assert!(response.headers().contains_key("set-cookie"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer {
    sessions: Sessions,
    outage: Option<OutagePolicy>,
    prerendered: PrerenderedRoutes,
}

impl SessionLayer {
    /// A layer over these sessions.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # use cloakroom_tower::SessionLayer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let layer = SessionLayer::new(Sessions::from_config(Config::new("memory")).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(sessions: Sessions) -> SessionLayer {
        SessionLayer { sessions, outage: None, prerendered: PrerenderedRoutes::default() }
    }

    /// Declares what requests get while the store does not answer, over what the configuration says. A route's own
    /// [`OutageLayer`](crate::OutageLayer) takes precedence over it.
    ///
    /// ```
    /// # use cloakroom_session::{Config, OutagePolicy, Sessions};
    /// # use cloakroom_tower::SessionLayer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let layer = SessionLayer::new(Sessions::from_config(Config::new("memory")).await?).outage(OutagePolicy::ReadOnly);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn outage(mut self, policy: OutagePolicy) -> SessionLayer {
        self.outage = Some(policy);
        self
    }

    /// Marks routes as prerendered: they have no session, and whoever asks for one there gets an error that says so.
    /// They never get a cookie or a `Vary`, and never ask the store.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # use cloakroom_tower::SessionLayer;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// let layer = SessionLayer::new(sessions).prerendered(["/about", "/assets/*"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn prerendered(
        mut self,
        routes: impl IntoIterator<Item = impl Into<String>>,
    ) -> SessionLayer {
        self.prerendered = PrerenderedRoutes::new(routes);
        self
    }

    /// Puts the request's session, or what it has in its place, where the extractors find it. Says also whether a
    /// layer above has it already, and commits it.
    fn enter<B>(&self, request: &mut Request<B>) -> (Scope, bool) {
        let cookies = || CookieHeaders::from(request.headers());
        let path = request.uri().path();
        let Some(above) = above(request) else {
            let scope = self.sessions.enter_first(path, &self.prerendered, self.outage, cookies);
            leave(&scope, request);
            return (scope, false);
        };
        let Entered { scope, scopes, joined } =
            self.sessions.enter(&above, path, &self.prerendered, self.outage, cookies);
        // What a layer above has left there is not what the request has here.
        let extensions = request.extensions_mut();
        extensions.remove::<Session>();
        extensions.remove::<Prerendered>();
        if scopes.is_nested() {
            extensions.insert(scopes);
        }
        leave(&scope, request);
        (scope, joined)
    }
}

/// Puts what the request has where the extractors find it.
fn leave<B>(scope: &Scope, request: &mut Request<B>) {
    match scope {
        Scope::Session(session) => _ = request.extensions_mut().insert(session.clone()),
        Scope::Prerendered(page) => _ = request.extensions_mut().insert(page.clone()),
    }
}

/// What the request has from the layers above, where there are any.
fn above<B>(request: &Request<B>) -> Option<Scopes> {
    let extensions = request.extensions();
    if let Some(scopes) = extensions.get::<Scopes>() {
        return Some(scopes.clone());
    }
    // Below a single layer, what it left for the extractors says it all.
    let session = extensions.get::<Session>().cloned().map(Scope::Session);
    let page = || extensions.get::<Prerendered>().cloned().map(Scope::Prerendered);
    session.or_else(page).map(Scopes::from)
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, layer: self.clone() }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    layer: SessionLayer,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    ResponseBody: Body<Data = Bytes>,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResponseBody>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let (scope, joined) = self.layer.enter(&mut request);
        let mut scope = Some(scope);
        // A plain service may do its work right here, and not only when it is polled.
        let handler = Scope::lend(&mut scope, || self.inner.call(request));
        ResponseFuture::new(handler, scope, joined)
    }
}
