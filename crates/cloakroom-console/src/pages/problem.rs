//! Pages for what is not there and what went wrong.

use axum::http::StatusCode;
use cloakroom_session::{Error, ErrorKind, printable};
use maud::html;

use super::Page;

fn page(status: StatusCode, title: &str, text: &str) -> Page {
    let main = html! {
        p class="eyebrow" { "Error " (status.as_u16()) }
        h1 { (title) }
        p class="lead" { (text) }
    };
    Page::new(title, main).status(status)
}

/// Nothing is at this address.
pub(crate) fn not_found() -> Page {
    page(StatusCode::NOT_FOUND, "Nothing here", "The console has no page at this address.")
}

/// The request is for another host than the loopback's.
pub(crate) fn wrong_host() -> Page {
    let text = "This console has no token, so it answers to the loopback's names alone, such as localhost. Start it with a token \
                to reach it by another one.";
    page(StatusCode::MISDIRECTED_REQUEST, "Not by this name", text)
}

/// Neither a page nor a form is asked for.
pub(crate) fn wrong_method() -> Page {
    let text = "The console has pages and forms, and answers no other kind of request.";
    page(StatusCode::METHOD_NOT_ALLOWED, "Not like this", text)
}

/// A form that is none of ours.
pub(crate) fn wrong_origin() -> Page {
    let text = "This was not sent by a page of this console, so nothing was done.";
    page(StatusCode::FORBIDDEN, "Not from here", text)
}

/// What came is no form.
pub(crate) fn no_form() -> Page {
    let text = "What was sent is no form of this console's, so nothing was done.";
    page(StatusCode::BAD_REQUEST, "Something is missing", text)
}

/// No session has this handle.
pub(crate) fn no_session() -> Page {
    let main = html! {
        p class="eyebrow" { "Error 404" }
        h1 { "No such session" }
        p class="lead" {
            "It has ended, or has a new ID since, and so another handle. One that has begun since the store was last looked at "
            "is found by its principal, or a little later."
        }
    };
    Page::new("No such session", main).status(StatusCode::NOT_FOUND)
}

/// What the store, or the library, says.
pub(crate) fn of(error: &Error) -> Page {
    let (status, title) = match error.kind() {
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "The store does not answer"),
        ErrorKind::InvalidPrincipal => (StatusCode::BAD_REQUEST, "No principal"),
        ErrorKind::Config => (StatusCode::NOT_IMPLEMENTED, "Not with this store"),
        _ => (StatusCode::BAD_GATEWAY, "The store refuses"),
    };
    tracing::warn!(%error, "the console shows an error");
    page(status, title, &printable(&error.to_string()))
}
