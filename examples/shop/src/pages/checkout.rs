//! `/checkout`: an order that empties the cart, and `/thanks` after it.

use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::actions::Submitted;
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};

use crate::account::needs_confirmation;
use crate::actions::{PLACE_ORDER, address};
use crate::cart::{self, Line};
use crate::components::{layout, order, text_field};
use crate::session::{ADDRESS, Address, CART, ORDER};
use crate::visitor::Visitor;

/// `GET /checkout`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Markup> {
    let cart = session.get_or_default(CART).await?;
    let submitted = Submitted::take(&session, PLACE_ORDER).await?;
    let name = visitor.name.clone().unwrap_or_default();
    // Whoever finds a browser left open sees no address here either.
    let address = match visitor.name.is_some() && !needs_confirmation(&session).await? {
        true => session.get_or_default(ADDRESS).await?,
        false => Address::default(),
    };
    let main = form(&cart::lines(&cart), &name, &address, &submitted);
    Ok(layout("Checkout", Some(&visitor), &main))
}

/// `GET /thanks`: shows an order once.
pub async fn thanks(visitor: Visitor, session: Session) -> Result<Response> {
    Ok(match session.flashed(ORDER).await? {
        Some(order) => {
            let main = confirmation(&cart::lines(&order.items), &order.name);
            layout("Thank you", Some(&visitor), &main).into_response()
        }
        None => Redirect::to("/cart").into_response(),
    })
}

fn form(lines: &[Line<'_>], name: &str, known: &Address, submitted: &Submitted) -> Markup {
    let (name, street, town) = match submitted.input.is_empty() {
        true => (name, &*known.street, &*known.town),
        false => {
            let typed = |field| submitted.input.value(field);
            (typed("name"), typed("street"), typed("town"))
        }
    };
    html! {
        h1 { "Checkout" }
        @if lines.is_empty() {
            p class="lead" { "There is nothing to pay for yet." }
            p { a class="button" href="/" { "See what is on the pegs" } }
        } @else {
            div class="columns" {
                form class="stack" method="post" action=(address("/thanks", PLACE_ORDER)) {
                    (text_field("Name", "name", "name", name, submitted))
                    (text_field("Street and number", "street", "street-address", street, submitted))
                    (text_field("Postcode and town", "town", "address-level2", town, submitted))
                    p class="hint" { "A demonstration: nothing is charged, an address given here is not kept." }
                    button type="submit" { "Place the order" }
                }
                div { (order(lines)) p { a href="/cart" { "Change the cart" } } }
            }
        }
    }
}

/// What `/thanks` says.
pub fn confirmation(lines: &[Line<'_>], name: &str) -> Markup {
    html! {
        h1 { "Thank you" @if !name.is_empty() { ", " (name) } }
        p class="lead" { "Your order is on its way to the hall." }
        (order(lines))
        p { a class="button" href="/" { "Back to the shop" } }
    }
}
