//! One of our servers of the group `served`: `serve STORE [WHERE]`, on one thread, on a free port that it prints.
//!
//! It is a package of its own, because what is in a program takes memory: who uses Cloakroom has neither its peers in it
//! nor the drivers that other groups measure.

use anyhow::{Context as _, Result, bail};
use axum::routing::{get, post};
use axum::{Json, Router};
use cloakroom::{Config, Key, SessionLayer, Sessions};
use serve::{Add, OTHERS, other, push, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().context("which store?")?;
    let place = arguments.next().unwrap_or_default();
    let config = match store.as_str() {
        "memory" => Config::new("memory"),
        "redis" => Config::new("redis").option("url", place),
        "files" => Config::new("fs-lite").option("base", place),
        "files-sync" => Config::new("fs-lite").option("base", place).option("sync", true),
        _ => bail!("there is no store {store:?}"),
    };
    serve(ours(config).await?).await
}

async fn ours(mut config: Config) -> Result<Router> {
    use cloakroom::axum::{Result, Session};

    const CART: Key<Vec<String>> = Key::new("cart");

    async fn fill(session: Session) -> Result<String> {
        for key in OTHERS {
            session.set(key, &other(key))?;
        }
        session.set(CART, &Vec::new())?;
        Ok("0".to_owned())
    }

    async fn cart(session: Session) -> Result<String> {
        Ok(session.get_or_default(CART).await?.len().to_string())
    }

    async fn add(session: Session, Json(add): Json<Add>) -> Result<String> {
        let cart = session.update(CART, |cart| push(cart, add.item.clone())).await?;
        Ok(cart.len().to_string())
    }

    async fn add_by_set(session: Session, Json(add): Json<Add>) -> Result<String> {
        let mut cart = session.get_or_default(CART).await?;
        push(&mut cart, add.item);
        session.set(CART, &cart)?;
        Ok(cart.len().to_string())
    }

    config.cookie.secure = false;
    let sessions = Sessions::from_config(config).await?;
    Ok(Router::new()
        .route("/fill", post(fill))
        .route("/cart", get(cart))
        .route("/add", post(add))
        .route("/add-by-set", post(add_by_set))
        .layer(SessionLayer::new(sessions)))
}
