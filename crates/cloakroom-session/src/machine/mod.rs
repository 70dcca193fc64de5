//! What one request knows of its session, as one value that does no I/O.
//!
//! It is told what happens: the handler's calls ([`handler`]), and what came of each step ([`answered`]), *including
//! that nobody knows*. It says what to do next ([`next`](Machine::next)), and in the end which cookie the response has
//! ([`cookie`]). The async shell in `commit` carries steps to the driver and answers back, and decides nothing. So each
//! order of events, each lost answer and each cancellation is a sequence of calls on a value.
//!
//! Fields are private to this folder: whatever changes them is named by what has happened.

mod answered;
mod cookie;
mod entering;
mod handler;
mod happened;
mod known;
mod next;
mod rules;
#[cfg(test)]
mod tests;
mod turns;
mod upkeep;
mod write;

use std::sync::Arc;

use crate::cookie::Ticket;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::record::{Change, Changes, Found, Record, Revision};

pub(crate) use answered::{Answer, Failed, RetireOutcome};
pub(crate) use cookie::SetCookie;
pub(crate) use entering::{Entered, Entering, Entry, Moment, full};
pub(crate) use happened::{Happened, Reason, What};
pub(crate) use known::{Cause, Destroyed, Leftover, Moved};
pub(crate) use next::{Goal, Next, Outcome, Proposal, Step, Target};
pub(crate) use rules::Rules;

use known::{Ending, Known, Left};
use write::WRITES;

/// What a request knows of its session.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// What the client brought; read from its cookies when somebody first asks.
    presented: Option<Ticket>,
    known: Known,
    /// What the handler changed and the store does not hold yet.
    changes: Changes,
    /// What the handler destroyed and the store was not told yet.
    endings: Vec<Ending>,
    leftovers: Vec<Leftover>,
    /// What is to be told to those who watch.
    happened: Vec<Happened>,
    /// What this request has entered into the index of a principal.
    entered: Option<Box<Entered>>,
    /// What `regenerate` has left and retired, until the browser is told of the new ID.
    moved: Option<Box<Moved>>,
    /// Counts what makes an earlier look at this session worthless: another session, or a newer record.
    generation: u32,
    /// The handler has read what it had changed itself, before the store was asked.
    read_own: bool,
    /// Why the store could not be asked, where the request goes on without it.
    outage: Option<Arc<Error>>,
    /// The handler destroyed a session, so its cookie goes too.
    destroyed: bool,
    /// This request has begun the session, and no response has handed it out.
    begun: bool,
    /// Why it has an ID that no response has handed out.
    reason: Reason,
    /// The handler asked for the session's ID, so that somebody else may know it.
    told: bool,
    /// A cookie whose time runs out is to be sent again: the session was written, or used.
    renew: bool,
    /// The handler said whether the session is remembered, so that the browser's cookie may be another kind.
    reissue: bool,
    /// The request regenerated its session, and another retired that first.
    lost: bool,
    /// The headers have left: no cookie can be sent any more.
    closed: bool,
    /// The client went away: nobody will ever see a cookie.
    abandoned: bool,
    run: Run,
}

/// What is known within one run alone: a commit, an update, a look.
#[derive(Debug, Default)]
struct Run {
    /// The store has said that the session is alive.
    heard: bool,
    /// The store has shown what there is, or was given it.
    looked: bool,
    /// It is the one that the response waits for.
    is_final: bool,
    /// What `regenerate` leaves was retired.
    moved: bool,
    /// The new session is still in the index.
    stands: bool,
    /// The deadlines were kept up, or need not be.
    kept: bool,
    /// The store has a newer record than what is known.
    outdated: bool,
    /// What an update proposed is stored.
    proposed: bool,
    /// What an update proposed is what is known, with the changes up to this one.
    unchanged: Option<Revision>,
    conflicts: u32,
    writes: u32,
    /// How often what is left was asked to be retired, and what came of the last time.
    tries: u32,
    refusal: Option<Error>,
}

/// The cookie of a request that ends, and what has come about by it.
type Closed = (Result<Option<SetCookie>>, Option<Happened>);

/// What a reader sees of one key.
pub(crate) struct Seen {
    pub(crate) change: Option<Change>,
    pub(crate) record: Option<Arc<Record>>,
    /// Entries that expire before this are not there, in milliseconds since 1970.
    pub(crate) moment: f64,
    pub(crate) basis: Basis,
}

/// What a reader sees of all keys.
pub(crate) struct View {
    pub(crate) changes: Changes,
    pub(crate) record: Option<Arc<Record>>,
    /// As in [`Seen`].
    pub(crate) moment: f64,
}

/// What a decision was made on. Where it is another one later, the decision is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Basis {
    generation: u32,
    revision: Option<Revision>,
}

impl Machine {
    /// Whether it was told what the client brought.
    pub(crate) fn has_ticket(&self) -> bool {
        self.presented.is_some()
    }

    /// The client brought this.
    pub(crate) fn presents(&mut self, ticket: Ticket) {
        self.presented = Some(ticket);
    }

    pub(crate) fn id(&self) -> Option<SessionId> {
        self.known.id()
    }

