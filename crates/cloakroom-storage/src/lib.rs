//! Key-value storage for sessions.
//!
//! A [`Driver`] stores bytes under an [`ItemKey`], tells one [`Version`] of an item from another, and lets
//! items expire. It knows nothing of sessions. Names, options and layouts are those of
//! [unstorage](https://unstorage.unjs.io), so that a JavaScript program and a Rust program configured alike
//! see the same items.
//!
//! The drivers themselves are in the crate `cloakroom-drivers`; one that is written elsewhere needs this crate alone.
//!
//! # Reading order
//! [`ItemKey`], [`Item`] and [`Driver`] say what a store is; [`Error`] what can go wrong, and [`Advice`] what is unsafe; [`options`] how a driver reads what a
//! configuration says; [`Limits`] and [`Traced`] what is put around its calls, and with the features `encryption`
//! and `hash-ids` `Encrypted` and `HashedKeys` what keeps secrets from who has the store alone; [`conformance`] what each driver must do.

mod advice;
mod capabilities;
pub mod conformance;
mod driver;
#[cfg(feature = "encryption")]
mod encryption;
mod error;
mod ext;
#[cfg(feature = "hash-ids")]
mod hashed_keys;
mod item;
mod key;
mod limited;
pub mod options;
#[doc(hidden)]
pub mod platform;
mod retry;
mod sweeper;
mod timeout;
mod traced;

pub use advice::{Advice, Severity, warn_once};
pub use capabilities::Capabilities;
pub use driver::{Driver, DynDriver};
#[cfg(feature = "encryption")]
pub use encryption::{Encrypted, EncryptionKey, KeyRing, Resealed};
pub use error::{Error, ErrorKind, Operation, Result};
pub use ext::DriverExt;
#[cfg(feature = "hash-ids")]
pub use hashed_keys::{HashedKeys, KeyHasher};
pub use item::{Item, RemoveOutcome, SetOutcome, Swept, Version, When};
pub use key::{ItemKey, KeyHash};
pub use limited::Limits;
pub use retry::{DEFAULT_RETRIES, Retry};
pub use sweeper::{Sweeper, spawn_sweeper};
pub use timeout::{DEFAULT_TIMEOUT, Timeout};
pub use traced::Traced;

/// What a driver's `impl` is marked with, and what its methods take and return, so that a driver needs no other crate.
pub use async_trait::async_trait;
pub use bytes::Bytes;
/// What [`Driver::keys`] returns.
pub use futures_core::stream::BoxStream;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
