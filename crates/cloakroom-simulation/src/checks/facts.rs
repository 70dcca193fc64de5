//! What happened, put in order: per request, per call to the store, and per ID.

use std::sync::Arc;
use std::time::Duration;

use crate::checks::retirements::Retirement;
use crate::content::Content;
use crate::history::{History, Request};
use crate::trace::{Act, Answer, Call, Effect, Id, Outcome, Owner, Sent, Trace, What};
use crate::world::BEGINNING;

/// A history in order. Moments are places among its events.
pub struct Facts<'a> {
    /// What it is about.
    pub trace: &'a Trace,
    /// By the number of the request.
    pub requests: Vec<RequestFacts>,
    /// By the number of the call.
    pub calls: Vec<CallFacts<'a>>,
    /// By the number of the ID: the calls that did something there, in the order in which they did.
    pub effects: Vec<Vec<usize>>,
    /// Each end that was put to a session's record.
    pub retirements: Vec<Retirement>,
}

/// What one request did.
#[derive(Debug, Default)]
pub struct RequestFacts {
    /// When it came; `None` where it never did.
    pub began: Option<usize>,
    /// The ID that counts of those that it presented: the first.
    pub presented: Option<Id>,
    /// All calls to its session, the finish among them.
    pub acts: Vec<ActFacts>,
    /// Whether its client went away before the answer.
    pub is_gone: bool,
    /// Whether its machine died.
    pub is_dead: bool,
}

/// One call to the session.
#[derive(Clone, Debug)]
pub struct ActFacts {
    /// What was called.
    pub act: Act,
    /// When.
    pub begun: usize,
    /// When it ended, or the last moment of all.
    pub ended: usize,
    /// How it ended; `None` where it never did.
    pub outcome: Option<Outcome>,
}

/// One call to the store.
pub struct CallFacts<'a> {
    /// In whose task.
    pub owner: Owner,
    /// To what.
    pub id: Id,
    /// What it asked for.
    pub call: &'a Call,
    /// When it left.
    pub issued: usize,
    /// When the store did it, and what.
    pub applied: Option<(usize, &'a Effect)>,
    /// When its caller was told, and what.
    pub answered: Option<(usize, Answer)>,
}

