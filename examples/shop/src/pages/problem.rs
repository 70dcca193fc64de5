//! Pages for what is not there and what went wrong.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::components::layout;

/// The answer to an address that leads nowhere. It reads no session, so that it costs a crawler's visit nothing.
pub async fn not_found() -> Response {
    page(StatusCode::NOT_FOUND)
}

/// A page for any error status.
pub fn page(status: StatusCode) -> Response {
    (status, body(status)).into_response()
}

/// The page's markup alone.
pub fn body(status: StatusCode) -> Markup {
    let (title, text) = match status {
        StatusCode::NOT_FOUND => {
            ("An empty peg", "There is nothing at this address. It may have been sold out.")
        }
        StatusCode::FORBIDDEN => {
            ("Not from here", "This form was sent from another site, so nothing was changed.")
        }
        StatusCode::UNAUTHORIZED => ("Not logged in", "Please log in first."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("Not like this", "This address answers another kind of request.")
        }
        StatusCode::CONFLICT => (
            "A moment too late",
            "You have logged in or out in the meantime, or were away for long, so nothing was changed. Please try again.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "Back in a moment",
            "The cloakroom cannot be reached just now. Nothing is lost; please try again.",
        ),
        status if status.is_client_error() => (
            "Something is missing",
            "We could not read what was sent. Please go back and try again.",
        ),
        _ => (
            "That was us",
            "Something went wrong on our side. It has been written down; please try again.",
        ),
    };
    layout(
        title,
        None,
        &html! {
            div class="problem" {
                p class="eyebrow" { "Error " (status.as_u16()) }
                h1 { (title) }
                p class="lead" { (text) }
                p { a class="button" href="/" { "Back to the shop" } }
                // A session that cannot be read is left as it is; its visitor may still walk away from it.
                @if status == StatusCode::INTERNAL_SERVER_ERROR {
                    form method="post" action="/logout" {
                        p { "If it keeps happening: " button class="plain" type="submit" { "start afresh" } }
                    }
                }
            }
        },
    )
}
