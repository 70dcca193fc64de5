//! What every page's header shows of the session.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cloakroom::actions::Submitted;
use cloakroom::axum::Session;
use cloakroom::devalue::Date;

use crate::actions::{CART_ADD, CART_REMOVE};
use crate::middleware::PreviousVisit;
use crate::session::{CART, NOTICE, USER};

/// The one who looks at the page.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// How many things are in the cart.
    pub items: usize,
    /// Their name, when logged in.
    pub name: Option<String>,
    /// When they were here before.
    pub last_visit: Option<Date>,
    /// What this page says once.
    pub notice: Option<Notice>,
}

/// How something that the visitor did ended.
#[derive(Clone, Debug)]
pub struct Notice {
    /// For the visitor.
    pub text: String,
    /// Whether it failed.
    pub is_error: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let session =
            Session::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let previous = parts.extensions.get::<PreviousVisit>();
        let last_visit = previous.and_then(|&PreviousVisit(time)| time);
        read(&session, last_visit).await.map_err(IntoResponse::into_response)
    }
}

/// What a browser is told that was logged out behind its back.
const LOGGED_OUT_ELSEWHERE: &str = "You have been logged out here: on another device, or by logging in on too many. Please log in again.";

async fn read(session: &Session, last_visit: Option<Date>) -> cloakroom::axum::Result<Visitor> {
    let items = session.get_or_default(CART).await?.len();
    let name = session.get(USER).await?.map(|user| user.name);
    let notice = match session.flashed(NOTICE).await? {
        Some(text) => Some(Notice { text, is_error: false }),
        // The other device could not tell this browser.
        None if session.was_ended().await? => {
            Some(Notice { text: LOGGED_OUT_ELSEWHERE.to_owned(), is_error: true })
        }
        None => cart_notice(session).await?,
    };
    Ok(Visitor { items, name, last_visit, notice })
}

/// How the latest form of the cart ended, which stands on several pages.
async fn cart_notice(session: &Session) -> cloakroom::axum::Result<Option<Notice>> {
    for action in [CART_ADD, CART_REMOVE] {
        match Submitted::<usize>::take(session, action).await?.result {
            Some(Ok(items)) => {
                let text = match items {
                    1 => "1 item in your cart.".to_owned(),
                    _ => format!("{items} items in your cart."),
                };
                return Ok(Some(Notice { text, is_error: false }));
            }
            Some(Err(error)) => {
                let text = error.message().to_owned();
                return Ok(Some(Notice { text, is_error: true }));
            }
            None => {}
        }
    }
    Ok(None)
}
