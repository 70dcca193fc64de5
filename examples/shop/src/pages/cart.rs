//! `/cart`: what is in the cart.

use cloakroom::axum::{Result, Session};
use indexmap::IndexMap;
use maud::{Markup, html};

use crate::actions::{CART_ADD, CART_REMOVE, address};
use crate::cart::{self, Line};
use crate::catalogue::{Product, euros};
use crate::components::layout;
use crate::session::{CART, SIZES};
use crate::visitor::Visitor;

/// `GET /cart`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Markup> {
    let cart = session.get_or_default(CART).await?;
    let sizes = session.get_or_default(SIZES).await?.0;
    Ok(layout("Cart", Some(&visitor), &contents(&cart::lines(&cart), &sizes)))
}

fn contents(lines: &[Line<'_>], sizes: &IndexMap<String, f64>) -> Markup {
    html! {
        h1 { "Your cart" }
        @if lines.is_empty() {
            p class="lead" { "Nothing hangs here yet." }
            p { a class="button" href="/" { "See what is on the pegs" } }
        } @else {
            ul class="lines" { @for line in lines { (row(line, sizes)) } }
            div class="total" {
                p { "Total " strong class="price" { (euros(cart::total(lines))) } }
                a class="button" href="/checkout" { "Check out" }
            }
        }
    }
}

fn row(line: &Line<'_>, sizes: &IndexMap<String, f64>) -> Markup {
    let name = line.product().map_or(line.item, |product| product.name);
    html! {
        li class="line" {
            @match line.product() {
                Some(product) => {
                    img src=(product.picture.url()) alt="" width="96" height="96";
                    p class="line-name" {
                        a href={ "/products/" (product.slug) } { (name) }
                        (size(product, sizes))
                    }
                }
                None => {
                    span class="no-picture" aria-hidden="true" { "?" }
                    p class="line-name" { (name) small { "Not from this shop’s catalogue" } }
                }
            }
            div class="quantity" {
                (step(CART_REMOVE, line.item, "−", &format!("Remove one {name}")))
                span { (line.quantity) }
                (step(CART_ADD, line.item, "+", &format!("Add one more {name}")))
            }
            p class="price" { (line.price().map_or_else(|| "—".to_owned(), euros)) }
        }
    }
}

/// The cart holds slugs alone; the size is the one that the visitor wears.
fn size(product: &Product, own: &IndexMap<String, f64>) -> Markup {
    html! {
        @if let Some(sizes) = product.sizes {
            small {
                @match own.get(sizes.name) {
                    Some(size) => { (sizes.label) " " (size) },
                    None => a href={ "/products/" (product.slug) } { "Choose a size" },
                }
            }
        }
    }
}

fn step(action: &str, item: &str, sign: &str, label: &str) -> Markup {
    html! {
        form method="post" action=(address("/cart", action)) {
            input type="hidden" name="item" value=(item);
            button class="step" type="submit" aria-label=(label) { (sign) }
        }
    }
}
