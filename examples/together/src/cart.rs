//! `/api/cart`: the cart as a piece of a page, which Astro's pages take in as it is, and the forms in it.

use axum::Form;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};
use serde::Deserialize;
use shop::cart::{self, Line};
use shop::catalogue::euros;
use shop::session::CART;

use crate::page::by_rust;

/// What the forms send.
#[derive(Debug, Deserialize)]
pub struct Item {
    item: String,
}

/// `GET /api/cart`: a piece of a page.
pub async fn show(session: Session) -> Result<Markup> {
    let cart = session.get_or_default(CART).await?;
    Ok(by_rust(&contents(&cart::lines(&cart))))
}

/// `POST /api/cart`: puts an item into the cart, whatever Astro is doing to the session meanwhile.
pub async fn add(session: Session, headers: HeaderMap, Form(form): Form<Item>) -> Result<Response> {
    if !cart::is_item(&form.item) {
        let message = format!("`item` must have 1 to {} characters", cart::LONGEST_ITEM);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, message).into_response());
    }
    cart::add(&session, &form.item, None).await?;
    Ok(back(&headers).into_response())
}

/// `POST /api/cart/remove`: takes one of them out again.
pub async fn remove(
    session: Session,
    headers: HeaderMap,
    Form(form): Form<Item>,
) -> Result<Redirect> {
    cart::remove(&session, &form.item).await?;
    Ok(back(&headers))
}

/// To the page that the form is on. The path alone is taken from the header: it leads nowhere else.
fn back(headers: &HeaderMap) -> Redirect {
    let page = headers.get(header::REFERER).and_then(|page| page.to_str().ok());
    let page = page.and_then(|page| page.parse::<axum::http::Uri>().ok());
    // Two slashes would begin the name of another host, and browsers take the other kind for one.
    let is_path =
        |path: &&str| path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let path = page.as_ref().map(|page| page.path()).filter(is_path);
    Redirect::to(path.unwrap_or("/"))
}

fn contents(lines: &[Line<'_>]) -> Markup {
    html! {
        h2 { "Your cart" }
        @if lines.is_empty() {
            p class="hint" { "Nothing hangs here yet." }
        } @else {
            ul class="pile" {
                @for line in lines {
                    li {
                        span { (line.quantity) " × " (line.product().map_or(line.item, |product| product.name)) }
                        span class="price" { (line.price().map_or_else(|| "—".to_owned(), euros)) }
                        form method="post" action="/api/cart/remove" {
                            input type="hidden" name="item" value=(line.item);
                            button class="step" type="submit" aria-label={ "Remove one " (line.item) } { "−" }
                        }
                    }
                }
            }
            p { a class="button" href="/checkout" { "Check out, " (euros(cart::total(lines))) } }
        }
    }
}
