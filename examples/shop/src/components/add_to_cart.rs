use maud::{Markup, html};

use crate::actions::{CART_ADD, address};
use crate::catalogue::{Product, Sizes};

/// The form that puts a product into the cart, with a choice of sizes if they are given. The second half of
/// `sizes` is the visitor's own.
pub fn add_to_cart(product: &Product, sizes: Option<(&Sizes, Option<f64>)>) -> Markup {
    html! {
        form method="post" action=(address("/cart", CART_ADD)) data-add-to-cart=(product.name) {
            input type="hidden" name="item" value=(product.slug);
            @if let Some((sizes, own)) = sizes {
                fieldset class="sizes" {
                    legend { (sizes.label) }
                    @for &size in sizes.all {
                        label {
                            input type="radio" name="size" value=(size) checked[own == Some(size)];
                            span { (size) }
                        }
                    }
                }
            }
            // The name is for those who hear a list of buttons.
            button type="submit" aria-label={ "Add to cart: " (product.name) } { "Add to cart" }
        }
    }
}
