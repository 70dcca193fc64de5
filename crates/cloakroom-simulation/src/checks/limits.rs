//! What no commit can know: where a promise ends, and why.

use std::time::Duration;

use crate::checks::facts::{CallFacts, Facts};
use crate::checks::retirements::Retirement;
use crate::content::Content;
use crate::trace::{Act, Answer, Call, Effect, Id, Outcome};
use crate::world::BEGINNING;

/// How much sooner than a request expects a store may let a record go, in milliseconds: what the sessions' own rules allow.
const COARSENESS: f64 = 1_000.0;

/// What a request knows of a record.
struct Seen<'a> {
    content: &'a Content,
    /// Until when it lives, by the store's clock.
    deadline: Option<Duration>,
}

impl Facts<'_> {
    /// When a request was told last, before an event, what there is under an ID: the moment at which the store looked.
    pub fn last_look(&self, request: usize, id: Id, before: usize) -> Option<usize> {
        self.effects_of(id).rev().find_map(|(at, call, effect)| {
            let looked = matches!(effect, Effect::Read(_) | Effect::Wrote { .. });
            (looked && call.owner.request == request && was_told(call, before)).then_some(at)
        })
    }

    /// Whether another wrote where this call does, since its commit looked last. Nothing can be done about that where the
    /// store does not compare; but a commit that has not looked at all is no excuse.
    pub fn has_race(&self, call: &CallFacts<'_>, applied: usize) -> bool {
        if self.trace.history.setup.compares {
            return false;
        }
        // A call that is tried again is not looked for again.
        if self.trace.history.setup.is_wrapped {
            return true;
        }
        let request = call.owner.request;
        let commits = self.requests[request].acts.iter().filter(|act| {
            // What was given up goes on by itself.
            let ended = if act.outcome == Some(Outcome::GivenUp) { usize::MAX } else { act.ended };
            is_commit(act.act) && act.begun < call.issued && ended > call.issued
        });
        let commit = commits.map(|act| act.begun).min().unwrap_or(0);
        let look = self.last_look(request, call.id, call.issued).unwrap_or(0);
        let since = commit.max(look);
        self.effects_of(call.id).any(|(at, other, effect)| {
            let changes = matches!(effect, Effect::Wrote { .. } | Effect::Removed(_));
            other.owner.request != request && changes && at > since && at < applied
        })
    }

    /// Whether a tombstone was written over, before an event, by whoever had looked before it was there: only a store that
    /// compares prevents that. A tombstone over a tombstone misleads nobody but the two writers.
    pub fn is_written_over(&self, retirement: &Retirement, reader: usize, before: usize) -> bool {
        !self.trace.history.setup.compares
            && self.effects_of(retirement.id).any(|(at, call, effect)| {
                let writer = call.owner.request;
                let misleads = match effect {
                    Effect::Wrote { after, .. } => {
                        !after.is_tombstone || writer == reader || retirement.by == reader
                    }
                    Effect::Removed(content) => content.is_tombstone,
                    // A removal on no condition does not say who was first.
                    Effect::Missing => matches!(call.call, Call::Remove(_)) && writer == reader,
                    _ => false,
                };
                let is_between = at > retirement.at && at < before;
                is_between && misleads && self.is_misled(retirement, writer, at)
            })
    }

    /// Whether a request had sent, up to an event, what it would not have sent had it looked after an end. What it sees
    /// later may be of its own.
    fn is_misled(&self, retirement: &Retirement, writer: usize, until: usize) -> bool {
        // The look of a call that is tried again came before the first try.
        self.trace.history.setup.is_wrapped
            || self.effects_of(retirement.id).any(|(at, call, effect)| {
                let is_own = call.owner.request == writer && at > retirement.at && at <= until;
                let changes =
                    !matches!(effect, Effect::Read(_) | Effect::Conflict | Effect::NoRoom);
                let look = self.last_look(writer, retirement.id, call.issued);
                is_own && changes && look.is_none_or(|look| look < retirement.at)
            })
    }

    /// Whether an end that left no tombstone may pass for the session's own: missing says no more than that it is over, and
    /// by what the request had seen it was about to be.
    pub fn may_pass_for_expired(
        &self,
        retirement: &Retirement,
        request: usize,
        before: usize,
    ) -> bool {
        if retirement.leaves_tombstone {
            return false;
        }
        let id = retirement.id;
        let Some(end) = self.known_end(request, id, before) else { return false };
        let answers = self.calls.iter().filter(|call| {
            let is_after = call.applied.is_some_and(|(at, _)| at > retirement.at);
            call.owner.request == request && call.id == id && is_after
        });
        let told = answers.filter_map(|call| call.answered).map(|(at, _)| at);
        let told = told.filter(|at| *at < before).max().unwrap_or(before);
        let skew = self.trace.history.setup.skew().as_secs_f64() * 1000.0;
        end <= self.clock(request, told) + COARSENESS + skew
    }

    /// When a record ends, by what a request had seen of it before an event (milliseconds since 1970).
    fn known_end(&self, request: usize, id: Id, before: usize) -> Option<f64> {
        let setup = &self.trace.history.setup;
        let seen = self.seen(request, id, before)?;
        let entries = &seen.content.entries;
        let last = entries.iter().map(|entry| entry.expires.unwrap_or(f64::INFINITY));
        let last = match entries.is_empty() {
            // Nobody can tell when a record without entries ends, only that it does.
            true => setup.ttl.map_or(f64::INFINITY, |_| 0.0),
            false => last.fold(f64::NEG_INFINITY, f64::max),
        };
        let limit = |limit: Duration| limit.as_secs_f64() * 1000.0;
        let absolute = setup.absolute.zip(seen.content.created);
        let absolute = absolute.map_or(f64::INFINITY, |(absolute, from)| from + limit(absolute));
        let store = seen.deadline.map_or(f64::INFINITY, |deadline| limit(BEGINNING + deadline));
        Some(last.min(absolute).min(store)).filter(|end| end.is_finite())
    }

    /// Whether the absolute deadline of what a request knows has passed by the clock of its own machine, which may be
    /// another's than that of whoever wrote it.
    pub fn is_over_by_own_clock(&self, request: usize, id: Id, before: usize) -> bool {
        let absolute = self.trace.history.setup.absolute;
        let created = self.last_written(id, before).and_then(|(content, _)| content.created);
        absolute.zip(created).is_some_and(|(absolute, created)| {
            self.clock(request, before) - created >= absolute.as_secs_f64() * 1000.0
        })
    }

    /// What a request had seen of a record before an event.
    pub fn seen_content(&self, request: usize, id: Id, before: usize) -> Option<&Content> {
        self.seen(request, id, before).map(|seen| seen.content)
    }

    fn seen(&self, request: usize, id: Id, before: usize) -> Option<Seen<'_>> {
        self.effects_of(id).rev().find_map(|(at, call, effect)| {
            let content = match effect {
                Effect::Read(Some(content)) | Effect::Wrote { after: content, .. } => content,
                _ => return None,
            };
            let is_seen = call.owner.request == request && was_told(call, before);
            (is_seen && !content.is_tombstone).then(|| {
                let deadline = self.last_written(id, at).and_then(|(_, deadline)| deadline);
                Seen { content, deadline }
            })
        })
    }

    /// Whether a request removed a record without a tombstone and was not told so. That it is missing then does not say by
    /// whom, so that it is not given back where nobody is told of the ID that it moved to.
    pub fn is_lost_in_doubt(&self, retirement: &Retirement) -> bool {
        let request = &self.requests[retirement.by];
        let has_failed = request
            .acts
            .iter()
            .any(|act| act.act == Act::Finish && matches!(act.outcome, Some(Outcome::Failed(_))));
        let is_untold = request.is_gone || has_failed;
        let is_unanswered = self.effects_of(retirement.id).any(|(at, call, effect)| {
            at == retirement.at && matches!(effect, Effect::Removed(_)) && self.is_unknown(call)
        });
        is_untold && is_unanswered
    }
}

