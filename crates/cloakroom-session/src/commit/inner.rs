//! What the clones of a session share: the request's cookies, the machine that knows the session, and the way to the
//! store.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{Declared, OutagePolicy};
use crate::cookie::CookieHeaders;
use crate::error::{Error, ErrorKind, Result, Shown};
use crate::id::SessionId;
use crate::machine::{Machine, Seen, View};
use crate::observe::{self, EventKind};
use crate::record::{FORMAT, Written, end, is_own};
use crate::store::{Details, Whose};

use super::Shared;
use super::cleanup::{clean_up, clean_up_later};

pub(crate) struct Inner {
    shared: Arc<Shared>,
    cookies: CookieHeaders,
    /// Whether any method was called; read without the lock by requests that never did.
    used: AtomicBool,
    /// Whether any method was called since somebody last kept the session alive for it.
    used_lately: AtomicBool,
    /// What this request's route says about outages, where it says something.
    outage_policy: Declared,
    machine: Mutex<Machine>,
    /// Held across I/O: one load or one write of a request at a time.
    pub(crate) io: tokio::sync::Mutex<()>,
}

impl Inner {
    pub(crate) fn new(shared: Arc<Shared>, cookies: CookieHeaders) -> Inner {
        Inner {
            shared,
            cookies,
            used: AtomicBool::new(false),
            used_lately: AtomicBool::new(false),
            outage_policy: Declared::default(),
            machine: Mutex::default(),
            io: tokio::sync::Mutex::new(()),
        }
    }

    /// Whether any method was called.
    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// Whether it is a session of these.
    pub(crate) fn is_of(&self, owner: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, owner)
    }

    /// What all sessions share, to be kept.
    pub(crate) fn share(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The machine, which knows what the client brought. A panic elsewhere while it was held leaves it consistent: every
    /// change to it is one call.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        let mut machine = self.lock();
        if !machine.has_ticket() {
            machine.presents(self.shared.cookie.read(&self.cookies));
        }
        machine
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the session is used.
    pub(crate) fn mark_used(&self) {
        self.used_lately.store(true, Ordering::Relaxed);
        self.used.store(true, Ordering::Release);
    }

    /// The machine, for a call of the handler's.
    pub(crate) fn use_machine(&self) -> MutexGuard<'_, Machine> {
        self.mark_used();
        self.machine()
    }

    /// Tells the machine something, and those who watch what it makes of that.
    pub(crate) fn tell<T>(&self, tell: impl FnOnce(&mut Machine) -> T) -> T {
        let (told, happened) = {
            let mut machine = self.machine();
            (tell(&mut machine), machine.take_happened())
        };
        for happened in happened {
            self.shared.store.tell_happened(happened);
        }
        told
    }

    /// Says that the headers have left, unless somebody has used the session; answers whether nobody has.
    pub(crate) fn close_unused(&self) -> bool {
        // What is used stays so.
        if self.is_used() {
            return false;
        }
        let mut machine = self.lock();
        let is_unused = !self.is_used();
        if is_unused {
            machine.close();
        }
        is_unused
    }

    /// Whether the session was used since the last time somebody asked, and would end soon if its deadline did not follow.
    pub(crate) fn needs_keeping(&self) -> bool {
        self.used_lately.load(Ordering::Relaxed)
            && self.lock().is_ending(&self.shared.rules())
            && self.used_lately.swap(false, Ordering::Relaxed)
    }

    /// Loads the record, once, unless `known` says that the machine alone has the answer.
    pub(crate) async fn load_unless(&self, known: impl FnOnce(&Machine) -> bool) -> Result<()> {
        {
            let mut machine = self.use_machine();
            if machine.is_resolved() {
                return Ok(());
            }
            if known(&machine) {
                machine.reads_own();
                return Ok(());
            }
        }
        let _io = self.io.lock().await;
        self.load().await
    }

    /// Asks the store for the record that the cookie names. `io` must be held.
    async fn load(&self) -> Result<()> {
        let Some((id, generation)) = self.machine().first_look() else { return Ok(()) };
        let store = &self.shared.store;
        let found = match observe::load(Some(store.shown(id))).over(pin!(store.look(id))).await {
            Ok(found) => found,
            Err(error) => match error.kind() {
                ErrorKind::Unavailable => return self.degrade(id, error),
                // Apart, because it is seldom: every other request would have to have room for it.
                ErrorKind::Corrupt => Box::pin(store.quarantine(id, error)).await?,
                _ => return Err(error),
            },
        };
        self.tell(|machine| machine.first_looked(generation, found, &self.shared.rules()))
    }

    /// Goes on without the store, where the request's policy says so.
    fn degrade(&self, id: SessionId, error: Error) -> Result<()> {
        let policy = self.outage_policy();
        let copy = match policy {
            OutagePolicy::Unavailable => return Err(error),
            OutagePolicy::ReadOnly => match self.shared.store.recall(id) {
                Some(copy) => Some(copy),
                None => return Err(error),
            },
            OutagePolicy::Anonymous => None,
        };
        let record = copy.as_ref().map(|copy| &*copy.record);
        let details = Details { whose: Whose::of(record), error: Some(&error), previous: None };
        self.shared.store.tell(EventKind::Degraded { policy }, id, details);
        self.machine().goes_on_without(copy, Arc::new(error));
        Ok(())
    }

    pub(crate) fn outage_policy(&self) -> OutagePolicy {
        self.outage_policy.get().unwrap_or(self.shared.outage)
    }

    pub(crate) fn set_outage_policy(&self, policy: OutagePolicy) {
        if policy == OutagePolicy::ReadOnly {
            self.shared.store.copies().want();
        }
        self.outage_policy.set(policy);
    }

    pub(crate) fn seen(&self, key: &str) -> Seen {
        self.machine().seen(key, self.shared.store.configured())
    }

    pub(crate) fn view(&self) -> View {
        self.machine().view(self.shared.store.configured())
    }

    /// Serialises a value for storage, to expire at a moment or, with the configured ttl, after it.
    pub(crate) fn write_value<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        expires: Option<f64>,
    ) -> Result<Written> {
        check_key(key)?;
        let refused = |error: serde_devalue::Error| {
            let kind = match error.is_limit() {
                true => ErrorKind::TooLarge,
                false => ErrorKind::NotSerializable,
            };
            let message =
                format!("the value for the session entry {} cannot be stored: {error}", Shown(key));
            Error::new(kind, message).with_source(error)
        };
        let text = FORMAT.to_vec(value).map_err(refused)?;
        let what = || format!("the value for the session entry {}", Shown(key));
        self.shared.store.configured().check_size(text.len(), what)?;
        Written::new(text, expires).map_err(refused)
    }

    /// When an entry expires that is set now, with a ttl of its own or with the configured one.
    pub(crate) fn expiry(&self, ttl: Option<Duration>) -> Option<f64> {
        let ttl = ttl.or(self.shared.store.configured().ttl);
        ttl.map(|ttl| end(self.shared.store.configured().now(), ttl).floor())
    }

    /// Cleans up what the request has left behind; what the machine says of itself then.
    pub(crate) async fn clean_up<T>(&self, say: impl Fn(&Machine) -> T) -> T {
        loop {
            let leftovers = {
                let mut machine = self.machine();
                let leftovers = machine.take_leftovers();
                if leftovers.is_empty() {
                    return say(&machine);
                }
                leftovers
            };
            Box::pin(clean_up(&self.shared, leftovers)).await;
        }
    }
}

