//! Functions of the server that are called as Astro's own client calls them, and answer it byte for byte.
//!
//! `await actions.cart.add({ item })` on a page of Astro's runs this, whether the page came from Astro or from here:
//!
//! ```
//! # #[cfg(feature = "actions")]
//! # mod example {
//! # use axum::{Router, routing::get};
//! use cloakroom::actions::{ActionError, ErrorCode, Result};
//! use cloakroom::axum::{Actions, Input, Session};
//! # use cloakroom::{Key, SessionLayer, Sessions};
//! # const CART: Key<Vec<String>> = Key::new("cart");
//!
//! #[derive(serde::Deserialize)]
//! struct Add {
//!     item: String,
//! }
//!
//! async fn add(session: Session, Input(add): Input<Add>) -> Result<Vec<String>> {
//!     if add.item == "moon" {
//!         return Err(ActionError::new(ErrorCode::NotFound, "We do not sell the moon."));
//!     }
//!     Ok(session.update(CART, |cart| cart.push(add.item.clone())).await?)
//! }
//!
//! # fn example(sessions: Sessions) -> Router {
//! Router::new()
//!     .route("/cart", get(async || "…"))
//!     .layer(Actions::new().json("cart.add", add))
//!     .layer(SessionLayer::new(sessions))
//! # }
//! # }
//! ```
//!
//! An error that is no `ActionError` is logged, and its caller learns no more than that something
//! went wrong. With `garde-0-23` an input keeps the rules of its fields, as `Valid<Add>` in place of `Input<Add>`, and
//! what breaks them comes as Astro's `ActionInputError`.
//!
//! An action that is declared with `form` takes a form, from Astro's client or from a page without a script:
//! `<form method="post" action="/cart?_action=cart.add">`. Then the browser is sent on to `/cart`, or back to the form if
//! the action failed, and the page there reads once how it ended and what was typed:
//! `Submitted::take(&session, "cart.add")`. It is kept where Astro's guide keeps it, so that a page
//! of Astro's can show it too. Which fields may wait there says the action: `.keep_only("account.signUp", ["name"])`, or
//! `.secrets("account.signUp", ["motto"])` beside what looks like a secret by itself.
//!
//! Calls that another site's page makes a browser send are refused; for the whole site, so does `OriginLayer`.
//!
//! What is here the actions have in common in every framework: their errors, forms and files, and how a form ended. The rest
//! is in the framework's module.

pub use cloakroom_actions::{
    ActionError, ErrorCode, File, FormData, FormValue, FromInput, Issue, OriginCheck, PathSegment,
    Result, Submitted,
};
