//! What runs around the pages.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use cloakroom::axum::{Result, Session};
use cloakroom::devalue::Date;

use crate::pages::problem;
use crate::session::LAST_VISIT;

/// When the visitor saw a page before this one. [`last_visit`] leaves it in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct PreviousVisit(pub Option<Date>);

/// Sets `lastVisit` to now on every page view.
pub async fn last_visit(session: Session, mut request: Request, next: Next) -> Result<Response> {
    if request.method() == Method::GET {
        request.extensions_mut().insert(PreviousVisit(session.get(LAST_VISIT).await?));
        session.set(LAST_VISIT, &Date::now())?;
    }
    Ok(next.run(request).await)
}

/// Gives browsers a page in the shop's look where an answer is an error of another kind: a lost session store, a
/// refused form. Programs get the answer as it was.
pub async fn errors_as_pages(request: Request, next: Next) -> Response {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let wants_page = accept.is_some_and(|accept| accept.contains("text/html"));
    let response = next.run(request).await;

    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !failed || !wants_page || kind.is_some_and(|kind| kind.starts_with("text/html")) {
        return response;
    }
    let page = problem::page(status);
    let (mut parts, _) = response.into_parts();
    // Everything but the body stays, `Retry-After` for one.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(page.headers().clone());
    Response::from_parts(parts, page.into_body())
}

/// Keeps a page of an account's from whoever goes back to it in the browser once its owner has logged out.
pub async fn kept_by_nobody(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Headers that a shop owes its visitors: nothing from elsewhere may run, look in or be framed.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
