//! The leases that are at the server.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::lease::Lease;
use super::server::Server;
use cloakroom_storage::{Result, platform::random};

/// How much longer than its items a lease lives: the clocks of machines may differ by as much.
const SLACK: Duration = Duration::from_secs(10);

/// The leases that are known to be there, and whose they are.
#[derive(Debug)]
pub(super) struct Leases {
    known: Mutex<BTreeSet<Lease>>,
    owner: AtomicU64,
}

impl Leases {
    /// Those of everybody who writes below this base as this user: who may write one of their items may write all.
    pub(super) fn new(base: &str, user: &str) -> Leases {
        let digest = Sha256::digest(format!("{base}\n{user}"));
        let owner = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        Leases { known: Mutex::default(), owner: AtomicU64::new(owner) }
    }

    /// The lease of an item with this ttl.
    pub(super) fn after(&self, ttl: Option<Duration>) -> Lease {
        Lease::after(ttl, self.owner.load(Ordering::Relaxed))
    }

    /// From now on, leases that nobody else has: somebody with other permissions has those of before.
    pub(super) fn part(&self) {
        self.owner.store(random::number(), Ordering::Relaxed);
    }

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
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
