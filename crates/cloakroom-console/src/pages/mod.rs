//! The pages, one a file, and what all of them have.

pub(crate) mod list;
pub(crate) mod overview;
mod plot;
pub(crate) mod principal;
pub(crate) mod problem;
pub(crate) mod revoke;
mod search;
pub(crate) mod session;
pub(crate) mod sign_in;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use cloakroom_session::printable;
use maud::{DOCTYPE, Markup, html};

use crate::Console;

/// What the first page is called, beside the path itself that the console is nested at: that has a slash at its end in the one
/// router and none in the other.
pub(crate) const FIRST: &str = "overview";

/// What somebody asks for.
pub(crate) struct Visit<'a> {
    pub(crate) console: &'a Console,
    /// How each link begins: see [`Place`](crate::place::Place).
    pub(crate) root: &'a str,
    /// What is behind the `?`, or in the form that signs in.
    pub(crate) fields: Vec<(String, String)>,
    /// Whether it is somebody who may look.
    pub(crate) is_admitted: bool,
}

impl Visit<'_> {
    /// A field as it is, since white space may part one principal from another; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(key, _)| key == name);
        field.map_or("", |(_, value)| value)
    }

    /// A link to a page of the console.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// A link to a page, with one field.
    pub(crate) fn link_with(&self, path: &str, name: &str, value: &str) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        format!("{}{path}?{query}", self.root)
    }
}

/// What one page has of its own.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    pub(crate) main: Markup,
    /// After how many seconds a browser asks for it again, where that was wished.
    pub(crate) refresh: Option<u32>,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, main: Markup) -> Page {
        Page { status: StatusCode::OK, title: title.into(), main, refresh: None }
    }

    pub(crate) fn status(self, status: StatusCode) -> Page {
        Page { status, ..self }
    }
}

/// A whole page.
pub(crate) fn layout(visit: &Visit<'_>, page: Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                @if let Some(seconds) = page.refresh { meta http-equiv="refresh" content=(seconds); }
                title { (page.title) " · Cloakroom" }
                link rel="stylesheet" href=(visit.link(STYLE));
                link rel="icon" type="image/svg+xml" href=(visit.link(ICON));
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                header class="top" {
                    a class="brand" href=(visit.link(FIRST)) { "Cloakroom" }
                    @if visit.is_admitted {
                        p class="store" { (printable(&visit.console.store)) }
                        nav aria-label="Console" {
                            a href=(visit.link(FIRST)) { "Overview" }
                            a href=(visit.link("sessions")) { "Sessions" }
                            @if visit.console.access.has_tokens() {
                                form method="post" action=(visit.link("sign-out")) {
                                    button class="plain" type="submit" { "Sign out" }
                                }
                            }
                        }
                    }
                }
                main id="main" { (page.main) }
            }
        }
    }
}

const STYLE: &str = concat!("console-", env!("CARGO_PKG_VERSION"), ".css");
const ICON: &str = "icon.svg";

/// A file that is part of the program, for everybody.
pub(crate) fn asset(name: &str) -> Option<Response> {
    let (content_type, text) = match name {
        STYLE => ("text/css; charset=utf-8", include_str!("../../assets/console.css")),
        ICON => ("image/svg+xml", include_str!("../../assets/icon.svg")),
        _ => return None,
    };
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "public, max-age=3600")];
    Some((headers, text).into_response())
}
