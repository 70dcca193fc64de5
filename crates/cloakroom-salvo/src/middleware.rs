//! The middleware: handler → commit → cookie.

use std::pin::Pin;

use cloakroom_session::adapter::{
    CookieHeaders, Entered, FailureFormat, Finished, LateCommit, PrerenderedRoutes, Scopes,
};
use cloakroom_session::{Error, OutagePolicy, Sessions};
use futures_util::{Stream, stream};
use salvo::http::body::{BytesFrame, ResBody};
use salvo::{BoxedError, Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::error::SessionError;

/// Gives requests their session, and saves it when they are answered.
///
/// Below another one of the same [`Sessions`], as on a router whose parent has one, it is the same session, which the
/// outer middleware saves; this one's [`outage`](SessionMiddleware::outage) and
/// [`prerendered`](SessionMiddleware::prerendered) hold for what is below it. Middleware of other `Sessions` has a
/// cookie of another name, and the handler gets the session of the innermost.
///
/// ```
/// use cloakroom_salvo::{Result, Session, SessionMiddleware};
/// use cloakroom_session::{Config, OutagePolicy, Sessions};
/// use salvo::{Router, Writer, handler};
///
/// #[handler]
/// async fn theme(session: Session) -> Result<String> {
///     Ok(session.get("theme").await?.unwrap_or_else(|| "light".to_owned()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// let sessions = SessionMiddleware::new(sessions)
///     .outage(OutagePolicy::Anonymous)
///     .prerendered(["/about", "/assets/*"]);
/// let app = Router::new().hoop(sessions).push(Router::with_path("theme").get(theme));
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
    /// A middleware over these sessions.
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

    fn enter(&self, request: &Request, above: &Scopes) -> Entered {
        let cookies = || CookieHeaders::from(request.headers());
        self.sessions.enter(above, request.uri().path(), &self.prerendered, self.outage, cookies)
    }
}

#[async_trait]
impl Handler for SessionMiddleware {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        flow: &mut FlowCtrl,
    ) {
        let above = depot.remove_typed::<Scopes>().unwrap_or_default();
        let Entered { scope, scopes, joined } = self.enter(request, &above);
        depot.insert_typed(scopes);
        scope.run(flow.call_next(request, depot, response)).await;
        // Leaves no handle to the session but those that the body has of its own, and to the hoops above their own.
        drop(depot.remove_typed::<Scopes>());
        if above.innermost().is_some() {
            depot.insert_typed(above);
        }
        if joined {
            return;
        }
        match scope.finish().await {
            Ok(finished) => {
                apply(&finished, response);
                commit_late(response, scope.late());
            }
            Err(error) => take_back(response, error),
        }
    }
}

/// Says in the response what it has to say about the session.
fn apply(finished: &Finished, response: &mut Response) {
    // Salvo's feature `cookie` keeps what handlers add in a jar until the response leaves. One of the session cookie's
    // name may be among them, so they go into the headers before. Without knowing whether the feature is on, there is
    // but this way to the jar.
    if finished.set_cookie.is_some() && response.has_cookie_changes() {
        let (head, body) = response.strip_to_hyper().into_parts();
        response.headers = head.headers;
        response.extensions = head.extensions;
        response.body = body;
    }
    finished.apply(response.headers_mut());
}

/// Nothing of what the handler said holds, wherever in the response it said it: not its headers alone, but its cookies,
/// which salvo keeps apart, its extensions and its trailers. The [`Depot`] is the request's, and is left to the hoops
/// above.
fn take_back(response: &mut Response, error: Error) {
    let format = response.extensions.get::<FailureFormat>().copied();
    let version = response.version;
    *response = Response::new();
    response.version = version;
    SessionError::from(error).render_in(format, response);
}

/// Lets a body that may hold on to the session commit what it changes while it streams.
fn commit_late(response: &mut Response, mut late: LateCommit<BytesFrame>) {
    let streams =
        matches!(response.body, ResBody::Boxed(_) | ResBody::Channel(_) | ResBody::Stream(_));
    if late.is_done() || !streams {
        return;
    }
    let mut body = response.take_body();
    response.stream(stream::poll_fn(move |context| {
        late.poll::<BoxedError>(context, |context| {
            let frame = Pin::new(&mut body).poll_next(context);
            frame.map(|frame| frame.map(|frame| (frame.map(BytesFrame).map_err(Into::into), false)))
        })
    }));
}
