//! Cloakroom's sessions for actix-web.
//!
//! [`SessionMiddleware`] gives every request a lazy session handle, and commits it after the handler has returned and
//! before the headers leave. [`Session`] is the extractor, and [`Result`] lets handlers use `?`.
//!
//! ```
//! use actix_web::{App, web};
//! use cloakroom_actix::{Result, Session, SessionMiddleware};
//! use cloakroom_session::{Config, Key, Sessions};
//!
//! const CART: Key<Vec<String>> = Key::new("cart");
//!
//! async fn add_to_cart(session: Session, item: web::Json<String>) -> Result<web::Json<Vec<String>>> {
//!     Ok(web::Json(session.update(CART, |cart| cart.push(item.clone())).await?))
//! }
//!
//! # #[actix_web::main]
//! # async fn main() -> cloakroom_session::Result<()> {
//! let sessions = Sessions::from_config(Config::new("memory")).await?;
//! let app = App::new()
//!     .route("/api/addToCart", web::post().to(add_to_cart))
//!     .wrap(SessionMiddleware::new(sessions));
//! # Ok(())
//! # }
//! ```
//!
//! [`RequirePrincipal`] and [`RequireRecent`] stand before routes that are for those alone who are signed in; [`Principal`] is
//! who that is, and [`ReturnTo`] where a sign-in leads.
//!
//! With the feature `actions`, `Actions` has functions that Astro's own client calls, and forms without a script.

#[cfg(feature = "actions")]
mod actions;
mod body;
mod error;
mod extract;
mod guard;
mod headers;
mod middleware;
#[cfg(feature = "actions")]
mod origin;
mod outage;
mod principal;
mod return_to;

#[cfg(feature = "garde-0-23")]
pub use actions::Valid;
#[cfg(feature = "actions")]
pub use actions::{ActionRejection, Actions, ActionsService, Input};
pub use body::SessionBody;
pub use error::{Result, SessionError};
pub use extract::Session;
pub use guard::{GuardService, RequirePrincipal, RequireRecent};
pub use middleware::{SessionMiddleware, SessionService};
#[cfg(feature = "actions")]
pub use origin::{OriginMiddleware, OriginService};
pub use outage::{OutageMiddleware, OutageService};
pub use principal::Principal;
pub use return_to::ReturnTo;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
