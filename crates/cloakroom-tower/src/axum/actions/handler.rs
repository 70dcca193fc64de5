//! Functions as actions.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use axum_core::response::IntoResponse;
use cloakroom_actions::{ActionError, Outcome};
use http::request::Parts;
use serde::Serialize;

use super::rejection;

/// An async function that is an action: up to eight extractors, each of the parts of a request alone, and a `Result`
/// of something that serde can serialise. Implemented for all of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an action",
    note = "an action is an async function of up to eight extractors that implement `FromRequestParts`, such as \
            `Session` and `Input<T>`, and returns a `Result<T, E>` where `T: Serialize` and `E: Into<ActionError>`"
)]
pub trait ActionHandler<A, S>: Clone + Send + Sync + 'static {
    /// Runs the action of this name for a request.
    fn call(self, name: &str, parts: Parts, state: S) -> impl Future<Output = Outcome> + Send;
}

/// An action whatever its function's type is.
pub(super) type Handler<S> = Arc<dyn Fn(Parts, S) -> BoxFuture<Outcome> + Send + Sync>;

pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) fn erase<A, S: Send + 'static>(
    name: &str,
    handler: impl ActionHandler<A, S>,
) -> Handler<S> {
    let name: Arc<str> = name.into();
    Arc::new(move |parts, state| {
        let (handler, name) = (handler.clone(), Arc::clone(&name));
        Box::pin(async move { handler.call(&name, parts, state).await })
    })
}

macro_rules! functions {
    ($($extractor:ident)*) => {
        impl<F, Answer, T, E, S, $($extractor,)*> ActionHandler<($($extractor,)*), S> for F
        where
            F: FnOnce($($extractor,)*) -> Answer + Clone + Send + Sync + 'static,
            Answer: Future<Output = Result<T, E>> + Send,
            T: Serialize + 'static,
            E: Into<ActionError>,
            S: Send + Sync,
            $($extractor: FromRequestParts<S> + Send,)*
        {
            #[allow(non_snake_case, unused_mut, unused_variables)]
            async fn call(self, name: &str, mut parts: Parts, state: S) -> Outcome {
                $(
                    let extracted = $extractor::from_request_parts(&mut parts, &state).await;
                    let $extractor = match extracted.map_err(IntoResponse::into_response) {
                        Ok(extracted) => extracted,
                        Err(refused) => return rejection::outcome(name, refused).await,
                    };
                )*
                // What is left of the request may hold a handle to the session.
                drop(parts);
                Outcome::new(name, self($($extractor,)*).await.map_err(Into::into))
            }
        }
    };
}

functions!();
functions!(T1);
functions!(T1 T2);
functions!(T1 T2 T3);
functions!(T1 T2 T3 T4);
functions!(T1 T2 T3 T4 T5);
functions!(T1 T2 T3 T4 T5 T6);
functions!(T1 T2 T3 T4 T5 T6 T7);
functions!(T1 T2 T3 T4 T5 T6 T7 T8);