impl Facts<'_> {
    /// Whether a request had seen another's tombstone before an event, be it for a session that had expired meanwhile, or
    /// one that was written over its own.
    pub fn saw_anothers_tombstone(&self, request: usize, before: usize) -> bool {
        self.calls.iter().any(|call| {
            let Some((at, Effect::Read(Some(content)))) = call.applied else { return false };
            let mut writes = self.effects_of(call.id).filter(|(written, _, effect)| {
                *written < at && matches!(effect, Effect::Wrote { .. })
            });
            let writer = writes.next_back().map(|(_, call, _)| call.owner.request);
            let saw = at < before && content.is_tombstone;
            call.owner.request == request && saw && writer != Some(request)
        })
    }

    /// Whether a request had itself ended, before another did, what that other had written over its tombstone.
    pub fn is_second_end(&self, retirement: &Retirement, request: usize) -> bool {
        !self.trace.history.setup.compares
            && self.effects_of(retirement.id).any(|(at, call, effect)| {
                let ends = matches!(effect, Effect::Wrote { after, .. } if after.is_tombstone)
                    || matches!(effect, Effect::Removed(_));
                call.owner.request == request && ends && at < retirement.at
            })
    }

    /// Whether a request had sent an end of its own to a record that another removed without a tombstone, and was not told
    /// what came of it: then missing counts as its own.
    pub fn may_pass_for_own(&self, retirement: &Retirement, request: usize, before: usize) -> bool {
        !retirement.leaves_tombstone
            && self.calls.iter().any(|call| {
                let is_own = call.owner.request == request && call.id == retirement.id;
                // A retirement that was given up may have come to the removal.
                let is_given_up = call.answered.is_none() && call.retires();
                let removes = matches!(call.call, Call::Remove(_)) || is_given_up;
                is_own && removes && call.issued < before && self.is_unknown(call)
            })
    }

    /// Whether the session that a request has moved is over by itself, before anybody was told of its ID.
    pub fn is_over_since(&self, retirement: &Retirement) -> bool {
        let end = self.end();
        let mut ids = self.created_by(retirement.by).peekable();
        let is_over = |id| {
            let is_ended = self.retirements.iter().any(|ended| ended.id == id);
            self.last_written(id, end).is_some() && self.live(id, end).is_none() && !is_ended
        };
        ids.peek().is_some() && ids.any(is_over)
    }
}

