//! Cloakroom's sessions for salvo.
//!
//! [`SessionMiddleware`] gives every request a lazy session handle, and commits it after the handler has returned and
//! before the headers leave. [`Session`] is the extractor, and [`Result`] lets handlers use `?`.
//!
//! ```
//! use cloakroom_salvo::{Result, Session, SessionMiddleware};
//! use cloakroom_session::{Config, Key, Sessions};
//! use salvo::extract::JsonBody;
//! use salvo::writing::Json;
//! use salvo::{Router, Writer, handler};
//!
//! const CART: Key<Vec<String>> = Key::new("cart");
//!
//! #[handler]
//! async fn add_to_cart(session: Session, item: JsonBody<String>) -> Result<Json<Vec<String>>> {
//!     Ok(Json(session.update(CART, |cart| cart.push(item.clone())).await?))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> cloakroom_session::Result<()> {
//! let sessions = Sessions::from_config(Config::new("memory")).await?;
//! let app = Router::new()
//!     .hoop(SessionMiddleware::new(sessions))
//!     .push(Router::with_path("api/addToCart").post(add_to_cart));
//! # Ok(())
//! # }
//! ```
//!
//! [`RequirePrincipal`] and [`RequireRecent`] stand before routes that are for those alone who are signed in; [`Principal`] is
//! who that is, and [`ReturnTo`] where a sign-in leads.

mod error;
mod extract;
mod guard;
mod middleware;
mod outage;
mod principal;
mod return_to;

pub use error::{Result, SessionError};
pub use extract::{Session, SessionDepotExt};
pub use guard::{RequirePrincipal, RequireRecent};
pub use middleware::SessionMiddleware;
pub use outage::OutageMiddleware;
pub use principal::Principal;
pub use return_to::ReturnTo;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
