//! What all requests share.

use cloakroom_storage::{Advice, Sweeper};

use crate::config::OutagePolicy;
use crate::cookie::SessionCookie;
use crate::index::Index;
use crate::machine::Rules;
use crate::store::Store;

use super::Queues;

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) index: Index,
    pub(crate) cookie: SessionCookie,
    pub(crate) outage: OutagePolicy,
    pub(crate) queues: Queues,
    /// What is unsafe in the configuration.
    pub(crate) advice: Vec<Advice>,
    /// Ends with the last request and the last handle.
    #[allow(dead_code)]
    pub(crate) sweeper: Option<Sweeper>,
}

impl Shared {
    /// What holds for all sessions, as the store is now.
    pub(crate) fn rules(&self) -> Rules {
        self.store.rules()
    }
}
