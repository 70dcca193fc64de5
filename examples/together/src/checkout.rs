//! `/checkout`: an order that empties the cart, and `/thanks` after it.

use axum::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};
use serde::Deserialize;
use shop::account::LONGEST_NAME;
use shop::cart::{self, Line};
use shop::components::order;
use shop::pages::checkout::confirmation;
use shop::session::{CART, ORDER, Order, USER};

use crate::page::{Visitor, page};

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct OrderForm {
    name: String,
}

/// `GET /checkout`.
pub async fn show(session: Session) -> Result<Markup> {
    let cart = session.get_or_default(CART).await?;
    let visitor = visitor(&session).await?;
    Ok(page(
        "Checkout",
        &visitor,
        &form(&cart::lines(&cart), visitor.name.as_deref().unwrap_or_default()),
    ))
}

/// `POST /checkout`.
pub async fn place_order(session: Session, Form(form): Form<OrderForm>) -> Result<Response> {
    let name = form.name.trim();
    if name.chars().count() > LONGEST_NAME {
        let message = format!("A name has at most {LONGEST_NAME} letters.");
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, message).into_response());
    }
    let mut items = Vec::new();
    // Whoever empties the cart orders what was in it, and nobody else does.
    session.update(CART, |cart| items = std::mem::take(cart)).await?;
    if items.is_empty() {
        return Ok(Redirect::to("/checkout").into_response());
    }
    session.flash(ORDER, &Order { name: name.to_owned(), items })?;
    Ok(Redirect::to("/thanks").into_response())
}

/// `GET /thanks`: shows an order once.
pub async fn thanks(session: Session) -> Result<Response> {
    let Some(order) = session.flashed(ORDER).await? else {
        return Ok(Redirect::to("/").into_response());
    };
    let main = confirmation(&cart::lines(&order.items), &order.name);
    Ok(page("Thank you", &visitor(&session).await?, &main).into_response())
}

async fn visitor(session: &Session) -> Result<Visitor> {
    let name = session.get(USER).await?.map(|user| user.name);
    Ok(Visitor { name, items: session.get_or_default(CART).await?.len() })
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
                    label { "Name" input name="name" autocomplete="name" required maxlength=(LONGEST_NAME) value=(name); }
                    p class="hint" { "A demonstration: nothing is charged." }
                    button type="submit" { "Place the order" }
                }
                div { (order(lines)) }
            }
        }
    }
}
