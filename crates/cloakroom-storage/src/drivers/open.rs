//! From a configuration to a driver.

use std::time::Duration;

use serde_json::{Map, Value};

use super::info::{DriverInfo, is_called};
use super::{DRIVERS, unavailable};
use crate::limited::Limited;
use crate::options::nearest;
use crate::{DEFAULT_RETRIES, DEFAULT_TIMEOUT, DynDriver, Error, ErrorKind, Operation, Result};

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
    let info = find(name)?;
    let driver = open_by(info, options).await?;
    if info.is_in_process() {
        return Ok(driver);
    }
    Ok(Limited::around(driver, limits))
}

/// As [`open`], without limits, for a driver around it that has its own.
#[cfg(feature = "overlay")]
pub(super) async fn open_unlimited(name: &str, options: &Map<String, Value>) -> Result<DynDriver> {
    open_by(find(name)?, options).await
}

async fn open_by(info: &'static DriverInfo, options: &Map<String, Value>) -> Result<DynDriver> {
    let open = info.open.ok_or_else(|| info.missing())?;
    let driver = open(options)
        .await
        .map_err(|error| error.with_driver(info.name).with_operation(Operation::Open))?;
    let lacking = info.lacking(driver.capabilities());
    if !lacking.is_empty() {
        let lacking = lacking.join("; ");
        tracing::warn!(
            driver = info.name,
            "this store does less than others of its kind: {lacking}"
        );
    }
    Ok(driver)
}

fn find(name: &str) -> Result<&'static DriverInfo> {
    let name = name.strip_prefix("unstorage/drivers/").unwrap_or(name);
    if let Some(info) = DRIVERS.iter().find(|info| info.is_called(name)) {
        return Ok(info);
    }
    if let Some(driver) = unavailable::DRIVERS.iter().find(|driver| is_called(name, driver.name)) {
        return Err(driver.error());
    }
    // Which may have a password in it.
    if name.contains("://") {
        let message = "the driver is a URL: name the driver, such as `redis`, and give the URL as its option `url`";
        return Err(Error::new(ErrorKind::UnknownDriver, message));
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
