//! `/checkout`: an order that empties the cart, and `/thanks` after it.

use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::actions::Submitted;
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};

use crate::actions::{PLACE_ORDER, address};
use crate::cart::{self, Line};
use crate::components::{layout, order, text_field};
use crate::session::{CART, ORDER};
use crate::visitor::Visitor;

/// `GET /checkout`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Markup> {
    let cart = session.get_or_default(CART).await?;
    let submitted = Submitted::take(&session, PLACE_ORDER).await?;
    let name = visitor.name.clone().unwrap_or_default();
    Ok(layout("Checkout", Some(&visitor), &form(&cart::lines(&cart), &name, &submitted)))
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

fn form(lines: &[Line<'_>], name: &str, submitted: &Submitted) -> Markup {
    let name = if submitted.input.is_empty() { name } else { submitted.input.value("name") };
    html! {
        h1 { "Checkout" }
        @if lines.is_empty() {
            p class="lead" { "There is nothing to pay for yet." }
            p { a class="button" href="/" { "See what is on the pegs" } }
        } @else {
            div class="columns" {
                form class="stack" method="post" action=(address("/thanks", PLACE_ORDER)) {
                    (text_field("Name", "name", "name", name, submitted))
                    (text_field("Street and number", "street", "street-address", submitted.input.value("street"), submitted))
                    (text_field("Postcode and town", "town", "address-level2", submitted.input.value("town"), submitted))
                    p class="hint" { "A demonstration: nothing is charged, the address is not kept." }
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
