//! Where to send a visitor who has signed in, as an extractor.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use cloakroom_session::adapter;
use serde::{Deserialize, Serialize};

/// Where to send a visitor who has signed in: the `return_to` of the request's query, if it is safe to go there, and else `/`.
///
/// Dereferences to [`cloakroom_session::adapter::ReturnTo`], which says what is safe. A form has it as a field:
///
/// ```
/// use cloakroom_actix::ReturnTo;
///
/// #[derive(serde::Deserialize)]
/// struct SignIn {
///     name: String,
///     #[serde(default)]
///     return_to: ReturnTo,
/// }
///
/// let form = actix_web::web::Query::<SignIn>::from_query("name=ann&return_to=//evil.example").unwrap();
/// assert_eq!(form.return_to.as_str(), "/");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ReturnTo(adapter::ReturnTo);

impl ReturnTo {
    /// The path, with its query.
    pub fn into_string(self) -> String {
        self.0.into_string()
    }
}

impl Deref for ReturnTo {
    type Target = adapter::ReturnTo;

    fn deref(&self) -> &adapter::ReturnTo {
        &self.0
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromRequest for ReturnTo {
    type Error = Infallible;
    type Future = Ready<Result<ReturnTo, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(ReturnTo(adapter::ReturnTo::from_query(request.query_string()))))
    }
}