impl Seen {
    /// The value.
    pub(crate) fn value<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let Some(change) = &self.change else {
            return match &self.record {
                Some(record) => record.get(key, self.moment),
                None => Ok(None),
            };
        };
        change.alive_at(self.moment).map(|written| written.decode(key)).transpose()
    }

    /// Whether there is an entry, even one whose value is undefined.
    pub(crate) fn is_there(&self, key: &str) -> Result<bool> {
        match (&self.change, &self.record) {
            (Some(change), _) => Ok(change.alive_at(self.moment).is_some()),
            (None, Some(record)) => record.has(key, self.moment),
            (None, None) => Ok(false),
        }
    }

    /// The value, and when its entry expires, `None` for the latter where it does not.
    pub(crate) fn value_and_end<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<(T, Option<f64>)>> {
        let Some(change) = &self.change else {
            return match &self.record {
                Some(record) => record.get_with_end(key, self.moment),
                None => Ok(None),
            };
        };
        let value = |written: &Written| Ok((written.decode(key)?, written.expires));
        change.alive_at(self.moment).map(value).transpose()
    }
}

/// Refuses a key that no entry of the handler's can have.
pub(crate) fn check_key(key: &str) -> Result<()> {
    let (kind, message) = match key {
        "" => (ErrorKind::EmptyKey, "a session entry needs a key that is not empty".to_owned()),
        key if is_own(key) => (
            ErrorKind::ReservedKey,
            format!("the key {key:?} is for a note of the library's own: choose another"),
        ),
        _ => return Ok(()),
    };
    Err(Error::new(kind, message))
}

impl Drop for Inner {
    /// Nobody can save any more what a task changed that outlived its response, or a handler that was given up; and
    /// nobody can name any more what was begun and not handed out.
    fn drop(&mut self) {
        if !self.is_used() {
            return;
        }
        let machine = self.machine.get_mut().unwrap_or_else(PoisonError::into_inner);
        if machine.has_unsaved() {
            observe::never_saved();
        }
        machine.give_up();
        clean_up_later(&self.shared, machine.take_leftovers());
        for happened in machine.take_happened() {
            self.shared.store.tell_happened(happened);
        }
    }
}
