//! The components. They know the session, and nothing of axum.

use cloakroom::{Result, Session};
use maud::{DOCTYPE, Markup, html};

use crate::CART;

/// What is in the cart. Whoever shows it passes the session on.
pub(crate) async fn cart_button(session: &Session) -> Result<Markup> {
    let cart = session.get_or_default(CART).await?;
    Ok(html! { a href="/" { "🛒 " (cart.len()) " items" } })
}

/// Deep in the tree: nothing between it and the page has to know that it reads the session.
pub(crate) async fn greeting() -> Result<Markup> {
    let known = Session::current()?.has(CART.name()).await?;
    Ok(html! { p { @if known { "Welcome back!" } @else { "Welcome!" } } })
}

/// What stands around every page.
pub(crate) async fn layout(main: Markup) -> Result<Markup> {
    Ok(html! {
        (DOCTYPE)
        title { "Shop" }
        header { (greeting().await?) }
        main { (main) }
    })
}
