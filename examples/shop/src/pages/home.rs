//! `/`: everything on offer.

use maud::{Markup, html};

use crate::catalogue::CATALOGUE;
use crate::components::{layout, product_card};
use crate::visitor::Visitor;

/// `GET /`.
pub async fn show(visitor: Visitor) -> Markup {
    layout("Things that hang in a hall", Some(&visitor), &grid())
}

fn grid() -> Markup {
    html! {
        div class="intro" {
            h1 { "Things that hang in a hall" }
            p { "Eight of them, made to be taken off the peg every day for years." }
        }
        ul class="grid" { @for product in &CATALOGUE { (product_card(product)) } }
    }
}
