//! What the configuration and the driver say about every session.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::record::{self, Changes, Draft, End, Lifetime, Owner, Path, Record, Stored};

use super::Entered;

/// How much sooner than this side expects a store may let a record go, in milliseconds: some count in whole seconds.
const COARSENESS: f64 = 1_000.0;

/// What holds for all sessions of a site.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) lifetime: Lifetime,
    /// Of an entry that says nothing of its own.
    pub(crate) ttl: Option<Duration>,
    /// In bytes.
    pub(crate) max_size: usize,
    /// Whether the cookie has a `Max-Age`, which use prolongs.
    pub(crate) renews_cookie: bool,
    /// Whether a write can depend on what was loaded.
    pub(crate) compares: bool,
    /// Whether the store lets records go by itself.
    pub(crate) expires: bool,
    /// Where the site says whose a session is, in place of a sign-in.
    pub(crate) path: Option<Arc<Path>>,
    /// Whether sessions are looked at that are not in their principal's index yet.
    pub(crate) indexes: bool,
    pub(crate) clock: Clock,
}

impl Rules {
    /// The time in milliseconds since 1970, for whoever needs it: few do.
    pub(crate) fn now(&self) -> f64 {
        self.clock.now()
    }

    /// When this session ends by itself.
    pub(crate) fn lifetime_of(&self, record: &Record) -> Result<Lifetime> {
        Ok(self.lifetime.of(self.is_remembered(record)?))
    }

    /// Whether the session's cookie outlives the browser, whatever the configuration says of others.
    pub(crate) fn is_remembered(&self, record: &Record) -> Result<bool> {
        // Nothing is looked up where nobody can have asked for it.
        Ok(self.lifetime.remember.is_some() && record.is_remembered()?)
    }

    /// Whether the absolute deadline has passed.
    pub(crate) fn is_over(&self, record: &Record) -> Result<bool> {
        self.is_over_at(record, || self.now())
    }

    fn is_over_at(&self, record: &Record, now: impl FnOnce() -> f64) -> Result<bool> {
        Ok(self.lifetime.absolute.is_some() && self.lifetime.is_over(record.created()?, now()))
    }

    /// Whether a store that has the record no more may just have let it go: entries, the absolute deadline, or what the
    /// store itself has said. Of a record without entries nobody can tell.
    pub(crate) fn may_have_expired(&self, stored: &Stored) -> Result<bool> {
        let now = self.now() + COARSENESS;
        let has_passed = |ends: Option<f64>| ends.is_some_and(|ends| ends <= now);
        Ok(has_passed(stored.ends)
            || self.is_over_at(&stored.record, || now)?
            || match stored.record.end()? {
                End::At(ends) => has_passed(Some(ends)),
                End::Never => false,
                End::Empty => self.ttl.is_some(),
            })
    }

    /// The session as its record and its principal see it.
    pub(crate) fn owner<'a>(&'a self, id: SessionId, entered: Option<&'a Entered>) -> Owner<'a> {
        let entered = entered.filter(|entered| entered.id == id);
        let entered = entered.map(|entered| (entered.principal.as_str(), entered.page));
        Owner { id, path: self.path.as_deref(), entered }
    }

    /// The record to write, which is not too large, or at least no larger than it was; and whose index the session has to be
    /// entered into before.
    pub(crate) fn draft(
        &self,
        base: Option<&Record>,
        changes: &Changes,
        owner: &Owner<'_>,
    ) -> Result<(Draft, Option<String>)> {
        let (draft, enter) =
            record::apply(base, changes, self.now(), self.ttl, &self.lifetime, owner)?;
        if base.is_none_or(|base| draft.record.bytes().len() > base.bytes().len()) {
            self.check_size(draft.record.bytes().len(), || "the session".into())?;
        }
        Ok((draft, enter.filter(|_| self.compares)))
    }

    pub(crate) fn check_size(&self, size: usize, what: impl FnOnce() -> String) -> Result<()> {
        let limit = self.max_size;
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
}
