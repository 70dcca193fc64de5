//! Where sessions are kept: the drivers of Cloakroom.
//!
//! Each driver is a module, a feature and a row in the [table of drivers](drivers()). Their names, options and layouts are
//! those of [unstorage](https://unstorage.unjs.io), so that a JavaScript program and a Rust program configured alike see the
//! same items. What a driver is, [`cloakroom_storage`] says; whoever writes one elsewhere needs that crate alone.
//!
//! ```
//! # #[cfg(feature = "memory")]
//! # async fn example() -> cloakroom_storage::Result<()> {
//! use cloakroom_storage::{ItemKey, SetOutcome, When};
//!
//! let driver = cloakroom_drivers::open("memory", &serde_json::Map::new()).await?;
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

#[cfg(feature = "azure-cosmos")]
pub mod azure_cosmos;
#[cfg(feature = "azure-storage-blob")]
pub mod azure_storage_blob;
#[cfg(feature = "azure-storage-table")]
pub mod azure_storage_table;
#[cfg(all(feature = "cloudflare-kv-binding", target_family = "wasm", target_os = "unknown"))]
pub mod cloudflare_kv_binding;
#[cfg(feature = "cloudflare-kv-http")]
pub mod cloudflare_kv_http;
#[cfg(all(feature = "cloudflare-r2-binding", target_family = "wasm", target_os = "unknown"))]
pub mod cloudflare_r2_binding;
mod common;
pub mod conformance;
#[cfg(feature = "db0")]
pub mod db0;
#[cfg(feature = "deno-kv")]
pub mod deno_kv;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "etcd")]
pub mod etcd;
#[cfg(feature = "fs-lite")]
pub mod fs_lite;
#[cfg(feature = "gcs")]
pub mod gcs;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "lru-cache")]
pub mod lru_cache;
#[cfg(feature = "memcached")]
pub mod memcached;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "mongodb")]
pub mod mongodb;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "netlify-blobs")]
pub mod netlify_blobs;
#[cfg(feature = "null")]
pub mod null;
#[cfg(feature = "overlay")]
pub mod overlay;
#[cfg(feature = "planetscale")]
pub mod planetscale;
#[cfg(feature = "redis")]
pub mod redis;
mod registry;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "sql")]
pub mod sql;
#[cfg(feature = "upstash")]
pub mod upstash;
#[cfg(feature = "vercel-kv")]
pub mod vercel_kv;

pub use registry::{DriverInfo, Reach, Registry, drivers, left_out, open, open_with_limits};

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
