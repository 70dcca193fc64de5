//! What all servers of the group `served` have in common.
//!
//! They answer alike. `POST /fill` makes a session of 1 KB, `GET /cart` tells how long its cart is, and `POST /add` puts
//! an item into it, which empties it when it is full: so a session stays as large as it is. `GET /allocations` tells how many
//! allocations the server has made; all of them count.

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use figures::allocations::{Counting, counted};
use serde::Deserialize;
use tokio::net::TcpListener;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What is in a session besides the cart.
pub const OTHERS: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

/// How many items are in a cart at most.
pub const FULL: usize = 10;

/// What `POST /add` is sent.
#[derive(Deserialize)]
pub struct Add {
    /// What to put into the cart.
    pub item: String,
}

/// What is under one of these.
pub fn other(key: &str) -> String {
    key.repeat(92)
}

/// Puts an item into a cart.
pub fn push(cart: &mut Vec<String>, item: String) {
    if cart.len() >= FULL {
        cart.clear();
    }
    cart.push(item);
}

/// Answers requests.
///
/// # Errors
/// When there is no port to listen on.
pub async fn serve(app: Router) -> Result<()> {
    let app = app.route("/allocations", get(async || counted().to_string()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
