//! From a configuration to a driver.

use serde_json::{Map, Value};

use super::info::{DriverInfo, is_called};
use super::{DRIVERS, unavailable};
use cloakroom_storage::options::nearest;
use cloakroom_storage::{DynDriver, Error, ErrorKind, Limits, Operation, Result};

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

/// As [`open`], with limits for each call of a driver that does I/O.
///
/// # Errors
/// As [`open`].
pub async fn open_with_limits(
    name: &str,
    options: &Map<String, Value>,
    limits: Limits,
) -> Result<DynDriver> {
    open_beside(std::iter::empty(), name, options, limits).await
}

/// As [`open_with_limits`], where these names were added, of which one may have been meant.
pub(super) async fn open_beside(
    added: impl Iterator<Item = &str> + Clone,
    name: &str,
    options: &Map<String, Value>,
    limits: Limits,
) -> Result<DynDriver> {
    let info = find(name, added)?;
    let driver = open_by(info, options).await?;
    if info.is_in_process() {
        return Ok(driver);
    }
    Ok(limits.around(driver))
}

/// As [`open`], without limits, for a driver around it that has its own.
#[cfg(feature = "overlay")]
pub(crate) async fn open_unlimited(name: &str, options: &Map<String, Value>) -> Result<DynDriver> {
    open_by(find(name, std::iter::empty())?, options).await
}

async fn open_by(info: &'static DriverInfo, options: &Map<String, Value>) -> Result<DynDriver> {
    let open = info.open.ok_or_else(|| info.missing())?;
    let driver = open(options).await;
    driver.map_err(|error| error.with_driver(info.name).with_operation(Operation::Open))
}

fn find<'a>(
    name: &str,
    added: impl Iterator<Item = &'a str> + Clone,
) -> Result<&'static DriverInfo> {
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
    let aliases = DRIVERS.iter().flat_map(|info| info.aliases.iter().copied());
    let names = added.chain(DRIVERS.iter().map(|info| info.name));
    let hint = match nearest(name, names.clone().chain(aliases)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are `{}`", names.collect::<Vec<_>>().join("`, `")),
    };
    Err(Error::new(ErrorKind::UnknownDriver, format!("there is no driver `{name}`; {hint}")))
}
