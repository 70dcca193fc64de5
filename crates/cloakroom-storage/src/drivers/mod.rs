//! The drivers: one file, one feature and one row each.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::options::nearest;
use crate::{
    DEFAULT_RETRIES, DEFAULT_TIMEOUT, DriverExt, DynDriver, Error, ErrorKind, Operation, Result,
};

#[cfg(feature = "db0")]
pub mod db0;
#[cfg(feature = "fs-lite")]
pub mod fs_lite;
#[cfg(feature = "lru-cache")]
pub mod lru_cache;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "null")]
pub mod null;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "sql")]
pub mod sql;
mod unavailable;

type Open = for<'a> fn(&'a Map<String, Value>) -> BoxFuture<'a, Result<DynDriver>>;

/// A driver's row in the table of drivers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DriverInfo {
    /// unstorage's name.
    pub name: &'static str,
    /// Other names it goes by.
    pub aliases: &'static [&'static str],
    /// The feature that compiles it in.
    pub feature: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Whether it works in this process's memory alone, so that no call can hang.
    pub in_process: bool,
    open: Option<Open>,
}

impl DriverInfo {
    /// Whether the driver's feature was compiled in.
    pub fn is_enabled(&self) -> bool {
        self.open.is_some()
    }
}

/// The function that opens a driver, if its feature is there.
macro_rules! opener {
    ($feature:literal, $driver:path) => {
        opener!(@ $feature, |options| async { <$driver>::open(options) })
    };
    ($feature:literal, $driver:path, async) => {
        opener!(@ $feature, |options| <$driver>::open(options))
    };
    (@ $feature:literal, |$options:ident| $open:expr) => {{
        #[cfg(feature = $feature)]
        {
            Some(|$options| {
                Box::pin(async move { $open.await.map(|driver| Arc::new(driver) as DynDriver) })
            })
        }
        #[cfg(not(feature = $feature))]
        {
            None
        }
    }};
}

static DRIVERS: &[DriverInfo] = &[
    DriverInfo {
        name: "db0",
        aliases: &[],
        feature: "db0",
        summary: "unstorage's table in PostgreSQL, MySQL, MariaDB or SQLite, shared with JavaScript.",
        in_process: false,
        open: opener!("db0", db0::Db0, async),
    },
    DriverInfo {
        name: "fs-lite",
        aliases: &["fs"],
        feature: "fs-lite",
        summary: "One file per item in a folder, shared by the processes of a machine.",
        in_process: false,
        open: opener!("fs-lite", fs_lite::FsLite),
    },
    DriverInfo {
        name: "lru-cache",
        aliases: &[],
        feature: "lru-cache",
        summary: "In this process's memory, up to a limit; the least recently used go first.",
        in_process: true,
        open: opener!("lru-cache", lru_cache::LruCache),
    },
    DriverInfo {
        name: "memory",
        aliases: &[],
        feature: "memory",
        summary: "In this process's memory. Gone when it ends.",
        in_process: true,
        open: opener!("memory", memory::Memory),
    },
    DriverInfo {
        name: "null",
        aliases: &[],
        feature: "null",
        summary: "Nowhere: every write is forgotten.",
        in_process: true,
        open: opener!("null", null::Null),
    },
    DriverInfo {
        name: "redis",
        aliases: &[],
        feature: "redis",
        summary: "In Redis or Valkey, shared by any number of machines.",
        in_process: false,
        open: opener!("redis", redis::Redis, async),
    },
    DriverInfo {
        name: "s3",
        aliases: &[],
        feature: "s3",
        summary: "Objects in Amazon S3, Cloudflare R2 or another such store, shared by any number of machines.",
        in_process: false,
        open: opener!("s3", s3::S3),
    },
    DriverInfo {
        name: "sql",
        aliases: &[],
        feature: "sql",
        summary: "A table in PostgreSQL, MySQL, MariaDB or SQLite, shared by any number of machines.",
        in_process: false,
        open: opener!("sql", sql::Sql, async),
    },
];

/// Every driver that this version knows, compiled in or not.
pub fn drivers() -> &'static [DriverInfo] {
    DRIVERS
}

/// Opens a driver by its unstorage name with unstorage's options.
///
/// The name may be an alias, camel-cased as in unstorage's `builtinDrivers`, or an entry point such as
/// `unstorage/drivers/fs-lite`. A driver that does I/O gets the [`Limits`] that are usual.
///
/// # Errors
/// With [`ErrorKind::UnknownDriver`], [`ErrorKind::FeatureDisabled`] or [`ErrorKind::Unsupported`] when there
/// is no such driver here, with [`ErrorKind::InvalidOptions`] when an option is unknown or impossible, and
/// when the store cannot be opened.
pub async fn open(name: &str, options: &Map<String, Value>) -> Result<DynDriver> {
    open_with_limits(name, options, Limits::default()).await
}

/// What a call of a driver that does I/O may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long, all tries together: see [`Timeout`](crate::Timeout).
    pub timeout: Duration,
    /// How many more tries: see [`Retry`](crate::Retry).
    pub retries: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { timeout: DEFAULT_TIMEOUT, retries: DEFAULT_RETRIES }
    }
}

/// As [`open`], with limits for each call of a driver that does I/O.
///
/// # Errors
/// As [`open`].
pub async fn open_with_limits(
    name: &str,
    options: &Map<String, Value>,
    limits: Limits,
) -> Result<DynDriver> {
    let name = name.strip_prefix("unstorage/drivers/").unwrap_or(name);
    let info = find(name)?;
    let Some(open) = info.open else {
        let message = format!(
            "the driver `{}` is not compiled in; enable the feature `{}` of cloakroom-storage (or of cloakroom)",
            info.name, info.feature
        );
        return Err(Error::new(ErrorKind::FeatureDisabled, message).with_driver(info.name));
    };
    let driver = open(options)
        .await
        .map_err(|error| error.with_driver(info.name).with_operation(Operation::Open))?;
    if info.in_process {
        return Ok(driver);
    }
    Ok(Arc::new(driver.with_retries(limits.retries).with_timeout(limits.timeout)))
}

fn find(name: &str) -> Result<&'static DriverInfo> {
    let named = |known: &str| name == known || name == camel_case(known);
    if let Some(info) = DRIVERS
        .iter()
        .find(|info| named(info.name) || info.aliases.iter().any(|alias| named(alias)))
    {
        return Ok(info);
    }
    if let Some(driver) = unavailable::DRIVERS.iter().find(|driver| named(driver.name)) {
        return Err(driver.error());
    }
    let names = DRIVERS.iter().flat_map(|info| info.aliases.iter().copied().chain([info.name]));
    let hint = match nearest(name, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!(
            "there are `{}`",
            DRIVERS.iter().map(|info| info.name).collect::<Vec<_>>().join("`, `")
        ),
    };
    Err(Error::new(ErrorKind::UnknownDriver, format!("there is no driver `{name}`; {hint}")))
}

/// `fs-lite` as JavaScript writes it: `fsLite`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
