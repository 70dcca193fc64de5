//! A trace made by hand.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::ErrorKind;

use crate::checks::check;
use crate::content::{Content, Entry};
use crate::history::{Cookies, History, Key, Request, Setup, Site};
use crate::trace::{
    Act, Answer, Call, Condition, Effect, Event, Id, Outcome, Owner, Sent, Trace, What,
};
use crate::world::BEGINNING;

pub(super) const A: Key = Key(b'a');
pub(super) const B: Key = Key(b'b');

/// The first ID, which requests present, and another one.
pub(super) const OLD: Id = Id(0);
pub(super) const NEW: Id = Id(1);

/// A history that is told, and not run.
pub(super) struct Script {
    pub(super) trace: Trace,
    calls: usize,
}

/// A record of these entries, without ends.
pub(super) fn record(entries: &[(Key, &[u32])]) -> Content {
    let entries =
        entries.iter().map(|(key, tags)| Entry { key: *key, tags: tags.to_vec(), expires: None });
    Content { entries: entries.collect(), created: None, is_tombstone: false }
}

pub(super) fn tombstone() -> Content {
    Content { entries: Vec::new(), created: None, is_tombstone: true }
}

/// Milliseconds since 1970 so long after the beginning.
pub(super) fn moment(milliseconds: u64) -> f64 {
    (BEGINNING + Duration::from_millis(milliseconds)).as_millis() as f64
}

impl Script {
    /// Three requests of one browser; the first of them has begun the session under [`OLD`].
    pub(super) fn new() -> Script {
        let setup = Setup::plain(1);
        let request = Request {
            browser: 0,
            machine: 0,
            start: Duration::ZERO,
            site: Site::Cloakroom,
            cookies: Cookies::Last,
            program: Vec::new(),
            body: None,
            gone: None,
            answer: Some(Duration::ZERO),
        };
        let (faults, deaths) = (Vec::new(), Vec::new());
        let history = History { schedule: 0, setup, requests: vec![request; 3], faults, deaths };
        let trace = Trace { history, events: Vec::new(), hung: 0, is_endless: false };
        let mut script = Script { trace, calls: 0 };
        script.began(0, None);
        script.done(0, Act::Set(A, 1, None));
        script.finish(0, Some(Sent::Id(OLD)), |script| {
            script.write(0, OLD, None, record(&[(A, &[1])]));
        });
        script
    }

    fn note(&mut self, request: usize, what: What) -> usize {
        // Each event has a moment of its own.
        let at = Duration::from_millis(self.trace.events.len() as u64);
        let owner = Owner { request, machine: Some(0) };
        self.trace.events.push(Event { at, owner, what });
        self.trace.events.len() - 1
    }

    pub(super) fn began(&mut self, request: usize, presented: Option<Id>) {
        self.note(request, What::Began(presented.into_iter().collect()));
    }

    /// The operator is told of whole records that are overwritten.
    pub(super) fn told(&mut self, kind: &str) {
        self.note(0, What::Overwritten(kind.to_owned()));
    }

    /// A call to the session, and what happens meanwhile.
    pub(super) fn act(
        &mut self,
        request: usize,
        act: Act,
        outcome: Outcome,
        during: impl FnOnce(&mut Script),
    ) {
        let begun = self.note(request, What::Begun(act));
        during(self);
        self.note(request, What::Ended(begun, outcome));
    }

    pub(super) fn done(&mut self, request: usize, act: Act) {
        self.act(request, act, Outcome::Done, |_| {});
    }

    /// The end of a request, and its answer.
    pub(super) fn finish(
        &mut self,
        request: usize,
        sent: Option<Sent>,
        during: impl FnOnce(&mut Script),
    ) {
        self.act(request, Act::Finish, Outcome::Finished(sent), during);
        self.note(request, What::Delivered(sent));
    }

    fn call(&mut self, request: usize, id: Id, call: Call, effect: Effect) {
        let number = self.calls;
        self.calls += 1;
        self.note(request, What::Called(number, id, call));
        self.note(request, What::Applied(number, effect));
        self.note(request, What::Answered(number, Answer::Told));
    }

    pub(super) fn read(&mut self, request: usize, id: Id, content: Option<Content>) {
        self.call(request, id, Call::Get, Effect::Read(content.map(Arc::new)));
    }

    pub(super) fn write(
        &mut self,
        request: usize,
        id: Id,
        before: Option<Content>,
        after: Content,
    ) {
        let ttl = after.is_tombstone.then_some(Duration::from_secs(60));
        self.write_for(request, id, before, after, ttl);
    }

    pub(super) fn write_for(
        &mut self,
        request: usize,
        id: Id,
        before: Option<Content>,
        after: Content,
        ttl: Option<Duration>,
    ) {
        let after = Arc::new(after);
        let content = Some(Arc::clone(&after));
        let when = if before.is_some() { Condition::Version } else { Condition::Absent };
        let deadline = ttl.map(|ttl| Duration::from_millis(self.trace.events.len() as u64) + ttl);
        let before = before.map(Arc::new);
        let effect = Effect::Wrote { before, deadline_before: None, after, deadline };
        self.call(request, id, Call::Set { content, when, ttl }, effect);
    }

    /// The answer to the call that was made last was lost.
    pub(super) fn not_told(&mut self) {
        if let Some(Event { what: What::Answered(_, answer), .. }) = self.trace.events.last_mut() {
            *answer = Answer::Failed(ErrorKind::Unavailable, false, None);
        }
    }

    pub(super) fn remove(&mut self, request: usize, id: Id, content: Content) {
        let effect = Effect::Removed(Arc::new(content));
        self.call(request, id, Call::Remove(Condition::Version), effect);
    }

    pub(super) fn touch(&mut self, request: usize, id: Id, content: Content, ttl: Duration) {
        let deadline = Some(Duration::from_millis(self.trace.events.len() as u64) + ttl);
        let effect = Effect::Touched { content: Arc::new(content), before: None, deadline };
        self.call(request, id, Call::Touch(Some(ttl)), effect);
    }

    /// A call that the store is sure not to have done.
    pub(super) fn refused(&mut self, request: usize, id: Id) {
        let number = self.calls;
        self.calls += 1;
        self.note(request, What::Called(number, id, Call::Get));
        let answer = Answer::Failed(ErrorKind::Unavailable, true, None);
        self.note(request, What::Answered(number, answer));
    }

    /// Another browser's or this one's login: `request` moves [`OLD`] to [`NEW`].
    pub(super) fn regenerate(&mut self, request: usize, content: Content) {
        self.began(request, Some(OLD));
        self.act(request, Act::Regenerate, Outcome::Done, |script| {
            script.read(request, OLD, Some(content.clone()));
        });
        self.finish(request, Some(Sent::Id(NEW)), |script| {
            script.write(request, NEW, None, content.clone());
            script.write(request, OLD, Some(content), tombstone());
        });
    }

    /// Which checks complain.
    pub(super) fn broken(&mut self) -> Vec<&'static str> {
        self.note(usize::MAX, What::Quiet);
        check(&self.trace).into_iter().map(|violation| violation.check).collect()
    }
}
