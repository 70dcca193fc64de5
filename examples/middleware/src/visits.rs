//! Middleware of axum: functions, to which the session is an extractor as in a handler.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use cloakroom::axum::{Result, Session};
use cloakroom::devalue::Date;

use crate::{LAST_VISIT, ORDERS};

/// When the visitor was here before, for the handler: in the session it is now already.
#[derive(Clone, Copy)]
pub(crate) struct PreviousVisit(pub(crate) Option<Date>);

/// Before the handler: reads, writes, and hands on what it read.
pub(crate) async fn last_visit(
    session: Session,
    mut request: Request,
    next: Next,
) -> Result<Response> {
    request.extensions_mut().insert(PreviousVisit(session.get(LAST_VISIT).await?));
    session.set(LAST_VISIT, &Date::now())?;
    Ok(next.run(request).await)
}

/// After the handler: counts what succeeded, and loses no count to a request at the same time.
pub(crate) async fn count_orders(
    session: Session,
    request: Request,
    next: Next,
) -> Result<Response> {
    let response = next.run(request).await;
    if response.status().is_success() {
        session.update(ORDERS, |orders| *orders += 1).await?;
    }
    Ok(response)
}
