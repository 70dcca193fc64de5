//! Routes that are not for everybody.

use std::time::Duration;

use cloakroom_session::adapter::{Guard, GuardedRequest};
use salvo::http::header::ACCEPT;
use salvo::http::{HeaderValue, ResBody};
use salvo::{Depot, FlowCtrl, Handler, Request, Response, async_trait};

use crate::error::{Result, SessionError};
use crate::extract::session;

/// Lets those requests pass whose visitor is signed in.
///
/// It stands below the session middleware, on a router. Others get 401; with
/// [`or_sign_in_at`](RequirePrincipal::or_sign_in_at), who looks at a page is sent to sign in.
///
/// ```
/// use cloakroom_salvo::{Principal, RequirePrincipal, Result, ReturnTo, Session};
/// use salvo::writing::Redirect;
/// use salvo::{Router, Writer, handler};
///
/// #[handler]
/// async fn orders(principal: Principal) -> String {
///     format!("The orders of {principal}")
/// }
///
/// /// Its form is sent to the address that it has itself, and so the query comes along.
/// #[handler]
/// async fn login() -> &'static str {
///     "…"
/// }
///
/// #[handler]
/// async fn log_in(session: Session, return_to: ReturnTo) -> Result<Redirect> {
///     // After the password was right.
///     session.sign_in("ann").await?;
///     Ok(Redirect::other(return_to.as_str()))
/// }
///
/// let guard = RequirePrincipal::or_sign_in_at("/login");
/// let app = Router::new() // and above it `.hoop(SessionMiddleware::new(sessions))`
///     .push(Router::with_path("orders").hoop(guard).get(orders))
///     .push(Router::with_path("login").get(login).post(log_in));
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
    /// The page itself is for all, so that the guard may stand before a whole site.
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
/// use cloakroom_salvo::{RequirePrincipal, RequireRecent};
/// use salvo::{Router, handler};
///
/// #[handler]
/// async fn new_password() -> &'static str {
///     "…"
/// }
///
/// let confirmed = RequireRecent::within(Duration::from_secs(5 * 60)).or_confirm_at("/confirm");
/// let app = Router::new() // and above it `.hoop(SessionMiddleware::new(sessions))`
///     .hoop(RequirePrincipal::or_sign_in_at("/login"))
///     .push(Router::with_path("password").hoop(confirmed).get(new_password));
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

#[async_trait]
impl Handler for RequirePrincipal {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        flow: &mut FlowCtrl,
    ) {
        guard(&self.0, request, depot, response, flow).await;
    }
}

#[async_trait]
impl Handler for RequireRecent {
    async fn handle(
        &self,
        request: &mut Request,
        depot: &mut Depot,
        response: &mut Response,
        flow: &mut FlowCtrl,
    ) {
        guard(&self.0, request, depot, response, flow).await;
    }
}

/// Answers in the place of the handlers below, where the request may not pass.
async fn guard(
    guard: &Guard,
    request: &Request,
    depot: &Depot,
    response: &mut Response,
    flow: &mut FlowCtrl,
) {
    if let Err(error) = check(guard, request, depot).await {
        refuse(guard, error, request, response);
        flow.skip_rest();
    }
}

async fn check(guard: &Guard, request: &Request, depot: &Depot) -> Result<()> {
    if guard.spares(request.uri().path()) {
        return Ok(());
    }
    Ok(guard.check(session(request, depot)?).await?)
}

fn refuse(guard: &Guard, error: SessionError, request: &Request, response: &mut Response) {
    let path_and_query = request.uri().path_and_query();
    let refusal = guard.refuse(
        error.into_inner(),
        GuardedRequest {
            method: request.method().as_str(),
            path_and_query: path_and_query.map_or("/", |both| both.as_str()),
            accept: request.headers().get(ACCEPT).map(HeaderValue::as_bytes),
        },
    );
    let (head, text) = refusal.into_response(|text| text.into_owned()).into_parts();
    response.status_code(head.status);
    response.headers_mut().extend(head.headers);
    response.replace_body(ResBody::Once(text.into()));
}
