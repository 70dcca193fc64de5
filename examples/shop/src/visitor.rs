//! What every page's header shows of the session.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cloakroom::axum::Session;
use cloakroom::devalue::Date;

use crate::middleware::PreviousVisit;
use crate::session::{CART, USER};

/// The one who looks at the page.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// How many things are in the cart.
    pub items: usize,
    /// Their name, when logged in.
    pub name: Option<String>,
    /// When they were here before.
    pub last_visit: Option<Date>,
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

async fn read(session: &Session, last_visit: Option<Date>) -> cloakroom::axum::Result<Visitor> {
    let items = session.get_or_default(CART).await?.len();
    let name = session.get(USER).await?.map(|user| user.name);
    Ok(Visitor { items, name, last_visit })
}
