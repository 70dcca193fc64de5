//! `/about`: a prerendered page. It has no session and is the same for everybody.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{Html, IntoResponse};
use maud::{Markup, html};

use crate::components::layout;

static PAGE: LazyLock<String> =
    LazyLock::new(|| layout("About the shop", None, &text()).into_string());

/// `GET /about`.
pub async fn show() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Html(PAGE.as_str()))
}

fn text() -> Markup {
    html! {
        div class="prose" {
            h1 { "About the shop" }
            p class="lead" { "Every hall has a row of pegs, and what hangs there goes out with you in the morning." }
            p {
                "Hook & Peg is the example shop of Cloakroom, server-side sessions in Rust. The cart, your name and \
                 your settings live in one session on the server; your browser keeps only its number, in a cookie."
            }
            p {
                "This page is prerendered: it knows no session and is the same for everybody. The cart button above \
                 asks for its number afterwards, when scripts may run."
            }
            h2 { "Things to try" }
            ul {
                li { "Switch off JavaScript: everything still works." }
                li { "Stop the shop and start it again: your cart is still there." }
                li { "Start a second shop on another port in the same folder: it knows you." }
                li { "Log in with a second browser, and log it out from the first, under “Your devices”." }
            }
        }
    }
}
