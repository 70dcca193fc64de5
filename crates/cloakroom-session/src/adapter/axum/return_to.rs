//! Where to send a visitor who has signed in, as axum's extractor.

use std::convert::Infallible;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::adapter::ReturnTo;

/// With the feature `axum`, what the request's query says. A form has it as a field.
impl<S: Sync> FromRequestParts<S> for ReturnTo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<ReturnTo, Infallible> {
        Ok(parts.uri.query().map(ReturnTo::from_query).unwrap_or_default())
    }
}
