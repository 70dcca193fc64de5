//! Who is at the console.

use std::sync::Arc;

use axum::http::Extensions;

/// Who is at the console, for the audit log: an application's own authorisation puts it into the extensions of a request, and
/// the [events](cloakroom_session::Sessions::events) of the sessions that are ended then have its name.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
/// use cloakroom_console::Operator;
///
/// async fn operators_alone(mut request: Request, next: Next) -> Response {
///     // Where the application has found out who it is.
///     request.extensions_mut().insert(Operator::new("support: bob"));
///     next.run(request).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Operator(Arc<str>);

impl Operator {
    /// Somebody of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Operator {
        Operator(name.into())
    }

    /// The name of who has made a request.
    pub(crate) fn of(extensions: &Extensions) -> Arc<str> {
        let operator = extensions.get::<Operator>();
        operator.map_or_else(|| "cloakroom console".into(), |Operator(name)| name.clone())
    }
}
