//! What was acknowledged is there.

use cloakroom_session::ErrorKind;

use crate::checks::facts::{ActFacts, Facts, RequestFacts};
use crate::content::Content;
use crate::history::{Key, Site};
use crate::timeline::{act, name};
use crate::trace::{Act, Effect, Id, Outcome};

/// A value whose call, or the commit after it, was answered with Ok, was written to the store before.
pub(crate) fn what_was_acknowledged_is_written(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for done in request.acts.iter().filter(|done| done.is_ok()) {
            let Some((key, tag)) = done.tag() else { continue };
            let Some(acknowledged) = acknowledgement(request, done) else { continue };
            let is_written = facts.calls.iter().any(|call| {
                let wrote = call.content().is_some_and(|content| content.holds(tag));
                let applied = call.applied.filter(|(at, _)| *at < acknowledged.ended);
                let applied =
                    applied.is_some_and(|(_, effect)| matches!(effect, Effect::Wrote { .. }));
                call.owner.request == number && wrote && applied
            });
            if !is_written
                && !is_given_up(request, done, acknowledged)
                && !may_be_dropped(facts, number, done, key, acknowledged)
            {
                let (what, by) = (act(&done.act), act(&acknowledged.act));
                let request = number + 1;
                return Some(format!("{what} of r{request} was not written when {by} said Ok"));
            }
        }
    }
    None
}

/// What said Ok to a value first.
fn acknowledgement<'a>(request: &'a RequestFacts, done: &'a ActFacts) -> Option<&'a ActFacts> {
    if matches!(done.act, Act::Update(..)) {
        return Some(done);
    }
    let commits = request.acts.iter().filter(|commit| commit.is_ok());
    // What the late commit will save, the end of the request leaves to it.
    let is_late = |commit: &ActFacts| {
        let followed = request.acts.iter().any(|late| late.act == Act::FinishLate);
        commit.act == Act::Finish && done.begun > commit.begun && followed
    };
    let commits = commits.filter(|commit| !is_late(commit)).filter(|commit| match commit.act {
        Act::Save | Act::Update(..) | Act::Peek(_) => commit.begun > done.ended,
        Act::Finish | Act::FinishLate => commit.ended > done.ended,
        _ => false,
    });
    commits.min_by_key(|commit| commit.ended)
}

/// Whether the end of the request failed before, so that its client knows of what it had set.
fn is_given_up(request: &RequestFacts, done: &ActFacts, acknowledged: &ActFacts) -> bool {
    let is_set = matches!(done.act, Act::Set(..));
    is_set
        && request.acts.iter().any(|act| {
            let ends = matches!(act.act, Act::Finish | Act::FinishLate);
            match act.outcome {
                // Whoever called it was told that nothing is saved any more.
                Some(Outcome::Failed(ErrorKind::Destroyed | ErrorKind::Expired)) => {
                    act.ended > done.ended && act.ended < acknowledged.ended
                }
                Some(Outcome::Failed(_)) => {
                    ends && act.ended > done.ended && act.ended < acknowledged.ended
                }
                // Nobody is left to be told.
                Some(Outcome::GivenUp) => ends && act.begun < acknowledged.ended,
                _ => false,
            }
        })
}

/// Whether there is a reason for which a value need not be written.
fn may_be_dropped(
    facts: &Facts<'_>,
    number: usize,
    done: &ActFacts,
    key: Key,
    acknowledged: &ActFacts,
) -> bool {
    let Act::Set(_, _, ttl) = done.act else { return false };
    let request = &facts.requests[number];
    let is_superseded = request.acts.iter().any(|later| {
        let is_taken = matches!(later.act, Act::TakeOut(_))
            && value(later)
                .is_some_and(|taken| done.tag().is_some_and(|(_, tag)| taken.contains(&tag)));
        if is_taken {
            return true;
        }
        let replaces = match later.act {
            Act::Delete(other)
            | Act::Set(other, ..)
            | Act::SetSame(other)
            | Act::TakeOut(other) => other == key,
            Act::Destroy | Act::Load(_) => true,
            _ => false,
        };
        // A load that was begun before may take the place of the session after.
        let is_later = later.begun > done.begun
            || (matches!(later.act, Act::Load(_)) && later.ended > done.begun);
        replaces && is_later && later.begun < acknowledged.ended
    });
    let ttl = ttl.or(facts.trace.history.setup.ttl);
    let has_expired =
        ttl.is_some_and(|ttl| facts.at(done.begun) + ttl <= facts.at(acknowledged.ended));
    // The commit at the end drops silently what another has ended; a save says so.
    let is_silent = matches!(acknowledged.act, Act::Finish | Act::FinishLate)
        && (facts.is_retired_by_another(number, acknowledged.ended)
            || facts.saw_anothers_tombstone(number, acknowledged.ended)
            || facts.may_have_expired_unseen(number, acknowledged.ended));
    is_superseded || has_expired || is_silent
}

