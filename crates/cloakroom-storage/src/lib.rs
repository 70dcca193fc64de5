//! Key-value storage for sessions.
//!
//! A [`Driver`] stores bytes under an [`ItemKey`], tells one [`Version`] of an item from another, and lets
//! items expire. It knows nothing of sessions. Names, options and layouts are those of
//! [unstorage](https://unstorage.unjs.io), so that a JavaScript program and a Rust program configured alike
//! see the same items.
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # async fn example() -> cloakroom_storage::Result<()> {
//! use cloakroom_storage::{ItemKey, SetOutcome, When};
//!
//! let driver = cloakroom_storage::open("memory", &serde_json::Map::new()).await?;
//! let key = ItemKey::new("greeting")?;
//! driver.set(&key, "hello".into(), When::Absent, None).await?;
//!
//! // Only the writer that saw the latest version gets through.
//! let item = driver.get(&key).await?.unwrap();
//! let first = driver.set(&key, "one".into(), When::Version(item.version.clone()), None).await?;
//! let second = driver.set(&key, "two".into(), When::Version(item.version), None).await?;
//! assert!(matches!(first, SetOutcome::Written { .. }));
//! assert_eq!(second, SetOutcome::Conflict);
//! # Ok(())
//! # }
//! # #[cfg(feature = "memory")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```
//!
//! # Reading order
//! [`ItemKey`], [`Item`] and [`Driver`] say what a store is; [`Error`] what can go wrong; [`open`] how a
//! configuration becomes a driver; [`drivers()`] which drivers there are; [`conformance`] what each must do.

mod capabilities;
pub mod conformance;
#[cfg(any(feature = "memory", feature = "lru-cache"))]
mod deadlines;
mod driver;
pub mod drivers;
mod error;
mod ext;
#[cfg(feature = "http-client")]
#[allow(dead_code, unused_imports)] // Each driver needs a part of it.
mod http;
mod item;
mod key;
#[cfg(any(feature = "redis", feature = "upstash"))]
mod keyspace;
mod limited;
#[allow(dead_code)] // Nobody reads options where no driver is compiled in.
mod options;
#[doc(hidden)]
pub mod platform;
mod random;
mod retry;
mod sweeper;
#[cfg(any(feature = "sql", feature = "planetscale"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
// Each driver needs a part of it, and `sql` shows one.
mod table;
mod timeout;
#[cfg(any(feature = "http-client", feature = "memcached", feature = "nats"))]
mod wall_clock;

pub use capabilities::Capabilities;
pub use driver::{Driver, DynDriver};
pub use drivers::{DriverInfo, Limits, Reach, drivers, left_out, open, open_with_limits};
pub use error::{Error, ErrorKind, Operation, Result};
pub use ext::DriverExt;
pub use item::{Item, RemoveOutcome, SetOutcome, Swept, Version, When};
pub use key::{ItemKey, KeyHash};
pub use retry::{DEFAULT_RETRIES, Retry};
pub use sweeper::{Sweeper, spawn_sweeper};
pub use timeout::{DEFAULT_TIMEOUT, Timeout};

/// What [`Driver::keys`] returns.
pub use futures_core::stream::BoxStream;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
