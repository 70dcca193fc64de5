//! The leases that are at the server.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::lease::Lease;
use super::server::Server;
use crate::Result;

/// How much longer than its items a lease lives: the clocks of machines may differ by as much.
const SLACK: Duration = Duration::from_secs(10);

/// The leases that are known to be there.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<BTreeSet<Lease>>);

impl Leases {
    /// Makes the lease, if nobody has done so.
    pub(super) async fn ensure(&self, server: &Server, lease: Lease) -> Result<()> {
        let Some(remaining) = lease.remaining() else { return Ok(()) };
        if self.known().contains(&lease) {
            return Ok(());
        }
        let seconds = (remaining + SLACK).as_secs() + 1;
        let grant = json!({ "ID": lease, "TTL": seconds.to_string() });
        match server.try_call("/v3/lease/grant", &grant).await {
            Err(failure) if !failure.is_known_lease() => return Err(failure.into_error()),
            Ok(_) | Err(_) => {}
        }
        let mut known = self.known();
        *known = known.split_off(&Lease::now());
        known.insert(lease);
        Ok(())
    }

    pub(super) fn forget(&self, lease: Lease) {
        self.known().remove(&lease);
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
