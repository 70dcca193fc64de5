//! `/checkout`: an order that empties the cart.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};
use serde::Deserialize;

use crate::cart::{self, Line};
use crate::components::{layout, order};
use crate::session::CART;
use crate::visitor::Visitor;

/// What the order form sends. A demonstration keeps no addresses, so the name is all it reads.
#[derive(Debug, Default, Deserialize)]
pub struct Order {
    #[serde(default)]
    name: String,
}

/// `GET /checkout`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Response> {
    let cart = session.get_or_default(CART).await?;
    let name = visitor.name.clone().unwrap_or_default();
    Ok(layout("Checkout", Some(&visitor), &form(&cart::lines(&cart), &name)).into_response())
}

/// `POST /checkout`.
pub async fn place(
    mut visitor: Visitor,
    session: Session,
    order: Result<Form<Order>, FormRejection>,
) -> Result<Response> {
    let cart = session.take(CART).await?.unwrap_or_default();
    if cart.is_empty() {
        return Ok(Redirect::to("/cart").into_response());
    }
    visitor.items = 0;
    let Form(order) = order.unwrap_or_default();
    Ok(layout("Thank you", Some(&visitor), &confirmation(&cart::lines(&cart), order.name.trim()))
        .into_response())
}

fn form(lines: &[Line<'_>], name: &str) -> Markup {
    html! {
        h1 { "Checkout" }
        @if lines.is_empty() {
            p class="lead" { "There is nothing to pay for yet." }
            p { a class="button" href="/" { "See what is on the pegs" } }
        } @else {
            div class="columns" {
                form class="stack" method="post" action="/checkout" {
                    label { "Name" input name="name" autocomplete="name" value=(name) required; }
                    label { "Street and number" input name="street" autocomplete="street-address" required; }
                    label { "Postcode and town" input name="town" autocomplete="address-level2" required; }
                    p class="hint" { "A demonstration: nothing is charged, the address is not kept." }
                    button type="submit" { "Place the order" }
                }
                div { (order(lines)) p { a href="/cart" { "Change the cart" } } }
            }
        }
    }
}

fn confirmation(lines: &[Line<'_>], name: &str) -> Markup {
    html! {
        h1 { "Thank you" @if !name.is_empty() { ", " (name) } }
        p class="lead" { "Your order is on its way to the hall." }
        (order(lines))
        p { a class="button" href="/" { "Back to the shop" } }
    }
}
