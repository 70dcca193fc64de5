//! Whose the session is, as an extractor.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use cloakroom_session::adapter;

use crate::error::SessionError;
use crate::extract::Session;

/// Whose the request's session is. A handler that takes it is reached by those alone who are signed in; others get 401.
///
/// Dereferences to [`cloakroom_session::adapter::Principal`]. `Option<Principal>` is `None` where nobody is signed in, and, as
/// actix-web has it, also where the session cannot be read: `session.principal()` tells them apart.
///
/// ```
/// use cloakroom_actix::Principal;
///
/// async fn orders(principal: Principal) -> String {
///     format!("The orders of {principal}")
/// }
///
/// # #[actix_web::main]
/// # async fn main() {
/// assert_eq!(orders("ann".into()).await, "The orders of ann");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal(adapter::Principal);

impl Principal {
    /// The text.
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for Principal {
    type Target = adapter::Principal;

    fn deref(&self) -> &adapter::Principal {
        &self.0
    }
}

/// For a test of a handler.
impl From<&str> for Principal {
    fn from(principal: &str) -> Principal {
        Principal(principal.into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromRequest for Principal {
    type Error = SessionError;
    type Future = Pin<Box<dyn Future<Output = Result<Principal, SessionError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = Session::of(request);
        Box::pin(async move {
            let session = session?;
            Ok(Principal(adapter::Principal::of(&session).await?))
        })
    }
}
