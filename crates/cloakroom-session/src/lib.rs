//! Server-side sessions that share their bytes with Astro.
//!
//! The browser holds a random ID in a cookie; the data stays in a store. This crate is everything
//! between the cookie and the store, and knows no HTTP framework:
//!
//! | module | concept | stands on |
//! |---|---|---|
//! | `adapter` | what every framework adapter does after the handler: commit, stream, answer | `scope` and below |
//! | `scope` | what a request has below its session layers: a session, or a page without one | `sessions` and below |
//! | `sessions` | what all requests share: driver, cookie, limits | `config`, `session` and below |
//! | `forms` | messages that one page shows once; a form that comes back filled in, but for its secrets | `session` |
//! | `session` | the object that handlers hold, its keys and its updates | `commit` and below |
//! | `commit` | carries the machine's steps to the store, and cleans up behind a request | `index`, `store` and below |
//! | `index` | which sessions a principal has: pages beside them in the store, changed by compare-and-swap | `store`, `machine` |
//! | `store` | the driver, in terms of IDs and records; copies for outages | `machine`, `record` |
//! | `machine` | what a request knows of its session, and what is to be done next: it does no I/O | `cookie`, `record` |
//! | `cookie` | reading the ID from a request, writing it to a response | `config` |
//! | `config` | all settings, from TOML, JSON or the environment; what requests get during an outage | `record`: lifetimes |
//! | `record` | the stored `Map`, what is done to it, when it ends, and what stands in its place afterwards | nothing |
//!
//! `testing`, a feature, stands above all of it, for the tests of a site.
//! `id`, `error`, `clock` and `observe` (what operators see) are for all of them. Data goes down this table, and no module
//! uses one above it.
//!
//! Users add the `cloakroom` crate; authors of framework adapters start at [`adapter`].

pub mod adapter;
mod clock;
mod commit;
mod config;
mod cookie;
mod error;
mod forms;
mod id;
mod index;
mod machine;
mod observe;
mod record;
mod scope;
mod session;
mod sessions;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "encryption")]
pub use config::EncryptionConfig;
pub use config::{
    Adapter, Config, CookieConfig, CorruptPolicy, IndexSecret, OutagePolicy, SameSite, WhenFull,
};
pub use cookie::CookieHeaders;
pub use error::{Error, ErrorKind, Result};
pub use forms::{Flash, OldInput};
pub use id::{SessionHash, SessionId};
pub use index::SessionHandle;
pub use observe::{Event, EventKind, Events, Missed, RevokedBy};
pub use session::{EntryName, Key, Session, SessionData, SessionKey, SetOptions, WriteKey};
pub use sessions::{
    AllSessions, ChangeKind, Fault, IndexPage, ListedSession, PrincipalSessions, Repaired, Secrets,
    SessionChange, Sessions, SessionsBuilder, SessionsWatch, ShownEntry, StoredHandle, StoredName,
    StoredSession, Verified, VerifiedKind, printable,
};

#[cfg(feature = "derive")]
pub use cloakroom_derive::SessionData;
pub use cloakroom_drivers as drivers;
pub use cloakroom_storage as storage;
pub use serde_devalue as devalue;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