    /// The handler asks for the ID: what it does with it nobody knows.
    pub(crate) fn tell_id(&mut self) -> Option<SessionId> {
        let id = self.known.id();
        self.told |= id.is_some();
        id
    }

    /// Whether the session is known without asking the store.
    pub(crate) fn is_resolved(&self) -> bool {
        !self.known.is_unasked()
    }

    /// What the store has to be asked for before anything is known, and what an answer is told by to be still wanted.
    pub(crate) fn first_look(&mut self) -> Option<(SessionId, u32)> {
        if !self.known.is_unasked() {
            return None;
        }
        let id = self.presented_id();
        if id.is_none() {
            self.known = Known::Absent;
        }
        id.map(|id| (id, self.generation))
    }

    /// The answer to the first look.
    ///
    /// # Errors
    /// Where what was found cannot be read.
    pub(crate) fn first_looked(
        &mut self,
        generation: u32,
        found: Found,
        rules: &Rules,
    ) -> Result<()> {
        if generation == self.generation {
            return self.looked(found, rules);
        }
        // The handler has destroyed it since: so there was something to destroy.
        if let Found::Alive(stored) = found {
            let mut endings = self.endings.iter_mut().filter(|ending| ending.seen.is_none());
            if let Some(ending) = endings.find(|ending| ending.id == stored.id) {
                ending.seen = Some(stored);
            }
        }
        Ok(())
    }

    pub(crate) fn has_changed(&self, key: &str) -> bool {
        self.changes.get(key).is_some()
    }

    /// A read was answered by the changes alone. Astro loads the record at every first read, so from here on entries stand
    /// where they would if it had been loaded, though nobody asks the store.
    pub(crate) fn reads_own(&mut self) {
        self.read_own = true;
    }

    /// What there is under `key`.
    pub(crate) fn seen(&self, key: &str, rules: &Rules) -> Seen {
        let (record, moment) = self.record(rules);
        let change = self.changes.get(key).cloned();
        Seen { change, record, moment, basis: self.basis(key) }
    }

    /// All that there is.
    pub(crate) fn view(&self, rules: &Rules) -> View {
        let (record, moment) = self.record(rules);
        View { changes: self.changes.clone(), record, moment }
    }

    /// A request sees one state of its session; what outlives its request sees time pass.
    fn record(&self, rules: &Rules) -> (Option<Arc<Record>>, f64) {
        let record = self.known.record().cloned();
        let moment = record.as_ref().map_or(f64::NEG_INFINITY, |record| record.now());
        if !self.closed {
            return (record, moment);
        }
        let moment = rules.now().max(moment);
        // What cannot be read is not known to be over: whoever reads it is told.
        let is_over = |record: &Arc<Record>| rules.is_over(record).unwrap_or(false);
        (record.filter(|record| !is_over(record)), moment)
    }

    fn basis(&self, key: &str) -> Basis {
        Basis { generation: self.generation, revision: self.changes.revision(key) }
    }

    /// Whether the store could not be asked.
    pub(crate) fn is_degraded(&self) -> bool {
        self.outage.is_some()
    }

