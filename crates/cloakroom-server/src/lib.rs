//! unstorage's HTTP server over any [`Driver`](cloakroom_storage::Driver).
//!
//! unstorage's own `http` driver is a client of it, in JavaScript, and so is anything that can `GET` and `PUT`. Beyond
//! unstorage's protocol, items can be compared and swapped by their `ETag`, and deadlines moved: `docs/http.md` is the
//! protocol, which Cloakroom's driver `http` speaks as well. The command `cloakroom serve` is this with a configuration.
//!
//! ```
//! use std::sync::Arc;
//! use cloakroom_server::StorageServer;
//! use cloakroom_storage::drivers::memory::Memory;
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
//! # Differences from unstorage's server
//! - Values are given back as they were stored. unstorage parses and prints them again, which changes numbers and white
//!   space; it also drops empty values, and replaces what is not UTF-8.
//! - Nothing may be cached: `no-store` instead of `max-age`. What is in a session is for one client, and can end before
//!   its time.
//! - Values are `text/plain`, never `text/html`: no browser shall run what is in a session.
//! - There is no `last-modified`, which not every store knows.
//! - Bytes are stored as bytes in every store, where some of unstorage's drivers have them in Base64.
//! - A path that is not UTF-8 is refused, and so is a key with control characters or of more than 1024 bytes.
//! - A store that is away is a `503`, never a `404`.

mod access;
mod body;
mod condition;
mod handler;
mod listing;
mod place;
mod refusal;
mod server;
mod tag;
mod ttl;

pub use server::StorageServer;
