//! Which records were ended, by whom, and why.

use std::sync::Arc;

use crate::checks::facts::{CallFacts, Facts};
use crate::content::Content;
use crate::history::Site;
use crate::trace::{Act, Effect, Id};

/// The end that was put to a session's record by a call.
#[derive(Clone, Debug)]
pub struct Retirement {
    /// Whose record.
    pub id: Id,
    /// When.
    pub at: usize,
    /// By which request.
    pub by: usize,
    /// What it held then.
    pub content: Arc<Content>,
    /// Whether a tombstone says so.
    pub leaves_tombstone: bool,
    /// Why.
    pub why: Why,
}

impl Retirement {
    /// Whether a handler wanted it.
    pub fn is_asked_for(&self) -> bool {
        matches!(self.why, Why::Destroy | Why::Regenerate)
    }
}

/// Why a record was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its request had called `destroy`.
    Destroy,
    /// Its request had called `regenerate`.
    Regenerate,
    /// Its request had begun it, and nobody was told of it.
    Untold,
    /// Its absolute timeout has passed.
    Over,
    /// Its request took that back, because its client had gone.
    GivenBack,
    /// Astro did it.
    Astro,
    /// Nobody asked for it.
    Unknown,
}

impl Facts<'_> {
    /// Finds each end that was put to a record, and why.
    pub(super) fn find_retirements(&mut self) {
        for (number, call) in self.calls.iter().enumerate() {
            let Some((at, effect)) = call.applied else { continue };
            let (content, leaves_tombstone) = match effect {
                Effect::Removed(content) => (content, false),
                Effect::Wrote { before: Some(before), after, .. } if after.is_tombstone => {
                    (before, true)
                }
                _ => continue,
            };
            if content.is_tombstone {
                continue;
            }
            let (id, by, content) = (call.id, call.owner.request, Arc::clone(content));
            let why = self.why(number);
            self.retirements.push(Retirement { id, at, by, content, leaves_tombstone, why });
        }
    }

    fn why(&self, number: usize) -> Why {
        let call = &self.calls[number];
        let (id, issued) = (call.id, call.issued);
        let Some(request) = self.requests.get(call.owner.request) else { return Why::Unknown };
        if self.plan(call.owner.request).site == Site::Astro {
            return Why::Astro;
        }
        if self.is_given_back(call) {
            return Why::GivenBack;
        }
        if self.is_over(call) {
            return Why::Over;
        }
        let did = |act: Act| request.acts.iter().any(|done| done.act == act && done.begun < issued);
        if self.creator(id) == Some(call.owner.request) && !self.is_told(id, issued) {
            Why::Untold
        } else if did(Act::Destroy) {
            Why::Destroy
        } else if did(Act::Regenerate) {
            Why::Regenerate
        } else {
            Why::Unknown
        }
    }

    /// Whether whoever ended a record wrote it again.
    fn is_given_back(&self, end: &CallFacts<'_>) -> bool {
        let Some((ended, _)) = end.applied else { return false };
        let mut later = self.effects_of(end.id).filter(|(at, ..)| *at > ended);
        let next = later.find(|(_, _, effect)| matches!(effect, Effect::Wrote { .. }));
        next.is_some_and(|(_, call, effect)| {
            let is_record = matches!(effect, Effect::Wrote { after, .. } if !after.is_tombstone);
            is_record && call.owner.request == end.owner.request
        })
    }

    /// Whether the absolute timeout of the record had passed that a call ended.
    fn is_over(&self, end: &CallFacts<'_>) -> bool {
        let Some(absolute) = self.trace.history.setup.absolute else { return false };
        let content = match end.applied {
            Some((_, Effect::Removed(content))) => content,
            Some((_, Effect::Wrote { before: Some(content), .. })) => content,
            _ => return false,
        };
        let age =
            self.clock(end.owner.request, end.issued) - content.created.unwrap_or(f64::INFINITY);
        age >= absolute.as_secs_f64() * 1000.0
    }

    /// Whether another request ended one of the sessions that this one held, before an event.
    pub fn is_retired_by_another(&self, request: usize, before: usize) -> bool {
        let held = self.held(request, before);
        self.retirements.iter().any(|retirement| {
            retirement.by != request && retirement.at < before && held.contains(&retirement.id)
        })
    }

    /// Whether a session that a request held has expired by a deadline that the request could not know: one that
    /// another had set since, or one by another clock.
    pub fn may_have_expired_unseen(&self, request: usize, before: usize) -> bool {
        let is_skewed = self.trace.history.setup.skews.iter().any(|skew| *skew != 0);
        self.held(request, before).into_iter().any(|id| {
            let is_there = self.live(id, before).is_some();
            if self.last_written(id, before).is_none() || is_there {
                return false;
            }
            let last = self.effects_of(id).rfind(|(at, _, effect)| {
                *at < before && matches!(effect, Effect::Wrote { .. } | Effect::Touched { .. })
            });
            let unseen = last.is_some_and(|(at, call, _)| {
                let seen = self.effects_of(id).any(|(seen, reader, effect)| {
                    let reads = matches!(effect, Effect::Read(Some(_)));
                    reads && reader.owner.request == request && seen > at
                });
                call.owner.request != request && !seen
            });
            is_skewed || unseen
        })
    }
}
