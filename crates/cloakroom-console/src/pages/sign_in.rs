//! What others get than those who have given the token.

use axum::http::StatusCode;
use maud::html;

use super::{Page, Visit};

/// A form for the token, whatever page was asked for.
pub(crate) fn form(visit: &Visit<'_>, was_wrong: bool) -> Page {
    let main = html! {
        h1 { "Sign in" }
        p class="lead" { "The console shows sessions and ends them. It wants the token that it was started with." }
        form class="search" method="post" action=(visit.link("sign-in")) {
            label for="token" { "Token" }
            div class="row" {
                // A browser may keep it, as it keeps passwords.
                input id="token" name="token" type="password" autocomplete="current-password" required autofocus
                    aria-describedby=[was_wrong.then_some("wrong")] aria-invalid=[was_wrong.then_some("true")];
                button type="submit" { "Sign in" }
            }
            @if was_wrong { p class="error" id="wrong" role="alert" { "This is not the token." } }
        }
    };
    Page::new("Sign in", main).status(StatusCode::UNAUTHORIZED)
}
