//! What is served, and to whom.

use std::sync::Arc;

use axum::Router;
use cloakroom_storage::{DynDriver, ItemKey, Result};

use crate::access::Access;
use crate::handler;

/// How many bytes a value may have, unless it is said otherwise.
const MAX_SIZE: usize = 4 * 1024 * 1024;

/// A store as an HTTP service.
///
/// Whoever can reach it may do everything, unless there is a token.
#[derive(Debug)]
pub struct StorageServer {
    pub(crate) driver: DynDriver,
    /// What stands before every key; empty, or with a `:` at its end.
    pub(crate) base: String,
    pub(crate) access: Access,
    pub(crate) max_size: usize,
}

impl StorageServer {
    /// Serves this store.
    pub fn new(driver: DynDriver) -> StorageServer {
        let access = Access::new(driver.capabilities().read_only);
        StorageServer { driver, base: String::new(), access, max_size: MAX_SIZE }
    }

    /// Serves only what is below `base`. Clients do not see it.
    ///
    /// # Errors
    /// When it cannot be the beginning of a key.
    pub fn base(mut self, base: &str) -> Result<StorageServer> {
        self.base = format!("{}:", ItemKey::new(base)?.as_str());
        Ok(self)
    }

    /// Admits whoever bears this token, and from now on nobody without one.
    #[must_use]
    pub fn token(mut self, token: &str) -> StorageServer {
        self.access.add_writer(token);
        self
    }

    /// Lets whoever bears this token read, and from now on admits nobody without one.
    #[must_use]
    pub fn read_token(mut self, token: &str) -> StorageServer {
        self.access.add_reader(token);
        self
    }

    /// Lets nobody write.
    #[must_use]
    pub fn read_only(mut self) -> StorageServer {
        self.access.read_only = true;
        self
    }

    /// Refuses requests to another host than the loopback's names and addresses.
    ///
    /// For a server on the loopback without a token: a web page can make a browser of the same machine send requests here,
    /// under a name of its own that leads to 127.0.0.1.
    #[must_use]
    pub fn local_hosts_only(mut self) -> StorageServer {
        self.access.local_hosts_only = true;
        self
    }

    /// How many bytes a value may have. 4 MiB unless set.
    #[must_use]
    pub fn max_size(mut self, bytes: usize) -> StorageServer {
        self.max_size = bytes;
        self
    }

    /// The service. It answers below the path that it is nested at.
    ///
    /// Where the store does not free expired items by itself, nor does this: start a
    /// [sweeper](cloakroom_storage::spawn_sweeper) beside it, as `cloakroom serve` does.
    pub fn into_router(self) -> Router {
        Router::new().fallback(handler::answer).with_state(Arc::new(self))
    }
}
