//! No deadline is lost, and none is prolonged.

use std::time::Duration;

use crate::checks::facts::Facts;
use crate::checks::retirements::Why;
use crate::content::Content;
use crate::history::{Setup, Site};
use crate::run::TOUCH_INTERVAL;
use crate::timeline::name;
use crate::trace::{Act, Call, Effect};

/// What rounding to milliseconds takes.
const ROUNDING: f64 = 0.005;

/// How long, in seconds, a record of this content has to live from `now` (milliseconds since 1970); infinity for ever.
fn meant(setup: &Setup, content: &Content, now: f64) -> f64 {
    let left = |at: f64| (at - now).max(0.0) / 1000.0;
    let ends = content.entries.iter().map(|entry| entry.expires.map_or(f64::INFINITY, left));
    let last = ends.fold(f64::NEG_INFINITY, f64::max);
    let entries = if content.entries.is_empty() { seconds(setup.ttl) } else { last };
    entries.min(limit(setup, content, now))
}

/// How long, in seconds, a record may live from `now` at most, whatever its entries say.
fn limit(setup: &Setup, content: &Content, now: f64) -> f64 {
    let age = (now - content.created.unwrap_or(now)).max(0.0) / 1000.0;
    seconds(setup.idle).min((seconds(setup.absolute) - age).max(0.0))
}

fn seconds(limit: Option<Duration>) -> f64 {
    limit.map_or(f64::INFINITY, |limit| limit.as_secs_f64())
}

/// Whoever writes a record gives it the ttl that follows from its content.
pub(crate) fn a_record_lives_as_long_as_meant(facts: &Facts<'_>) -> Option<String> {
    let setup = &facts.trace.history.setup;
    if !setup.expires {
        return None;
    }
    for call in &facts.calls {
        let Call::Set { content: Some(content), ttl, .. } = call.call else { continue };
        let request = call.owner.request;
        // What was ended in vain is given back as it was, to live as long as it would have.
        let is_given_back = facts.calls.iter().any(|end| {
            let retires = end.retires();
            let is_own = end.owner.request == request && end.id == call.id;
            is_own && retires && end.issued < call.issued
        });
        if content.is_tombstone || is_given_back || facts.plan(request).site == Site::Astro {
            continue;
        }
        let meant = meant(setup, content, facts.clock(request, call.issued));
        let ttl = seconds(*ttl);
        // A call that is tried again is so much later.
        let tolerance = if setup.is_wrapped { 0.5 } else { ROUNDING };
        let is_same = meant == ttl || (meant - ttl).abs() <= tolerance;
        if !is_same {
            let id = name(call.id);
            return Some(format!("r{} wrote {id} for {ttl} s, and means {meant} s", request + 1));
        }
    }
    None
}

/// A touch leaves a record as long as its content has to live, and no longer than it may.
pub(crate) fn a_touch_cuts_nothing_short(facts: &Facts<'_>) -> Option<String> {
    let setup = &facts.trace.history.setup;
    for call in &facts.calls {
        let Some((at, Effect::Touched { content, deadline, .. })) = call.applied else { continue };
        if content.is_tombstone {
            continue;
        }
        let now = facts.since_1970(at);
        let on_the_way = (facts.at(at) - facts.at(call.issued)).as_secs_f64();
        let tolerance = ROUNDING
            + on_the_way
            + setup.skew().as_secs_f64()
            + if setup.is_wrapped { 0.5 } else { 0.0 };
        let left = seconds(deadline.map(|deadline| deadline.saturating_sub(facts.at(at))));
        let (meant, limit) = (meant(setup, content, now), limit(setup, content, now));
        let (request, id) = (call.owner.request + 1, name(call.id));
        if left + tolerance < meant {
            return Some(format!("r{request} cut {id} short, to {left} s instead of {meant} s"));
        }
        if left > limit + tolerance {
            return Some(format!("r{request} prolonged {id}, to {left} s instead of {limit} s"));
        }
    }
    None
}

/// After a commit a session that was used is as far from its idle deadline as one that was used just now.
pub(crate) fn use_moves_the_idle_deadline(facts: &Facts<'_>) -> Option<String> {
    let setup = &facts.trace.history.setup;
    setup.idle?;
    for (number, request) in facts.requests.iter().enumerate() {
        let Some(id) = request.presented else { continue };
        for commit in request.acts.iter().filter(|act| act.is_ok()) {
            let commits = matches!(commit.act, Act::Save | Act::Finish | Act::FinishLate);
            if !commits
                || !request.stays(commit.ended)
                || facts.had_trouble(number, commit.ended)
                || !has_used(facts, number, commit.begun)
            {
                continue;
            }
            // What was given back to a client that had gone has the deadline that it had.
            let is_given_back = facts
                .retirements
                .iter()
                .any(|retirement| retirement.id == id && retirement.why == Why::GivenBack);
            let Some(content) = facts.live(id, commit.ended).filter(|_| !is_given_back) else {
                continue;
            };
            let Some((_, Some(deadline))) = facts.last_written(id, commit.ended) else { continue };
            let begun = facts.since_1970(commit.begun);
            let own = facts.clock(number, commit.begun);
            // What it knew when it decided on it, be it before or after the commit's own look.
            let seen = [commit.begun, commit.ended];
            let seen = seen.into_iter().filter_map(|at| facts.seen_content(number, id, at));
            let Some(seen) = seen
                .min_by(|one, other| meant(setup, one, own).total_cmp(&meant(setup, other, own)))
            else {
                continue;
            };
            // What ends sooner by its entries can be written only on a condition.
            if !setup.compares && meant(setup, seen, own) < limit(setup, seen, own) {
                continue;
            }
            // Whoever has seen a record that its entries end does not prolong what a later writer made of it.
            let meant = meant(setup, content, begun).min(meant(setup, seen, own));
            let meant = meant - TOUCH_INTERVAL.as_secs_f64();
            let left = deadline.saturating_sub(facts.at(commit.begun)).as_secs_f64();
            if left + 0.1 + setup.skew().as_secs_f64() < meant {
                let (what, id) = (crate::timeline::act(&commit.act), name(id));
                return Some(format!(
                    "{what} of r{} left {id} {left} s to live, and it was just used",
                    number + 1
                ));
            }
        }
    }
    None
}

/// Whether a request had read or written its session in the store before an event.
fn has_used(facts: &Facts<'_>, request: usize, before: usize) -> bool {
    let Some(id) = facts.requests[request].presented else { return false };
    facts.effects_of(id).any(|(at, call, effect)| {
        let uses = matches!(effect, Effect::Read(Some(_)) | Effect::Wrote { .. });
        call.owner.request == request && at < before && uses
    })
}