    /// Whether a commit would have something to do.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty() || !self.endings.is_empty() || matches!(self.known, Known::New(_))
    }

    /// Whether the handler changed what will never be saved.
    pub(crate) fn has_unsaved(&self) -> bool {
        !self.abandoned && (!self.changes.is_empty() || matches!(self.known, Known::New(_)))
    }

    /// Ends a request that has nothing to ask the store, as most: what [`Goal::Finish`] does, in one look. `None` where
    /// there is something to do.
    pub(crate) fn close_idle(&mut self, rules: &Rules) -> Option<Closed> {
        let is_idle = !self.is_changed()
            && !self.lost
            && !self.may_need_upkeep(rules)
            && !self.needs_confirmation(rules)
            && !self.may_be_unlisted(rules)
            && self.leftovers.is_empty();
        is_idle.then(|| {
            self.run = Run::default();
            self.closed = true;
            let cookie = self.cookie(rules);
            (cookie, self.told_the_browser())
        })
    }

    /// The response leaves, with its cookie: from now on somebody can name the session. Not where the client has gone away
    /// meanwhile: then what only the cookie could have named is taken back. Answers what has come about by it, where anything
    /// has: apart from the notes, so that a session begins without one of them on the heap.
    pub(crate) fn told_the_browser(&mut self) -> Option<Happened> {
        if self.abandoned {
            self.undo_move();
            self.leave_unnamed();
        }
        let moved = self.moved.take();
        let previous = moved.as_ref().map(|moved| moved.left.id);
        if let (Some(moved), Some(now)) = (moved, self.known.id())
            && moved.in_doubt
        {
            let leftover = Leftover::Moved { left: moved.left.id, by: moved.by, now };
            self.leftovers.push(leftover);
        }
        self.settle(previous)
    }

    /// Whether a task has changed or destroyed the session after all was done. What it changes after the old ID of a
    /// regenerated session has gone is the late commit's.
    pub(crate) fn has_more(&self) -> bool {
        let may_write = self.moved.is_none() && self.run.writes < WRITES;
        !self.endings.is_empty() || (may_write && self.is_changed())
    }

    /// The headers have left.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The client went away before it was answered.
    pub(crate) fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// A commit, an update or a look begins.
    pub(crate) fn begin(&mut self) {
        self.run = Run::default();
        if let Known::New(new) = &mut self.known
            && let Some(left) = &mut new.left
        {
            left.heard = false;
            // A run that was given up before it was answered.
            left.unclear |= left.unanswered;
        }
        for ending in &mut self.endings {
            ending.heard = false;
            // A run that was given up before it was answered.
            let is_unanswered = std::mem::take(&mut ending.sent);
            ending.unclear |= is_unanswered;
            ending.unmarked |= is_unanswered;
        }
    }

    /// The response waits for this run.
    pub(crate) fn begin_final(&mut self) {
        self.begin();
        self.run.is_final = true;
    }

    /// The response says that nothing was saved, so nothing is, now or later. What was destroyed stays to be retired.
    pub(crate) fn fail(&mut self) {
        self.closed = true;
        self.take_back();
        self.undo_move();
        self.leave_unnamed();
        for ending in self.endings.iter_mut().filter(|ending| !ending.handed_over) {
            ending.handed_over = true;
            self.leftovers.push(Leftover::Destroyed(Destroyed {
                id: ending.id,
                by: ending.by,
                record: ending.seen.as_ref().map(|seen| Arc::clone(&seen.record)),
                cause: Cause::Handler,
            }));
        }
        // What somebody was told of stays.
        let settled = self.settle(None);
        self.happened.extend(settled);
    }

    /// Nobody holds the session any more.
    pub(crate) fn give_up(&mut self) {
        if !self.closed {
            // The request was never finished, so nothing of it is saved.
            self.endings.clear();
        }
        self.fail();
    }

    /// What is to be cleaned up behind the request's back.
    pub(crate) fn take_leftovers(&mut self) -> Vec<Leftover> {
        std::mem::take(&mut self.leftovers)
    }

    /// Forgets all changes, and a new session with them: what it was to replace stays.
    fn take_back(&mut self) {
        self.changes.clear();
        if !matches!(self.known, Known::New(_)) {
            return;
        }
        let Known::New(new) = std::mem::take(&mut self.known) else { return };
        self.begin_another();
        self.known = Known::Absent;
        let unnamed = new.leftover();
        let Some(Left { stored, by, removed, unanswered, begun, .. }) = new.left else {
            return self.leftovers.extend(unnamed);
        };
        match unanswered {
            true => {
                let moved = Moved { left: stored.clone(), by, removed, in_doubt: true };
                self.leftovers.push(Leftover::TakenBack { moved, now: new.id });
            }
            false => self.leftovers.extend(unnamed),
        }
        self.begun = begun;
        self.known = Known::Stored(stored);
    }

    /// Nobody will be told of the new ID that `regenerate` gave the session, so it has the old one again.
    fn undo_move(&mut self) {
        let Some(moved) = self.moved.take() else { return };
        let left = moved.left.id;
        let now = self.known.id().filter(|_| self.is_unnamed());
        if now.is_some() {
            self.begin_another();
            self.known = Known::Stored(moved.left.clone());
        }
        let now = now.unwrap_or(left);
        self.leftovers.push(Leftover::TakenBack { moved: *moved, now });
    }

    /// Whether nobody can name the session that this request has begun.
    fn is_unnamed(&self) -> bool {
        self.begun && !self.told
    }

    /// Another session comes in the place of this one.
    fn begin_another(&mut self) {
        self.generation += 1;
        self.read_own = false;
        self.begun = false;
        self.reason = Reason::default();
        self.told = false;
        self.renew = false;
        self.reissue = false;
    }

    /// Leaves a session that this request has begun, and that nobody was told of.
    fn leave_unnamed(&mut self) {
        if self.is_unnamed()
            && let Known::Stored(stored) = &self.known
        {
            self.leftovers.push(Leftover::Unnamed(stored.id));
            self.known = Known::Absent;
            self.begin_another();
        }
    }

    pub(crate) fn presented_id(&self) -> Option<SessionId> {
        match self.presented {
            Some(Ticket::Id(id)) => Some(id),
            Some(Ticket::Missing | Ticket::Malformed) | None => None,
        }
    }

    /// Refuses a change while the store is away: there is nothing to make it to.
    fn ensure_reachable(&self) -> Result<()> {
        self.outage.as_ref().map_or(Ok(()), |error| Err(unavailable(error)))
    }
}

fn unavailable(error: &Arc<Error>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the session cannot be changed while its store does not answer: {error}"),
    )
    .with_source(Arc::clone(error))
}

pub(crate) fn destroyed() -> Error {
    Error::new(
        ErrorKind::Destroyed,
        "the session was ended by another request since this one began: nothing was saved",
    )
}

fn expired() -> Error {
    Error::new(
        ErrorKind::Expired,
        "the session's time has passed since it was loaded, and no cookie can name a new one any more: \
         nothing was saved",
    )
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