/// Whether the caller knew before an event what had come of its call.
fn was_told(call: &CallFacts<'_>, before: usize) -> bool {
    call.answered.is_some_and(|(at, answer)| at < before && answer == Answer::Told)
}

/// Whether a call to the session is one that writes.
fn is_commit(act: Act) -> bool {
    matches!(
        act,
        Act::Finish
            | Act::FinishLate
            | Act::Save
            | Act::Update(..)
            | Act::Peek(_)
            | Act::TakeOut(_)
    )
}

impl Facts<'_> {
    /// Whether the store refused to take a tombstone, so that the record was removed without one.
    pub fn refused_a_tombstone(&self) -> bool {
        self.calls.iter().any(|call| {
            let is_tombstone = call.retires();
            let is_refused = matches!(call.answered, Some((_, Answer::Failed(..))));
            is_tombstone && is_refused && !matches!(call.applied, Some((_, Effect::Wrote { .. })))
        })
    }

    /// Whether a request was told neither whether an ID was retired nor what stands there: two faults at once.
    pub fn left_in_doubt(&self) -> bool {
        self.calls.iter().any(|ending| {
            let is_tombstone = ending.retires();
            let ends = is_tombstone || matches!(ending.call, Call::Remove(_));
            let is_look = |look: &&CallFacts<'_>| {
                look.owner.request == ending.owner.request
                    && look.id == ending.id
                    && look.issued > ending.issued
                    && matches!(look.call, Call::Get)
            };
            let fails = |look: &CallFacts<'_>| !matches!(look.answered, Some((_, Answer::Told)));
            ends && self.is_unknown(ending) && self.calls.iter().filter(is_look).any(fails)
        })
    }

    /// Whether a request found nothing where there had been a record, as where its time has passed.
    pub fn has_expired(&self) -> bool {
        self.calls.iter().any(|look| {
            let Some((at, Effect::Read(None))) = look.applied else { return false };
            self.effects_of(look.id)
                .any(|(written, _, effect)| written < at && matches!(effect, Effect::Wrote { .. }))
        })
    }
}
