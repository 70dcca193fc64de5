//! The middleware: handler → commit → cookie.

use std::pin::Pin;

use cloakroom_session::{
    CookieHeaders, LateCommit, OutagePolicy, PrerenderedRoutes, Scope, Sessions,
};
use futures_util::{Stream, stream};
use salvo::http::body::{BytesFrame, ResBody};
use salvo::{BoxedError, Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::error::SessionError;

/// Gives requests their session, and saves it when they are answered.
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
    /// [`OutageMiddleware`](crate::OutageMiddleware) goes before it.
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

    fn scope(&self, request: &Request) -> Scope {
        let cookies = || CookieHeaders::from(request.headers());
        self.sessions.scope(request.uri().path(), &self.prerendered, self.outage, cookies)
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
        let scope = self.scope(request);
        depot.insert_typed(scope.clone());
        scope.run(flow.call_next(request, depot, response)).await;
        // Leaves no handle to the session but those that the body has of its own.
        drop(depot.remove_typed::<Scope>());
        match scope.finish().await {
            Ok(finished) => {
                finished.apply(response.headers_mut());
                commit_late(response, scope.late());
            }
            // Nothing of what the handler said holds.
            Err(error) => {
                response.headers_mut().clear();
                response.render(SessionError::from(error));
            }
        }
    }
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
