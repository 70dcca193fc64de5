//! Server-side sessions that share their bytes with Astro.
//!
//! The browser holds a random ID in a cookie; the data stays in a store. This crate is everything
//! between the cookie and the store, and knows no HTTP framework:
//!
//! | module | concept |
//! |---|---|
//! | `id` | the ID: a v4 UUID, strict about what a client may present |
//! | `cookie` | reading it from a request, writing it to a response |
//! | `record`, `entries` | the stored `Map`, entries decoded only when asked for |
//! | `changes` | what a request did to it, per key |
//! | `session`, `update` | the object that handlers hold |
//! | `machine` | what a request knows of its session, and what is to be done next: it does no I/O |
//! | `commit`, `cleanup` | carry the machine's steps to the store, and clean up behind a request |
//! | `tombstone` | what stands in the place of a session that was retired |
//! | `lifetime` | when a session ends by itself |
//! | `outage`, `copies` | what requests get while the store does not answer |
//! | `current` | the session of the request that is being answered, for code that it is not passed to |
//! | `prerendered` | pages without a session |
//! | `site_path` | paths that a person wrote, found in what clients ask for |
//! | `layers` | the session layers that a request passes: one session of the same `Sessions` |
//! | `flash` | messages that one page shows once |
//! | `data` | a struct whose fields are entries |
//! | `old_input`, `secret_name` | a form that comes back filled in, but for its secrets |
//! | `finishing`, `late`, `headers` | what every framework adapter does after the handler: commit, stream, answer |
//! | `failure` | what a client is told when a session fails |
//! | `sessions` | what all requests share: driver, cookie, limits |
//! | `config` | all of it from TOML, JSON or the environment |
//!
//! Users add the `cloakroom` crate; authors of framework adapters start at
//! [`Sessions::enter`], [`Scope`] and [`Finished`].

mod caching;
mod changes;
mod cleanup;
mod clock;
mod commit;
mod config;
mod cookie;
mod copies;
mod current;
mod data;
mod entries;
mod error;
mod failure;
mod finished;
mod finishing;
mod flash;
mod headers;
mod id;
mod inner;
mod key;
mod late;
mod layers;
mod lifetime;
mod machine;
mod observe;
mod old_input;
mod outage;
mod prerendered;
mod queues;
mod record;
mod secret_name;
mod session;
mod sessions;
mod shared;
mod site_path;
mod store;
mod stored;
mod tombstone;
mod update;

pub use config::{Adapter, Config, CookieConfig, SameSite};
pub use cookie::CookieHeaders;
pub use current::Scope;
pub use data::SessionData;
pub use error::{Error, ErrorKind, Result};
pub use failure::{Failure, FailureFormat};
pub use finished::Finished;
pub use finishing::Finishing;
pub use flash::Flash;
pub use headers::ResponseHeaders;
pub use id::SessionId;
pub use key::{Key, SessionKey};
pub use late::{LateCommit, NextPiece};
pub use layers::{Entered, Scopes};
pub use old_input::OldInput;
pub use outage::OutagePolicy;
pub use prerendered::{Prerendered, PrerenderedRoutes};
pub use session::{Session, SetOptions};
pub use sessions::Sessions;
pub use site_path::SitePath;

#[cfg(feature = "derive")]
pub use cloakroom_derive::SessionData;
pub use cloakroom_storage as storage;
pub use serde_devalue as devalue;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