/// No value holds the number of an update twice.
pub(crate) fn no_update_happens_twice(facts: &Facts<'_>) -> Option<String> {
    for call in &facts.calls {
        let Some((_, Effect::Wrote { after, .. })) = call.applied else { continue };
        for entry in &after.entries {
            let mut tags = entry.tags.clone();
            tags.sort_unstable();
            if tags.windows(2).any(|pair| pair[0] == pair[1]) {
                return Some(format!("{} of {} is {:?}", entry.key, name(call.id), entry.tags));
            }
        }
    }
    None
}

/// A write leaves alone what its request did not change, and builds upon what it only updates.
pub(crate) fn writers_of_different_keys_both_win(facts: &Facts<'_>) -> Option<String> {
    for call in &facts.calls {
        let Some((at, Effect::Wrote { before: Some(before), after, .. })) = call.applied else {
            continue;
        };
        let number = call.owner.request;
        if before.is_tombstone || after.is_tombstone || facts.plan(number).site == Site::Astro {
            continue;
        }
        let is_over_own = last_writer(facts, call.id, at) == Some(number);
        if !facts.trace.history.setup.compares && (is_over_own || facts.has_race(call, at)) {
            continue;
        }
        // Nobody knows it yet, so that it may be written as often as what it is made of changes.
        if facts.creator(call.id) == Some(number) && !facts.is_told(call.id, call.issued) {
            continue;
        }
        let now = facts.clock(number, at);
        if let Some(lost) = lost(&facts.requests[number], call.issued, before, after, now) {
            let id = name(call.id);
            return Some(format!("a write of r{} to {id} lost {lost}", number + 1));
        }
    }
    None
}

/// Who wrote under an ID last, before an event.
fn last_writer(facts: &Facts<'_>, id: Id, before: usize) -> Option<usize> {
    let mut writes = facts
        .effects_of(id)
        .filter(|(at, _, effect)| *at < before && matches!(effect, Effect::Wrote { .. }));
    writes.next_back().map(|(_, call, _)| call.owner.request)
}

/// What is not in `after` of what was in `before`, though this request did nothing to it.
pub(crate) fn lost(
    request: &RequestFacts,
    issued: usize,
    before: &Content,
    after: &Content,
    now: f64,
) -> Option<String> {
    let own =
        |tag: &u32| request.acts.iter().any(|act| act.tag().is_some_and(|(_, own)| own == *tag));
    for old in &before.entries {
        let key = old.key;
        if request.did(issued, |act| replaces(act, key)) {
            continue;
        }
        let Some(new) = after.entry(key) else {
            match old.is_alive(now) {
                true => return Some(format!("{key}: {:?}", old.tags)),
                false => continue,
            }
        };
        if !old.is_alive(now) {
            continue;
        }
        let added = new.tags.strip_prefix(&old.tags[..]);
        if !added.is_some_and(|added| added.iter().all(own)) {
            return Some(format!("{key}: {:?}, and has {:?}", old.tags, new.tags));
        }
        if new.expires != old.expires {
            return Some(format!("the end of {key}: {:?} became {:?}", old.expires, new.expires));
        }
    }
    None
}

fn replaces(act: Act, key: Key) -> bool {
    match act {
        Act::Set(other, ..) | Act::SetSame(other) | Act::Delete(other) | Act::TakeOut(other) => {
            other == key
        }
        _ => false,
    }
}

/// What is taken out of a session is taken out once, however many try.
pub(crate) fn what_is_taken_out_is_taken_once(facts: &Facts<'_>) -> Option<String> {
    if !facts.trace.history.setup.compares {
        return None;
    }
    let takes = facts.requests.iter().enumerate().flat_map(|(number, request)| {
        let takes = request.acts.iter().filter(|act| matches!(act.act, Act::TakeOut(_)));
        takes.filter(|act| act.is_ok()).map(move |act| (number, act))
    });
    let mut taken: Vec<(usize, u32)> = Vec::new();
    for (number, take) in takes {
        for tag in value(take).unwrap_or_default() {
            let Act::TakeOut(key) = take.act else { continue };
            // What somebody had read and set again is there again.
            let is_put_back = facts
                .requests
                .iter()
                .any(|request| request.did(take.ended, |act| act == Act::SetSame(key)));
            if is_put_back {
                continue;
            }
            if let Some((other, _)) = taken.iter().find(|(_, other)| other == tag) {
                let (one, other) = (other + 1, number + 1);
                return Some(format!("{tag} was taken out by r{one} and by r{other}"));
            }
        }
        taken.extend(value(take).unwrap_or_default().iter().map(|tag| (number, *tag)));
    }
    None
}

/// Whether an act ended with this value.
pub(crate) fn value(act: &ActFacts) -> Option<&[u32]> {
    match &act.outcome {
        Some(Outcome::Value(Some(tags))) => Some(tags),
        _ => None,
    }
}
