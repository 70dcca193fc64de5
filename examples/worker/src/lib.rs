//! A Cloudflare Worker with a cart and a log-in, on axum. Its sessions are in KV, on the binding `SESSION`, where an Astro
//! site on Cloudflare has them too.
//!
//! `cargo run -p interop-bundler example-worker --release` builds it into `target/worker/example-worker`; the entry is
//! `worker.js`. Bind a namespace of KV as `SESSION` where it is deployed.
#![cfg(all(target_family = "wasm", target_os = "unknown"))]

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use cloakroom::axum::{self as sessions, Session};
use cloakroom::{Adapter, Config, Key, SessionLayer, Sessions};
use serde::Deserialize;
use tower_service::Service as _;
use worker::{Context, Env, HttpRequest, event};

const CART: Key<Vec<String>> = Key::new("cart");
const USER: Key<String> = Key::new("user");
const VISITS: Key<u32> = Key::new("visits");

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[derive(Deserialize)]
struct AddToCart {
    item: String,
}

#[derive(Deserialize)]
struct LogIn {
    user: String,
}

#[event(fetch)]
async fn fetch(
    request: HttpRequest,
    _env: Env,
    _context: Context,
) -> Result<Response<Body>, Box<dyn Error>> {
    let mut config = Config::for_adapter(Adapter::Cloudflare)?;
    config.ttl = Some(WEEK);
    let sessions = Sessions::from_config(config).await?;
    Ok(router(sessions).call(request).await?)
}

fn router(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(greet))
        .route("/cart", get(cart).post(add_to_cart))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .layer(SessionLayer::new(sessions))
}

async fn greet(session: Session) -> sessions::Result<String> {
    let visits = session.update(VISITS, |visits| *visits += 1).await?;
    let user = session.get(USER).await?.unwrap_or_else(|| "stranger".to_owned());
    Ok(format!("Hello, {user}. Visit {visits}."))
}

async fn cart(session: Session) -> sessions::Result<Json<Vec<String>>> {
    Ok(Json(session.get_or_default(CART).await?))
}

async fn add_to_cart(
    session: Session,
    Json(add): Json<AddToCart>,
) -> sessions::Result<Json<Vec<String>>> {
    Ok(Json(session.update(CART, |cart| cart.push(add.item.clone())).await?))
}

/// A new ID for the same session, so that nobody who knew the old one is logged in too.
async fn log_in(session: Session, Json(LogIn { user }): Json<LogIn>) -> sessions::Result<()> {
    session.regenerate().await?;
    session.set(USER, &user)?;
    Ok(())
}

async fn log_out(session: Session) {
    session.destroy();
}
