//! Drivers that a program adds, beside those of this crate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cloakroom_storage::{Driver, DynDriver, Limits, Operation, Result};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::open::open_beside;

/// Opens drivers by name: those of this crate, and those that were added.
///
/// ```
/// # #[cfg(feature = "memory")]
/// # async fn example() -> cloakroom_storage::Result<()> {
/// use cloakroom_drivers::{Registry, memory::Memory};
/// use cloakroom_storage::Limits;
/// use serde_json::Map;
///
/// // One's own type would stand here.
/// let registry = Registry::new().add("shelf", |_options| async { Ok(Memory::new()) });
/// let shelf = registry.open("shelf", &Map::new(), Limits::default()).await?;
/// let memory = registry.open("memory", &Map::new(), Limits::default()).await?;
/// # Ok(())
/// # }
/// # #[cfg(feature = "memory")]
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    added: BTreeMap<String, Open>,
}

type Open = Arc<dyn Fn(Map<String, Value>) -> BoxFuture<'static, Result<DynDriver>> + Send + Sync>;

impl Registry {
    /// The drivers of this crate.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a driver, which takes precedence over one of the same name that is there already.
    #[must_use]
    pub fn add<D, F, Opening>(mut self, name: impl Into<String>, open: F) -> Registry
    where
        D: Driver,
        F: Fn(Map<String, Value>) -> Opening + Send + Sync + 'static,
        Opening: Future<Output = Result<D>> + Send + 'static,
    {
        let open: Open = Arc::new(move |options| {
            let opening = open(options);
            Box::pin(async { Ok(Arc::new(opening.await?) as DynDriver) })
        });
        self.added.insert(name.into(), open);
        self
    }

    /// Opens a driver, with limits around each of its calls unless it is one of this crate that works in memory alone.
    ///
    /// # Errors
    /// As [`open`](super::open()), and as the driver that was added has them.
    pub async fn open(
        &self,
        name: &str,
        options: &Map<String, Value>,
        limits: Limits,
    ) -> Result<DynDriver> {
        if let Some(open) = self.added.get(name) {
            let driver = open(options.clone())
                .await
                .map_err(|error| error.with_operation(Operation::Open))?;
            return Ok(limits.around(driver));
        }
        let added = self.added.keys().map(String::as_str);
        open_beside(added, name, options, limits).await
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("added", &self.added.keys()).finish()
    }
}
