//! Functions as actions.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, Handler, HttpMessage, HttpRequest};
use cloakroom_actions::{ActionError, Outcome, RawInput};
use serde::Serialize;

use super::rejection;

/// An action whatever its function's type is. The workers share it; what it returns stays with one of them.
pub(super) type Action = Arc<dyn Fn(HttpRequest) -> LocalFuture<Outcome> + Send + Sync>;

pub(super) type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

pub(super) fn erase<H, A, T, E>(name: &str, handler: H) -> Action
where
    H: Handler<A, Output = Result<T, E>> + Send + Sync,
    A: FromRequest + 'static,
    T: Serialize + 'static,
    E: Into<ActionError>,
{
    let name: Arc<str> = name.into();
    Arc::new(move |request| {
        let (handler, name) = (handler.clone(), Arc::clone(&name));
        Box::pin(async move {
            // The body is the input, which was read before.
            let outcome = match A::from_request(&request, &mut Payload::None).await {
                Ok(extracted) => {
                    Outcome::new(&name, handler.call(extracted).await.map_err(Into::into))
                }
                Err(refused) => rejection::outcome(&name, &refused.into()),
            };
            // The response holds on to its request, and need not hold an upload.
            request.extensions_mut().remove::<Arc<RawInput>>();
            outcome
        })
    })
}
