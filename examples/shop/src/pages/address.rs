//! `/address`: where orders are sent. It asks for the password, so that nobody changes it who only finds a browser left open.

use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::actions::Submitted;
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};

use super::confirm;
use crate::account::needs_confirmation;
use crate::actions::{SAVE_ADDRESS, address};
use crate::components::{layout, text_field};
use crate::session::{ADDRESS, Address, DRAFT};
use crate::visitor::Visitor;

/// `GET /address`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Response> {
    if visitor.name.is_none() {
        return Ok(Redirect::to("/login").into_response());
    }
    if needs_confirmation(&session).await? {
        return Ok(confirm::before("/address").into_response());
    }
    let submitted = Submitted::take(&session, SAVE_ADDRESS).await?;
    let draft = session.flashed(DRAFT).await?;
    let is_draft = draft.is_some();
    let saved = match draft {
        Some(draft) => draft,
        None => session.get_or_default(ADDRESS).await?,
    };
    Ok(layout("Delivery address", Some(&visitor), &form(&saved, is_draft, &submitted))
        .into_response())
}

fn form(saved: &Address, is_draft: bool, submitted: &Submitted) -> Markup {
    let (street, town) = match submitted.input.is_empty() {
        true => (&*saved.street, &*saved.town),
        false => (submitted.input.value("street"), submitted.input.value("town")),
    };
    html! {
        h1 { "Delivery address" }
        p class="lead" { "Where your orders would go. It stays in your session." }
        @if is_draft { p class="error" { "This is not saved yet." } }
        form class="stack" method="post" action=(address("/address", SAVE_ADDRESS)) {
            (text_field("Street and number", "street", "street-address", street, submitted))
            (text_field("Postcode and town", "town", "address-level2", town, submitted))
            button type="submit" { "Save" }
        }
    }
}
