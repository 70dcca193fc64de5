//! The session in axum: extractors, of it and of whose it is, and errors that are responses.
//!
//! They are the session crate's own types, here by the names under which those of the other frameworks are.
//!
//! ```
//! use axum::{Json, Router, routing::post};
//! use cloakroom_session::{Config, Key, Sessions};
//! use cloakroom_tower::SessionLayer;
//! use cloakroom_tower::axum::{Result, Session};
//!
//! const CART: Key<Vec<String>> = Key::new("cart");
//!
//! async fn add_to_cart(session: Session, Json(item): Json<String>) -> Result<Json<Vec<String>>> {
//!     Ok(Json(session.update(CART, |cart| cart.push(item.clone())).await?))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom_session::Result<()> {
//! let sessions = Sessions::from_config(Config::new("memory")).await?;
//! let app: Router =
//!     Router::new().route("/api/addToCart", post(add_to_cart)).layer(SessionLayer::new(sessions));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "actions")]
mod actions;

#[cfg(all(feature = "actions", feature = "garde-0-23"))]
pub use actions::Valid;
#[cfg(feature = "actions")]
pub use actions::{
    ActionFuture, ActionHandler, ActionRejection, Actions, ActionsLayer, ActionsService, Input,
};
pub use cloakroom_session::adapter::{Principal, PrincipalRejection, ReturnTo, SessionRejection};
pub use cloakroom_session::{Error as SessionError, Result, Session};
