//! An action's input as an extractor.

use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use cloakroom_actions::{ActionError, ErrorCode, FromInput, RawInput};
use http::request::Parts;

use super::rejection::ActionRejection;

/// An action's input, read into a type of serde's, or as [`FormData`](cloakroom_actions::FormData).
///
/// What is not such a value is refused with an issue for each thing that is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Input<T>(pub T);

/// An action's input that keeps the rules of its type, which the crate `garde` lets fields have.
///
/// ```
/// use cloakroom_actions::Result;
/// use cloakroom_tower::axum::{Session, Valid};
/// use garde::Validate;
///
/// #[derive(serde::Deserialize, Validate)]
/// struct LogIn {
///     #[garde(length(chars, min = 1, max = 60))]
///     name: String,
/// }
///
/// async fn log_in(session: Session, Valid(form): Valid<LogIn>) -> Result<()> {
///     session.regenerate().await?;
///     Ok(session.set("user", &form.name)?)
/// }
/// ```
#[cfg(feature = "garde-0-23")]
#[derive(Clone, Copy, Debug)]
pub struct Valid<T>(pub T);

impl<T: FromInput, S: Sync> FromRequestParts<S> for Input<T> {
    type Rejection = ActionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Input<T>, ActionRejection> {
        Ok(Input(T::from_input(raw(parts)?)?))
    }
}

#[cfg(feature = "garde-0-23")]
impl<T, S: Sync> FromRequestParts<S> for Valid<T>
where
    T: FromInput + garde::Validate<Context: Default>,
{
    type Rejection = ActionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Valid<T>, ActionRejection> {
        Ok(Valid(cloakroom_actions::validated(raw(parts)?)?))
    }
}

fn raw(parts: &Parts) -> Result<&RawInput, ActionError> {
    parts.extensions.get::<Arc<RawInput>>().map(AsRef::as_ref).ok_or_else(|| {
        let route = parts.uri.path();
        tracing::error!(route, "an action's input was asked for by a handler that is no action");
        ActionError::new(ErrorCode::InternalServerError, "Only an action has an input.")
    })
}
