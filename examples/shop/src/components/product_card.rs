use maud::{Markup, html};

use super::add_to_cart;
use crate::catalogue::{Product, euros};

/// A product in the grid.
pub fn product_card(product: &Product) -> Markup {
    html! {
        li class="card" {
            a class="card-link" href={ "/products/" (product.slug) } {
                img src=(product.picture.url()) alt=(product.alt) width="400" height="400";
                span class="card-name" { (product.name) }
            }
            p class="card-summary" { (product.summary) }
            div class="card-foot" {
                span class="price" { (euros(product.price)) }
                (add_to_cart(product, None))
            }
        }
    }
}
