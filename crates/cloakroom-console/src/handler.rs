//! One request and its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use cloakroom_server::OnRefusal;
use tokio::time::timeout;

use crate::Console;
use crate::operator::Operator;
use crate::pages::{self, Page, Visit};
use crate::place::Place;

/// The longest form: a token. The others have nothing but their address.
const LONGEST_FORM: usize = 16 * 1024;

/// How long a form may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nothing but what the console itself serves; no script at all, no frame around it, and forms that lead back here.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What every answer says.
const HEADERS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(crate) async fn answer(State(console): State<Arc<Console>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = respond(&console, &parts, body).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn respond(console: &Console, parts: &Parts, body: Body) -> Response {
    let place = Place::of(parts);
    let segments = place.segments();
    let fields = fields(parts.uri.query().unwrap_or_default().as_bytes());
    let mut visit = Visit { console, root: &place.root, fields, is_admitted: false };
    if !console.access.is_for(parts) {
        return whole(&visit, pages::problem::wrong_host());
    }
    let is_post = match parts.method {
        Method::GET | Method::HEAD => false,
        Method::POST => true,
        _ => {
            let mut response = whole(&visit, pages::problem::wrong_method());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return response;
        }
    };
    if let (false, [file]) = (is_post, &segments[..])
        && let Some(asset) = pages::asset(file)
    {
        return asset;
    }
    // Before anything is looked at: what another site's page sends is refused whatever it is.
    if is_post && !is_own(console, parts) {
        return whole(&visit, pages::problem::wrong_origin());
    }
    if console.access.has_tokens() && is_post && segments == ["sign-in"] {
        return match read(parts, body).await {
            Some(fields) => sign_in(&Visit { fields, ..visit }, parts),
            None => whole(&visit, pages::problem::no_form()),
        };
    }
    if !console.access.admits(&parts.headers) {
        return whole(&visit, pages::sign_in::form(&visit, false));
    }
    visit.is_admitted = true;
    if console.access.has_tokens() && is_post && segments == ["sign-out"] {
        return to_first_page(console.access.sign_out(&parts.headers));
    }
    let page = match (is_post, &segments[..]) {
        (false, [] | [pages::FIRST]) => Ok(pages::overview::show(&visit).await),
        (false, ["sessions"]) => pages::list::show(&visit).await,
        (false, ["sessions", handle]) => pages::session::show(&visit, handle).await,
        (false, ["sessions", handle, "revoke"]) => pages::revoke::ask(&visit, handle).await,
        (true, ["sessions", handle, "revoke"]) => {
            pages::revoke::end(&visit, handle, Operator::of(&parts.extensions)).await
        }
        (false, ["principal"]) => pages::principal::show(&visit).await,
        (false, ["principal", "revoke"]) => pages::principal::ask(&visit).await,
        (true, ["principal", "revoke"]) => {
            pages::principal::end(&visit, Operator::of(&parts.extensions)).await
        }
        _ => Ok(pages::problem::not_found()),
    };
    whole(&visit, page.unwrap_or_else(|error| pages::problem::of(&error)))
}

/// Whether a form is one of our own pages', by what a browser says of itself. Of whatever type it says that it is.
fn is_own(console: &Console, parts: &Parts) -> bool {
    console.origin.allows(parts.method.as_str(), |name| match name {
        "content-type" => None,
        name => parts.headers.get(name).map(HeaderValue::as_bytes),
    })
}

fn sign_in(visit: &Visit<'_>, parts: &Parts) -> Response {
    match visit.console.access.sign_in(visit.field("token"), &parts.headers) {
        Some(cookie) => to_first_page(Some(cookie)),
        None => {
            tracing::warn!("somebody has given the console a wrong token");
            whole(visit, pages::sign_in::form(visit, true))
        }
    }
}

/// From where one signs in or out, which is beside it.
fn to_first_page(cookie: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(pages::FIRST));
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// A page with what all pages have.
fn whole(visit: &Visit<'_>, page: Page) -> Response {
    let status = page.status;
    let html = pages::layout(visit, page).into_string();
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// What a form has sent; `None` where it is too long, or does not come.
async fn read(parts: &Parts, body: Body) -> Option<Vec<(String, String)>> {
    // Whoever sends it may be anybody, and must keep nobody out by sending it slowly.
    if let Some(waits) = parts.extensions.get::<OnRefusal>() {
        waits.call();
    }
    let bytes = timeout(PATIENCE, to_bytes(body, LONGEST_FORM)).await.ok()?.ok()?;
    Some(fields(&bytes))
}

fn fields(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}
