//! What all requests share.

use std::time::Duration;

use cloakroom_storage::Sweeper;

use crate::cookie::SessionCookie;
use crate::outage::OutagePolicy;
use crate::queues::Queues;
use crate::store::Store;

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) cookie: SessionCookie,
    pub(crate) ttl: Option<Duration>,
    pub(crate) max_size: usize,
    pub(crate) outage: OutagePolicy,
    pub(crate) queues: Queues,
    /// Ends with the last request and the last handle.
    #[allow(dead_code)]
    pub(crate) sweeper: Option<Sweeper>,
}
