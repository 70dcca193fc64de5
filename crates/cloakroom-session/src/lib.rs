//! Server-side sessions that share their bytes with Astro.
//!
//! The browser holds a random ID in a cookie; the data stays in a store. This crate is everything
//! between the cookie and the store, and knows no HTTP framework:
//!
//! | module | concept |
//! |---|---|
//! | `id` | the ID: a v4 UUID, strict about what a client may present |
//! | `cookie` | reading it from a request, writing it to a response |
//! | `record` | the stored `Map`, entries decoded only when asked for |
//! | `changes` | what a request did to it, per key |
//! | `session` | the object that handlers hold |
//! | `commit` | one write at the end of the request that loses nobody's update |
//! | `lifetime`, `upkeep` | when a session ends by itself, and what keeps it alive |
//! | `outage`, `copies` | what requests get while the store does not answer |
//! | `sessions` | what all requests share: driver, cookie, limits |
//! | `config` | all of it from TOML, JSON or the environment |
//!
//! Users add the `cloakroom` crate; authors of framework adapters start at
//! [`Sessions::session`] and [`Session::finish`].

mod changes;
mod clock;
mod commit;
mod config;
mod cookie;
mod copies;
mod error;
mod finished;
mod id;
mod inner;
mod key;
mod lifetime;
mod observe;
mod outage;
mod queues;
mod record;
mod session;
mod sessions;
mod shared;
mod state;
mod store;
mod stored;
mod upkeep;

pub use config::{Adapter, Config, CookieConfig, SameSite};
pub use cookie::CookieHeaders;
pub use error::{Error, ErrorKind, Result};
pub use finished::Finished;
pub use id::SessionId;
pub use key::{Key, SessionKey};
pub use outage::OutagePolicy;
pub use session::{Session, SetOptions};
pub use sessions::Sessions;

pub use cloakroom_storage as storage;
pub use serde_devalue as devalue;
