//! The shop's API on actix-web: a cart and a log-in.

use actix_web::web::{Json, ServiceConfig, get, post};
use cloakroom::actix_web::{Actions, Input, Result, Session};
use cloakroom::{Key, actions};
use serde::{Deserialize, Serialize};

const CART: Key<Vec<String>> = Key::new("cart");
const USER: Key<User> = Key::new("user");

/// What `POST /api/addToCart` is sent.
#[derive(Debug, Deserialize)]
pub struct AddToCart {
    item: String,
}

/// Somebody who is logged in.
#[derive(Debug, Deserialize, Serialize)]
pub struct User {
    name: String,
}

async fn add_to_cart(session: Session, Json(add): Json<AddToCart>) -> Result<Json<Vec<String>>> {
    Ok(Json(session.update(CART, |cart| cart.push(add.item.clone())).await?))
}

async fn cart(session: Session) -> Result<Json<Vec<String>>> {
    Ok(Json(session.get(CART).await?.unwrap_or_default()))
}

async fn user(session: Session) -> Result<Json<Option<User>>> {
    Ok(Json(session.get(USER).await?))
}

/// A new ID, because somebody gains privileges: whoever knew the old one gains nothing.
async fn log_in(session: Session, Json(user): Json<User>) -> Result<Json<User>> {
    session.regenerate().await?;
    session.set(USER, &user)?;
    Ok(Json(user))
}

async fn log_out(session: Session) -> &'static str {
    session.destroy();
    "Goodbye."
}

async fn add(session: Session, Input(add): Input<AddToCart>) -> actions::Result<Vec<String>> {
    Ok(session.update(CART, |cart| cart.push(add.item.clone())).await?)
}

/// `POST /_actions/cart.add`, which Astro's own client calls. Above it stands `SessionMiddleware`.
pub fn actions() -> Actions {
    Actions::new().json("cart.add", add)
}

/// The routes. Above them stands `SessionMiddleware`.
pub fn routes(app: &mut ServiceConfig) {
    app.route("/api/addToCart", post().to(add_to_cart))
        .route("/api/cart", get().to(cart))
        .route("/api/user", get().to(user))
        .route("/api/login", post().to(log_in))
        .route("/api/logout", post().to(log_out));
}