impl<'a> Facts<'a> {
    /// Puts a history in order.
    pub fn new(trace: &'a Trace) -> Facts<'a> {
        let requests = trace.history.requests.iter().map(|_| RequestFacts::default()).collect();
        let (calls, effects, retirements) = (Vec::new(), Vec::new(), Vec::new());
        let mut facts = Facts { trace, requests, calls, effects, retirements };
        for (place, event) in trace.events.iter().enumerate() {
            facts.take(place, event.owner, &event.what);
        }
        facts.find_retirements();
        facts
    }

    fn take(&mut self, place: usize, owner: Owner, what: &'a What) {
        match what {
            What::Called(number, id, call) => {
                debug_assert_eq!(*number, self.calls.len());
                let (issued, applied, answered) = (place, None, None);
                self.calls.push(CallFacts { owner, id: *id, call, issued, applied, answered });
            }
            What::Applied(call, effect) => {
                self.calls[*call].applied = Some((place, effect));
                let id = self.calls[*call].id;
                if self.effects.len() <= id.0 {
                    self.effects.resize_with(id.0 + 1, Vec::new);
                }
                self.effects[id.0].push(*call);
            }
            What::Answered(call, answer) => self.calls[*call].answered = Some((place, *answer)),
            What::Died(machine) => {
                let requests = self.trace.history.requests.iter().zip(&mut self.requests);
                for (plan, request) in requests {
                    request.is_dead |= plan.machine == *machine;
                }
            }
            _ => self.take_of_request(place, owner, what),
        }
    }

    fn take_of_request(&mut self, place: usize, owner: Owner, what: &What) {
        let last = self.trace.events.len();
        let Some(request) = self.requests.get_mut(owner.request) else { return };
        match what {
            What::Began(presented) => {
                request.began = Some(place);
                request.presented = presented.first().copied();
            }
            What::Begun(act) => {
                let (act, begun, ended, outcome) = (*act, place, last, None);
                request.acts.push(ActFacts { act, begun, ended, outcome });
            }
            What::Ended(begun, outcome) => {
                if let Some(act) = request.acts.iter_mut().find(|act| act.begun == *begun) {
                    act.ended = place;
                    act.outcome = Some(outcome.clone());
                }
            }
            What::Gone => request.is_gone = true,
            _ => {}
        }
    }

    /// What was to be done.
    pub fn plan(&self, request: usize) -> &Request {
        &self.trace.history.requests[request]
    }

    /// The last event.
    pub fn end(&self) -> usize {
        self.trace.events.len() - 1
    }

    /// When an event happened, since the beginning of the history.
    pub fn at(&self, event: usize) -> Duration {
        self.trace.events[event.min(self.end())].at
    }

    /// When an event happened by the store's clock (milliseconds since 1970).
    pub fn since_1970(&self, event: usize) -> f64 {
        (BEGINNING + self.at(event)).as_secs_f64() * 1000.0
    }

    /// When an event happened by the clock of a request's machine (milliseconds since 1970).
    pub fn clock(&self, request: usize, event: usize) -> f64 {
        let skews = &self.trace.history.setup.skews;
        self.since_1970(event) + skews[self.plan(request).machine] as f64
    }

    /// The calls that did something to an ID, in the order in which they did.
    pub fn effects_of(
        &self,
        id: Id,
    ) -> impl DoubleEndedIterator<Item = (usize, &CallFacts<'a>, &'a Effect)> {
        let calls = self.effects.get(id.0).into_iter().flatten();
        calls.filter_map(|call| {
            let call = &self.calls[*call];
            call.applied.map(|(at, effect)| (at, call, effect))
        })
    }

    /// What lies under an ID after an event, and until when, whether or not that has passed.
    pub fn last_written(
        &self,
        id: Id,
        after: usize,
    ) -> Option<(&'a Arc<Content>, Option<Duration>)> {
        let mut there = None;
        for (at, _, effect) in self.effects_of(id) {
            if at > after {
                break;
            }
            match effect {
                Effect::Wrote { after, deadline, .. } => there = Some((after, *deadline)),
                Effect::Touched { content, deadline, .. } => there = Some((content, *deadline)),
                Effect::Removed(_) => there = None,
                _ => {}
            }
        }
        there
    }

    /// The record that lies under an ID after an event, if there is one that has not expired.
    pub fn live(&self, id: Id, after: usize) -> Option<&'a Arc<Content>> {
        let (content, deadline) = self.last_written(id, after)?;
        let is_alive = deadline.is_none_or(|deadline| deadline > self.at(after));
        Some(content).filter(|content| is_alive && !content.is_tombstone)
    }

    /// The request whose call first wrote under an ID.
    pub fn creator(&self, id: Id) -> Option<usize> {
        self.first_write(id).map(|(_, call)| call.owner.request)
    }

    /// When something was first written under an ID.
    pub fn created(&self, id: Id) -> Option<usize> {
        self.first_write(id).map(|(at, _)| at)
    }

    fn first_write(&self, id: Id) -> Option<(usize, &CallFacts<'a>)> {
        self.effects_of(id).find_map(|(at, call, effect)| match effect {
            Effect::Wrote { .. } => Some((at, call)),
            _ => None,
        })
    }

    /// The IDs that a request was the first to write under.
    pub fn created_by(&self, request: usize) -> impl Iterator<Item = Id> {
        (0..self.effects.len()).map(Id).filter(move |id| self.creator(*id) == Some(request))
    }

    /// Whether a response had named an ID before an event, or a request had presented it.
    pub fn is_told(&self, id: Id, before: usize) -> bool {
        self.requests.iter().any(|request| {
            let presents = request.presented == Some(id) && request.began < Some(before);
            presents
                || request.cookie().is_some_and(|(at, sent)| sent == Sent::Id(id) && at < before)
        })
    }

