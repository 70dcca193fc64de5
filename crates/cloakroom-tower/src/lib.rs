//! Cloakroom's sessions for tower services and for axum.
//!
//! [`SessionLayer`] gives every request a lazy session handle in its extensions, and commits it after the
//! handler has returned and before the headers leave. A request that never touches its session costs that
//! handle: no cookie is parsed, no store asked, no lock taken, no header sent.
//!
//! [`RequirePrincipal`] and [`RequireRecent`] stand before routes that are for those alone who are signed in.
//!
//! With the feature `axum`, the module [`axum`] has the extractor and errors that are responses.

#[cfg(feature = "axum")]
pub mod axum;
mod body;
mod future;
mod guard;
mod layer;
#[cfg(feature = "actions")]
mod origin;
mod outage;

pub use body::SessionBody;
pub use future::ResponseFuture;
pub use guard::{GuardService, RequirePrincipal, RequireRecent};
pub use layer::{SessionLayer, SessionService};
#[cfg(feature = "actions")]
pub use origin::{OriginFuture, OriginLayer, OriginService};
pub use outage::{OutageLayer, OutageService};

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
