//! The session in middleware, before and after the handler.
//!
//! Middleware that was added before the `SessionLayer` runs inside of it. It has the same session as the handler, and
//! what either sets is saved once, when both are done. In axum's middleware the session is an extractor ([`visits`]); a
//! plain tower service finds it in the request's extensions ([`trail`]).
//!
//! `cargo run -p example-middleware`, then `curl -b jar -c jar http://localhost:4321` and its other pages.

mod trail;
mod visits;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router, middleware};
use cloakroom::axum::{Result, Session};
use cloakroom::devalue::Date;
use cloakroom::{Config, Key, SessionLayer, Sessions};

use crate::trail::TrailLayer;
use crate::visits::PreviousVisit;

/// When the latest page was shown. JavaScript: `Date`.
const LAST_VISIT: Key<Date> = Key::new("lastVisit");
/// How many orders succeeded.
const ORDERS: Key<u32> = Key::new("orders");
/// The page that was asked for last.
const LAST_PAGE: Key<String> = Key::new("lastPage");
/// The page that failed last.
const LAST_ERROR: Key<String> = Key::new("lastError");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::from_config(Config::new("memory")).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4321").await?;
    axum::serve(listener, app(sessions)).await?;
    Ok(())
}

fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(home).layer(middleware::from_fn(visits::last_visit)))
        .route("/order", post(order).layer(middleware::from_fn(visits::count_orders)))
        .route("/sold-out", post(sold_out).layer(middleware::from_fn(visits::count_orders)))
        .route("/broken", get(broken))
        .layer(TrailLayer)
        // Last, which is outermost: it saves what all of them changed.
        .layer(SessionLayer::new(sessions))
}

async fn home(
    session: Session,
    Extension(PreviousVisit(previous)): Extension<PreviousVisit>,
) -> Result<String> {
    let welcome = if previous.is_some() { "Welcome back" } else { "Welcome" };
    let orders = session.get_or_default(ORDERS).await?;
    let page = session.get_or_default(LAST_PAGE).await?;
    let error = session.get(LAST_ERROR).await?;
    Ok(format!("{welcome} to {page}! Orders: {orders}. Last error: {error:?}."))
}

async fn order() -> &'static str {
    "ordered"
}

async fn sold_out() -> StatusCode {
    StatusCode::CONFLICT
}

async fn broken() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

#[cfg(test)]
mod tests;
