//! Server-rendered components that read the session, with askama.
//!
//! A template is rendered at once and cannot wait for a store. So a component is two things: a template, a struct with
//! what it shows, and an async function that reads the session and fills it. The function takes `&Session` where its
//! callers have one, which says in its signature what it reads; deep in the tree it asks for `Session::current()`. All
//! components of a page share one load, and a page without any costs none.
//!
//! Components read. What changes the session is an endpoint, and a page that is shown after it.
//!
//! `cargo run -p example-components-askama`, then <http://localhost:4321>.

mod components;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use cloakroom::axum::{Result, Session};
use cloakroom::{Config, Key, SessionLayer, Sessions};
use serde::Deserialize;

use crate::components::CartButton;

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

#[derive(Template)]
#[template(
    source = r#"{{ cart_button|safe }}
    <form method="post" action="/cart"><button name="item" value="scarf">Add a scarf</button></form>"#,
    ext = "html"
)]
struct Shop {
    cart_button: CartButton,
}

/// A page, composed of components.
async fn shop(session: Session) -> Result<Response> {
    let main = Shop { cart_button: components::cart_button(&session).await? };
    Ok(response(&components::layout(main).await?))
}

/// Everything that had to be waited for is in the page.
fn response(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
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
