//! `/login` and `/logout`.

use axum::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};
use serde::Deserialize;

use crate::components::layout;
use crate::session::{USER, User};
use crate::visitor::Visitor;

/// The longest name that is kept, in characters.
const LONGEST_NAME: usize = 60;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct LoginForm {
    name: String,
}

/// `GET /login`.
pub async fn show(visitor: Visitor) -> Markup {
    page(&visitor, None)
}

/// `POST /login`.
pub async fn log_in(
    visitor: Visitor,
    session: Session,
    Form(form): Form<LoginForm>,
) -> Result<Response> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let refused = page(&visitor, Some("Please give a name of at most 60 letters."));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, refused).into_response());
    }
    // A new id on every change of privilege: an id that somebody planted before is worth nothing now.
    session.regenerate().await?;
    session.set(USER, &User { name: name.to_owned() })?;
    Ok(Redirect::to("/").into_response())
}

/// `POST /logout`.
pub async fn log_out(session: Session) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

fn page(visitor: &Visitor, error: Option<&str>) -> Markup {
    match &visitor.name {
        Some(name) if error.is_none() => layout("Account", Some(visitor), &account(name)),
        _ => layout("Log in", Some(visitor), &form(error)),
    }
}

fn account(name: &str) -> Markup {
    html! {
        h1 { "Hello, " (name) }
        p class="lead" { "You are logged in. Your cart came along." }
        form method="post" action="/logout" { button type="submit" { "Log out" } }
    }
}

fn form(error: Option<&str>) -> Markup {
    html! {
        h1 { "Log in" }
        p class="lead" { "A name will do; there is no password in a demonstration." }
        form class="stack narrow" method="post" action="/login" {
            label {
                "Name"
                input name="name" autocomplete="name" maxlength=(LONGEST_NAME) required
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "name-error")];
            }
            @if let Some(error) = error { p class="error" id="name-error" { (error) } }
            button type="submit" { "Log in" }
        }
    }
}
