//! `/login` and `/logout`.

use axum::response::Redirect;
use cloakroom::actions::Submitted;
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};

use crate::account::PASSWORD;
use crate::actions::{LOG_IN, address};
use crate::components::{layout, password_field, text_field};
use crate::visitor::Visitor;

/// `GET /login`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Markup> {
    let submitted = Submitted::take(&session, LOG_IN).await?;
    Ok(match &visitor.name {
        Some(name) if submitted.error().is_none() => {
            layout("Account", Some(&visitor), &account(name))
        }
        _ => layout("Log in", Some(&visitor), &form(&submitted)),
    })
}

/// `POST /logout`: no action, so that it works where the session cannot even be read.
pub async fn log_out(session: Session) -> Redirect {
    session.sign_out();
    Redirect::to("/")
}

fn account(name: &str) -> Markup {
    html! {
        h1 { "Hello, " (name) }
        p class="lead" { "You are logged in. Your cart came along." }
        ul class="details" {
            li { a href="/devices" { "Your devices" } " – where you are logged in" }
            li { a href="/address" { "Delivery address" } " – asks for your password, unless you have just given it" }
            li { a href="/settings" { "Settings" } }
        }
        form method="post" action="/logout" { button type="submit" { "Log out" } }
    }
}

fn form(submitted: &Submitted) -> Markup {
    html! {
        h1 { "Log in" }
        p class="lead" {
            "A name will do. A demonstration keeps no accounts, so the password is the same for everybody: "
            strong { (PASSWORD) } "."
        }
        form class="stack narrow" method="post" action=(address("/", LOG_IN)) {
            (text_field("Name", "name", "name", submitted.input.value("name"), submitted))
            (password_field(submitted))
            @if let Some(error) = submitted.error().filter(|error| !error.is_input_error()) {
                p class="error" { (error.message()) }
            }
            button type="submit" { "Log in" }
        }
    }
}
