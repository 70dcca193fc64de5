//! The components. They know the session, and nothing of axum.

use askama::Template;
use cloakroom::{Result, Session};

use crate::CART;

/// What is in the cart.
#[derive(Template)]
#[template(source = r#"<a href="/">🛒 {{ items }} items</a>"#, ext = "html")]
pub(crate) struct CartButton {
    items: usize,
}

/// Whoever shows it passes the session on.
pub(crate) async fn cart_button(session: &Session) -> Result<CartButton> {
    let items = session.get_or_default(CART).await?.len();
    Ok(CartButton { items })
}

/// A welcome.
#[derive(Template)]
#[template(
    source = "<p>{% if known %}Welcome back!{% else %}Welcome!{% endif %}</p>",
    ext = "html"
)]
pub(crate) struct Greeting {
    known: bool,
}

/// Deep in the tree: nothing between it and the page has to know that it reads the session.
pub(crate) async fn greeting() -> Result<Greeting> {
    let known = Session::current()?.has(CART.name()).await?;
    Ok(Greeting { known })
}

/// What stands around every page.
#[derive(Template)]
#[template(
    source = "<!DOCTYPE html><title>Shop</title><header>{{ greeting|safe }}</header><main>{{ main|safe }}</main>",
    ext = "html"
)]
pub(crate) struct Layout<Main: Template> {
    greeting: Greeting,
    main: Main,
}

/// Around this one.
pub(crate) async fn layout<Main: Template>(main: Main) -> Result<Layout<Main>> {
    Ok(Layout { greeting: greeting().await?, main })
}
