//! What the clones of a session share: the request's cookies, what is known of the session, and the way to the
//! store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_devalue::Options;

use crate::changes::{Change, Changes, Written};
use crate::clock::now;
use crate::cookie::{CookieHeaders, Ticket};
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::lifetime::CREATED;
use crate::observe;
use crate::outage::{Declared, OutagePolicy};
use crate::record::{Record, wrong_type};
use crate::shared::Shared;
use crate::state::{Current, New, State};

pub(crate) struct Inner {
    shared: Arc<Shared>,
    cookies: CookieHeaders,
    /// Read from the cookies once, however many calls want to know.
    ticket: OnceLock<Ticket>,
    /// Whether any method was called; read without the lock by requests that never did.
    touched: AtomicBool,
    /// What this request's route says about outages, where it says something.
    outage_policy: Declared,
    state: Mutex<State>,
    /// Held across I/O: one load or one write of a request at a time.
    pub(crate) io: tokio::sync::Mutex<()>,
}

impl Inner {
    pub(crate) fn new(shared: Arc<Shared>, cookies: CookieHeaders) -> Inner {
        Inner {
            shared,
            cookies,
            ticket: OnceLock::new(),
            touched: AtomicBool::new(false),
            outage_policy: Declared::default(),
            state: Mutex::default(),
            io: tokio::sync::Mutex::new(()),
        }
    }

