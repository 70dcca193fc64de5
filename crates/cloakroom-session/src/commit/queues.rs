//! Turns for those who want to write the same session.

use std::hash::BuildHasher;

use cloakroom_storage::platform::RandomState;
use tokio::sync::{Mutex, MutexGuard};

use crate::id::SessionId;

/// Writers that met a conflict queue up, so that many writers of one session cost a write each and not a
/// storm of retries. Sessions share a fixed number of queues.
pub(crate) struct Queues {
    hasher: RandomState,
    queues: [Mutex<()>; 64],
}

impl Default for Queues {
    fn default() -> Queues {
        Queues { hasher: RandomState::new(), queues: std::array::from_fn(|_| Mutex::new(())) }
    }
}

impl Queues {
    /// Waits until nobody else in this process who met a conflict over this session is writing it.
    pub(crate) async fn wait(&self, id: SessionId) -> MutexGuard<'_, ()> {
        let place = self.hasher.hash_one(id) as usize % self.queues.len();
        self.queues[place].lock().await
    }
}
