//! Server-rendered components that read the session, with maud.
//!
//! A component is an async function from the session to markup. It takes `&Session` where its callers have one, which
//! says in its signature what it reads; deep in the tree it asks for `Session::current()`. All components of a page
//! share one load, and a page without any costs none.
//!
//! Components read. What changes the session is an endpoint, and a page that is shown after it.
//!
//! `cargo run -p example-components-maud`, then <http://localhost:4321>.

mod components;

use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Form, Router};
use cloakroom::axum::{Result, Session};
use cloakroom::{Config, Key, SessionLayer, Sessions};
use maud::{Markup, html};
use serde::Deserialize;

const CART: Key<Vec<String>> = Key::new("cart");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sessions = Sessions::from_config(Config::new("memory")).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4321").await?;
    axum::serve(listener, app(sessions)).await?;
    Ok(())
}

fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(shop))
        .route("/cart", post(add_to_cart))
        .layer(SessionLayer::new(sessions))
}

/// A page, composed of components.
async fn shop(session: Session) -> Result<Markup> {
    let main = html! {
        (components::cart_button(&session).await?)
        form method="post" action="/cart" { button name="item" value="scarf" { "Add a scarf" } }
    };
    components::layout(main).await
}

#[derive(Deserialize)]
struct AddToCart {
    item: String,
}

/// The endpoint that writes.
async fn add_to_cart(session: Session, Form(add): Form<AddToCart>) -> Result<Redirect> {
    session.update(CART, |cart| cart.push(add.item.clone())).await?;
    Ok(Redirect::to("/"))
}

#[cfg(test)]
mod tests;