    /// Whether any method was called.
    pub(crate) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::Acquire)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The state. A panic elsewhere while it was held leaves it consistent: every change to it is one step.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn touch(&self) {
        self.touched.store(true, Ordering::Release);
    }

    pub(crate) fn touched(&self) -> MutexGuard<'_, State> {
        self.touch();
        self.lock()
    }

    pub(crate) fn ticket(&self) -> Ticket {
        *self.ticket.get_or_init(|| self.shared().cookie.read(&self.cookies))
    }

    /// Loads the record, once, unless `known` says that the state alone has the answer.
    pub(crate) async fn resolve_unless(&self, known: impl FnOnce(&State) -> bool) -> Result<()> {
        {
            let state = self.touched();
            if !state.current.is_unresolved() || known(&state) {
                return Ok(());
            }
        }
        let _io = self.io.lock().await;
        self.resolve().await
    }

    /// Asks the store for the record that the cookie names. A miss is remembered. `io` must be held.
    pub(crate) async fn resolve(&self) -> Result<()> {
        let before = {
            let state = self.lock();
            if !state.current.is_unresolved() {
                return Ok(());
            }
            state.destroyed
        };
        let current = match self.ticket() {
            Ticket::Missing | Ticket::Malformed => Current::Absent,
            Ticket::Id(id) => match self.shared().store.load(id).await {
                Ok(Some(stored)) => Current::Stored(stored),
                Ok(None) => Current::Absent,
                Err(error) => return self.degrade(id, error, before),
            },
        };
        let mut state = self.lock();
        // Destroyed by another task while the store was asked: it stays destroyed.
        if state.destroyed == before {
            state.current = current;
        }
        Ok(())
    }

    /// Goes on without the store, where the request's policy says so.
    fn degrade(&self, id: SessionId, error: Error, destroyed: u32) -> Result<()> {
        if error.kind() != ErrorKind::Unavailable {
            return Err(error);
        }
        let policy = self.outage_policy();
        let current = match policy {
            OutagePolicy::Unavailable => None,
            OutagePolicy::ReadOnly => self.shared().store.recall(id).map(Current::Stored),
            OutagePolicy::Anonymous => Some(Current::Absent),
        };
        let Some(current) = current else { return Err(error) };
        observe::degraded(&id, &error, policy);
        let mut state = self.lock();
        state.outage = Some(Arc::new(error));
        if state.destroyed == destroyed {
            state.current = current;
        }
        Ok(())
    }

    pub(crate) fn outage_policy(&self) -> OutagePolicy {
        self.outage_policy.get().unwrap_or(self.shared().outage)
    }

    pub(crate) fn set_outage_policy(&self, policy: OutagePolicy) {
        if policy == OutagePolicy::ReadOnly {
            self.shared().store.copies().want();
        }
        self.outage_policy.set(policy);
    }

    /// Refuses a change while the store is away: there is nothing to make it to.
    pub(crate) fn admit_change(&self) -> Result<()> {
        match &self.lock().outage {
            None => Ok(()),
            Some(error) => Err(unavailable(error)),
        }
    }

    /// The change to `key` and the record, whichever there is.
    pub(crate) fn sources(&self, key: &str) -> (Option<Change>, Option<Arc<Record>>) {
        let state = self.lock();
        (state.changes.get(key).cloned(), state.current.record().cloned())
    }

    pub(crate) fn view(&self) -> (Option<Arc<Record>>, Changes) {
        let state = self.lock();
        (state.current.record().cloned(), state.changes.clone())
    }

    /// The value under `key` as far as it is known without I/O.
    pub(crate) fn value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        match self.sources(key) {
            (Some(Change::Set { written, .. }), _) => {
                written.decode().map(Some).map_err(|error| wrong_type(key, error))
            }
            (Some(Change::Delete), _) | (None, None) => Ok(None),
            (None, Some(record)) => record.get(key),
        }
    }

    /// Serialises a value for storage.
    pub(crate) fn write_value<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<Written> {
        if key.is_empty() {
            return Err(Error::new(
                ErrorKind::EmptyKey,
                "a session entry needs a key that is not empty",
            ));
        }
        if key == CREATED {
            return Err(Error::new(
                ErrorKind::ReservedKey,
                format!("the key {key:?} says when a session was created: choose another"),
            ));
        }
        let refused = |error: serde_devalue::Error| {
            Error::new(
                ErrorKind::NotSerializable,
                format!("the value for the session entry {key:?} cannot be stored: {error}"),
            )
            .with_source(error)
        };
        let text = Options::astro().to_vec(value).map_err(refused)?;
        self.check_size(text.len(), || format!("the value for the session entry {key:?}"))?;
        let ttl = ttl.or(self.shared().ttl);
        let expires = ttl.map(|ttl| (now() + ttl.as_secs_f64() * 1000.0).floor());
        Written::new(text, expires).map_err(refused)
    }

    pub(crate) fn check_size(&self, size: usize, what: impl FnOnce() -> String) -> Result<()> {
        let limit = self.shared().max_size;
        if size <= limit {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "{} is {size} bytes, more than the limit of {limit} (maxSize): keep large data elsewhere \
                 and its key in the session",
                what(),
            ),
        ))
    }

    /// Gives a session that does not exist yet its ID, while a cookie can still carry it.
    pub(crate) fn admit_creation(&self, state: &mut State) -> Result<()> {
        if let Some(error) = &state.outage {
            return Err(unavailable(error));
        }
        if state.response_started && !matches!(state.current, Current::Stored(_)) {
            return Err(response_started("set"));
        }
        let absent = match state.current {
            Current::Absent => true,
            Current::Unresolved => !matches!(self.ticket(), Ticket::Id(_)),
            Current::New(_) | Current::Stored(_) => false,
        };
        if absent {
            state.current = Current::New(New::empty());
        }
        Ok(())
    }
}

impl Drop for Inner {
    /// Nobody can save any more what a task changed that outlived its response, or a handler that was given up.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.is_changed() {
            observe::never_saved();
        }
    }
}

fn unavailable(error: &Arc<Error>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the session cannot be changed while its store does not answer: {error}"),
    )
    .with_source(Arc::clone(error))
}

pub(crate) fn response_started(method: &str) -> Error {
    Error::new(
        ErrorKind::ResponseStarted,
        format!(
            "`{method}` came after the response's headers had left, when no cookie can name a new session any \
             more: call it before the response starts, or read the session before it so that it is loaded"
        ),
    )
}
