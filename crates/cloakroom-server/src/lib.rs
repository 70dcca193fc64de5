//! unstorage's HTTP server over any [`Driver`](cloakroom_storage::Driver).
//!
//! unstorage's own `http` driver is a client of it, in JavaScript, and so is anything that can `GET` and `PUT`. Beyond
//! unstorage's protocol, items can be compared and swapped by their `ETag`, and deadlines moved: `docs/http.md` is the
//! protocol, which Cloakroom's driver `http` speaks as well. The command `cloakroom serve` is this with a configuration.
//!
//! ```
//! use std::sync::Arc;
//! use cloakroom_server::StorageServer;
//! use cloakroom_drivers::memory::Memory;
//!
//! # fn example() -> cloakroom_storage::Result<()> {
//! let storage = StorageServer::new(Arc::new(Memory::new()))
//!     .base("sess")?
//!     .token("a long random text")
//!     .into_router();
//! let app: axum::Router = axum::Router::new().nest("/storage", storage);
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```
//!
//! Where it differs from unstorage's server is written there, too: values come back as they were stored, nothing may be
//! cached, and a store that is away is a `503` and never a `404`.

mod access;
mod body;
mod condition;
mod handler;
mod listing;
mod refusal;
mod server;
mod tag;
mod target;
mod ttl;

pub use access::{Token, is_local};
pub use refusal::OnRefusal;
pub use server::StorageServer;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
