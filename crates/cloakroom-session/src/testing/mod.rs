//! Sessions for tests: in memory, by a clock that a test moves, in a store that fails on demand.
//!
//! With the feature `testing`, for the tests of a site; a handler is tested without a server and without a client:
//!
//! ```
//! use std::time::Duration;
//! use cloakroom_session::testing::TestSite;
//! use cloakroom_session::{Config, Key, Result, Session};
//!
//! const CART: Key<Vec<String>> = Key::new("cart");
//!
//! async fn check_out(session: &Session) -> Result<usize> {
//!     let cart = session.take(CART).await?.unwrap_or_default();
//!     Ok(cart.len())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let mut config = Config::new("memory");
//! config.idle = Some(Duration::from_secs(60));
//! let site = TestSite::with(config);
//!
//! // A session with data in it, as the next request of its browser has it.
//! let session = site.session_with(|session| session.set(CART, &vec!["hat".to_owned()])).await?;
//! assert_eq!(check_out(&session).await?, 1);
//!
//! // What the end of the request does.
//! let committed = site.commit(&session).await?;
//! assert_eq!(committed.changed(), ["cart"]);
//! assert!(!committed.was_regenerated() && !committed.was_destroyed());
//!
//! // A minute later nobody has used it.
//! let next = site.next(&committed);
//! site.advance(Duration::from_secs(61));
//! assert_eq!(check_out(&next).await?, 0);
//! # Ok(())
//! # }
//! ```
//!
//! For axum that is what a handler takes; the extractors of actix-web and salvo are made of it (`Session::from(session)`). A
//! site whose routes are tested takes [`TestSite::sessions`] for its layer.

// A test fails by panicking.
#![allow(clippy::expect_used)]

mod committed;
mod held;
mod store;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::ErrorKind;
use http::HeaderValue;
use serde_devalue::Value;

use crate::adapter::Commit as _;
use crate::clock::Clock;
use crate::config::Config;
use crate::cookie::CookieHeaders;
use crate::error::Result;
use crate::id::SessionId;
use crate::session::Session;
use crate::sessions::Sessions;

pub use committed::Committed;
pub use held::HeldWrite;
pub use store::TestStore;

/// When the clock of a test begins: at the beginning of the year 2026, in milliseconds.
const BEGIN: f64 = 1_767_225_600_000.0;

/// A site for tests. Its clones are the same site.
#[derive(Clone, Debug)]
pub struct TestSite {
    sessions: Sessions,
    /// The same for the site itself, which looks at what there is and is no part of the test.
    undisturbed: Sessions,
    store: TestStore,
    clock: Clock,
}

impl TestSite {
    /// A site with the default configuration.
    #[allow(clippy::new_without_default)] // A default would be one that panics.
    pub fn new() -> TestSite {
        TestSite::with(Config::new("memory"))
    }

    /// A site with this configuration, of which the driver, its options, the timeout and the retries do not matter.
    ///
    /// # Panics
    /// Where the configuration cannot be used.
    pub fn with(mut config: Config) -> TestSite {
        let clock = Clock::standing_at(BEGIN);
        let store = TestStore::by_clock(clock);
        // The store looks at the clock each time.
        config.sweep_interval = None;
        let open = |store: TestStore| {
            Sessions::by_clock(Arc::new(store), &config, clock).expect("it can be used")
        };
        let sessions = open(store.clone());
        TestSite { sessions, undisturbed: open(store.undisturbed()), store, clock }
    }

    /// Its sessions, for a layer.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Its store, which fails on demand and counts its calls.
    pub fn store(&self) -> &TestStore {
        &self.store
    }

    /// The session of a request without a cookie.
    pub fn session(&self) -> Session {
        self.sessions.session(CookieHeaders::default())
    }

    /// The session of a request whose browser has one with this in it, which an earlier request stored.
    ///
    /// # Errors
    /// Where it cannot be stored.
    pub async fn session_with(&self, fill: impl FnOnce(&Session) -> Result<()>) -> Result<Session> {
        let earlier = self.session();
        fill(&earlier)?;
        let committed = self.commit(&earlier).await?;
        Ok(self.next(&committed))
    }

    /// The session of the next request of a browser that was answered with this.
    pub fn next(&self, committed: &Committed) -> Session {
        self.of(committed.id())
    }

    /// The session of another request of this one's browser, with the cookie that this one had: while it is not answered, or
    /// where its commit failed and the browser has what it had.
    ///
    /// ```
    /// use cloakroom_session::testing::TestSite;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let site = TestSite::new();
    /// let session = site.session_with(|session| session.set("theme", "dark")).await?;
    /// site.store_down(true);
    /// session.set("theme", "light")?;
    /// assert!(site.commit(&session).await.is_err());
    ///
    /// site.store_down(false);
    /// let session = site.again(&session);
    /// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn again(&self, session: &Session) -> Session {
        self.of(session.inner.machine().presented_id())
    }

    /// Ends a request: what the session's layer does after the handler. The request's session is saved then, and what is set
    /// after that fails or is saved by itself.
    ///
    /// # Errors
    /// As [`Commit::finish`](crate::adapter::Commit::finish).
    pub async fn commit(&self, session: &Session) -> Result<Committed> {
        let presented = session.inner.machine().presented_id();
        let before = self.entries(presented).await;
        let finished = session.finish().await?;
        let mut committed = Committed::new(presented, finished);
        committed.compare(&before, &self.entries(committed.id()).await);
        Ok(committed)
    }

    /// Moves the clock, by which everything here expires: idle and absolute deadlines, and entries with a ttl.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
    }

    /// Lets the store fail as one that is away, or work again.
    pub fn store_down(&self, is_down: bool) {
        self.store.fail(is_down.then_some(ErrorKind::Unavailable));
    }

    /// What a session has in it, where that can be read.
    async fn entries(&self, id: Option<SessionId>) -> Vec<(String, Value)> {
        let Some(id) = id else { return Vec::new() };
        self.undisturbed.session(self.cookie(&id)).entries().await.unwrap_or_default()
    }

    /// The session of a browser that has this one, or none.
    fn of(&self, id: Option<SessionId>) -> Session {
        match id {
            Some(id) => self.sessions.session(self.cookie(&id)),
            None => self.session(),
        }
    }

    fn cookie(&self, id: &SessionId) -> HeaderValue {
        let cookie = self.sessions.shared().cookie.present(id);
        HeaderValue::try_from(cookie).expect("it was checked with the configuration")
    }
}
