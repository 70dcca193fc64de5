//! What is shown, and to whom.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cloakroom_actions::OriginCheck;
use cloakroom_session::Sessions;

use crate::access::Access;
use crate::handler;
use crate::watch::Watch;

/// How often the store is looked at, unless it is said otherwise.
const INTERVAL: Duration = Duration::from_secs(10);

/// The sessions of a store as web pages.
///
/// Whoever can reach it may see and end every session, unless there is a token: an application puts it behind its own
/// authorisation.
#[derive(Debug)]
pub struct Console {
    pub(crate) sessions: Sessions,
    /// What the store is called on the pages.
    pub(crate) store: String,
    pub(crate) origin: OriginCheck,
    pub(crate) access: Access,
    pub(crate) watch: Watch,
}

impl Console {
    /// Shows these sessions.
    pub fn new(sessions: Sessions) -> Console {
        Console {
            store: sessions.driver().name().to_owned(),
            origin: OriginCheck::new(),
            access: Access::default(),
            watch: Watch::new(sessions.clone(), INTERVAL),
            sessions,
        }
    }

    /// Calls the store so on the pages; by its driver's name unless set.
    #[must_use]
    pub fn store_name(mut self, name: impl Into<String>) -> Console {
        self.store = name.into();
        self
    }

    /// Admits whoever bears this token, or has given it in the form that others get instead of each page.
    #[must_use]
    pub fn token(mut self, token: &str) -> Console {
        self.access.add(token);
        self
    }

    /// Refuses requests to another host than the loopback's names and addresses.
    ///
    /// For a server on the loopback without a token: a web page can make a browser of the same machine send requests here,
    /// under a name of its own that leads to 127.0.0.1.
    #[must_use]
    pub fn local_hosts_only(mut self) -> Console {
        self.access.local_hosts_only = true;
        self
    }

    /// Adds an origin whose forms are the console's own, such as the public one behind a proxy that changes `Host`. It is needed
    /// for browsers that send no `Sec-Fetch-Site`.
    #[must_use]
    pub fn public_origin(mut self, origin: impl Into<String>) -> Console {
        self.origin = self.origin.public_origin(origin);
        self
    }

    /// How often the store's keys are listed at most, while somebody looks: every 10 seconds unless set. Where that takes long it
    /// is done less often, so that it is at work for a thirtieth of the time.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Console {
        self.watch = Watch::new(self.sessions.clone(), interval);
        self
    }

    /// The service. It answers below the path that it is nested at, whatever that is.
    pub fn into_router(self) -> Router {
        Router::new().fallback(handler::answer).with_state(Arc::new(self))
    }
}
