use maud::{Markup, html};

use crate::cart::{self, Line};
use crate::catalogue::euros;

/// What is being ordered, with its total.
pub fn order(lines: &[Line<'_>]) -> Markup {
    html! {
        table class="order" {
            caption { "Your order" }
            thead class="unseen" {
                tr { th scope="col" { "Item" } th scope="col" { "Quantity" } th scope="col" { "Price" } }
            }
            tbody {
                @for line in lines {
                    tr {
                        th scope="row" { (line.product().map_or(line.item, |product| product.name)) }
                        td { (line.quantity) " ×" }
                        td class="price" { (line.price().map_or_else(|| "on request".to_owned(), euros)) }
                    }
                }
            }
            tfoot {
                tr { th scope="row" colspan="2" { "Total" } td class="price" { (euros(cart::total(lines))) } }
            }
        }
    }
}
