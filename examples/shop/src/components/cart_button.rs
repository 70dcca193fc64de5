use maud::{Markup, html};

/// The CartButton of Astro's documentation. `None` is for pages that know no session: the script fills in the
/// number.
pub fn cart_button(items: Option<usize>) -> Markup {
    html! {
        @match items {
            Some(items) => a href="/checkout" class="cart-button" data-cart-button { "🛒 " (items) " items" },
            None => a href="/checkout" class="cart-button" data-cart-button data-deferred { "🛒 Cart" },
        }
    }
}