    /// The IDs that a request presented, loaded or wrote before an event.
    pub fn held(&self, request: usize, before: usize) -> Vec<Id> {
        let facts = &self.requests[request];
        let loaded = facts.acts.iter().filter(|act| act.begun < before);
        let loaded = loaded.filter_map(|act| match (act.act, &act.outcome) {
            (Act::Load(id), Some(Outcome::Bool(true)) | None) => Some(id),
            _ => None,
        });
        let created = self.created_by(request).filter(|id| self.created(*id) < Some(before));
        facts.presented.into_iter().chain(loaded).chain(created).collect()
    }

    /// Whether a call's caller was left without knowing what had happened.
    pub fn is_unknown(&self, call: &CallFacts<'_>) -> bool {
        match call.answered {
            None => true,
            Some((_, Answer::Told | Answer::Failed(_, true, _))) => false,
            Some((_, Answer::Failed(..))) => true,
        }
    }

    /// Whether any call of a request before an event failed, or was given up.
    pub fn had_trouble(&self, request: usize, before: usize) -> bool {
        self.calls.iter().any(|call| {
            let is_well = matches!(call.answered, Some((_, Answer::Told)));
            call.owner.request == request && call.issued < before && !is_well
        })
    }

    /// Whether the requests of a history can tell a session that was ended from one that never was.
    pub fn leaves_tombstones(&self) -> bool {
        let has_no_room = self.calls.iter().any(|call| {
            matches!(call.applied, Some((_, Effect::NoRoom)))
                || matches!(call.answered, Some((_, Answer::Failed(..))))
        });
        self.trace.history.setup.expires && !has_no_room
    }

    /// Whether nothing went wrong that the history brought about.
    pub fn is_fair_weather(&self) -> bool {
        let History { faults, deaths, requests, .. } = &self.trace.history;
        faults.is_empty()
            && deaths.is_empty()
            && requests.iter().all(|request| request.gone.is_none())
    }
}

impl RequestFacts {
    /// The commit at the end of the request.
    pub fn finish(&self) -> Option<&ActFacts> {
        self.acts.iter().find(|act| act.act == Act::Finish)
    }

    /// When the response said something of the cookie, and what.
    pub fn cookie(&self) -> Option<(usize, Sent)> {
        let finish = self.finish()?;
        match finish.outcome {
            Some(Outcome::Finished(Some(sent))) => Some((finish.ended, sent)),
            _ => None,
        }
    }

    /// Whether a call was begun before an event.
    pub fn did(&self, before: usize, is: impl Fn(Act) -> bool) -> bool {
        self.acts.iter().any(|act| act.begun < before && is(act.act))
    }

    /// Whether it kept the session that it had presented, before an event.
    pub fn stays(&self, before: usize) -> bool {
        !self.did(before, |act| matches!(act, Act::Load(_) | Act::Destroy | Act::Regenerate))
    }

    /// Whether another session was put in place of the request's own, before an event.
    pub fn loaded(&self, before: usize) -> bool {
        self.acts.iter().any(|act| {
            let took = !matches!(act.outcome, Some(Outcome::Bool(false) | Outcome::Failed(_)));
            act.begun < before && matches!(act.act, Act::Load(_)) && took
        })
    }
}

impl ActFacts {
    /// Whether it ended well.
    pub fn is_ok(&self) -> bool {
        !matches!(
            self.outcome,
            None | Some(Outcome::Failed(_) | Outcome::Refused | Outcome::GivenUp)
        )
    }

    /// The value that it writes, and under which key.
    pub fn tag(&self) -> Option<(crate::history::Key, u32)> {
        match self.act {
            Act::Set(key, tag, _) | Act::Update(key, tag) => Some((key, tag)),
            _ => None,
        }
    }
}

impl CallFacts<'_> {
    /// The record that it was to write.
    pub fn content(&self) -> Option<&Arc<Content>> {
        match self.call {
            Call::Set { content, .. } => content.as_ref(),
            _ => None,
        }
    }

    /// Whether it was to write a tombstone.
    pub fn retires(&self) -> bool {
        self.content().is_some_and(|content| content.is_tombstone)
    }
}
