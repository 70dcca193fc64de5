//! An action's input as an extractor.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use cloakroom_actions::{ActionError, ErrorCode, FromInput, RawInput};

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
/// use cloakroom_actix::{Session, Valid};
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

impl<T: FromInput> FromRequest for Input<T> {
    type Error = ActionRejection;
    type Future = Ready<Result<Input<T>, ActionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let input = raw(request).and_then(|input| T::from_input(&input));
        ready(input.map(Input).map_err(ActionRejection::new))
    }
}

#[cfg(feature = "garde-0-23")]
impl<T> FromRequest for Valid<T>
where
    T: FromInput + garde::Validate<Context: Default>,
{
    type Error = ActionRejection;
    type Future = Ready<Result<Valid<T>, ActionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let input = raw(request).and_then(|input| cloakroom_actions::validated(&input));
        ready(input.map(Valid).map_err(ActionRejection::new))
    }
}

fn raw(request: &HttpRequest) -> Result<Arc<RawInput>, ActionError> {
    request.extensions().get::<Arc<RawInput>>().cloned().ok_or_else(|| {
        let route = request.path();
        tracing::error!(route, "an action's input was asked for by a handler that is no action");
        ActionError::new(ErrorCode::InternalServerError, "Only an action has an input.")
    })
}
