//! What the browser is told, and what becomes of it.

use crate::checks::facts::{ActFacts, Facts};
use crate::checks::retirements::{Retirement, Why};
use crate::timeline::name;
use crate::trace::{Act, Answer, Effect, Sent, What};

/// So long, in seconds, it is known of an ID that it was retired.
const REMEMBERED: f64 = 55.0;

/// A response to a request whose ID another had retired before its commit began has no cookie.
pub(crate) fn no_cookie_after_another_retired_it(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        let (Some((_, sent)), Some(id)) = (request.cookie(), request.presented) else { continue };
        let Some(finish) = request.finish().filter(|finish| !request.loaded(finish.ended)) else {
            continue;
        };
        let mut retirements = facts.retirements.iter();
        let retired = retirements.find(|retirement| {
            let by_another = retirement.by != number && retirement.is_asked_for();
            let is_before = retirement.id == id && retirement.at < finish.begun;
            by_another && is_before && could_know(facts, number, finish, retirement)
        });
        if let Some(retired) = retired {
            let (by, id, number) = (retired.by + 1, name(id), number + 1);
            let sent = match sent {
                Sent::Id(id) => name(id),
                Sent::Deletion => "a deletion".to_owned(),
            };
            return Some(format!(
                "r{number} presented {id}, which r{by} had retired, and was sent {sent}"
            ));
        }
    }
    None
}

/// Whether a request's commit could know that its session had been retired.
fn could_know(
    facts: &Facts<'_>,
    number: usize,
    finish: &ActFacts,
    retirement: &Retirement,
) -> bool {
    let age = facts.at(finish.begun).as_secs_f64() - facts.at(retirement.at).as_secs_f64();
    let has_seen = has_seen(facts, number, retirement);
    // Where the store cannot be asked, the browser is given what surely exists.
    let cannot_ask = facts.calls.iter().any(|call| {
        let asks = call.owner.request == number && call.issued > finish.begun;
        asks && call.id == retirement.id && facts.is_unknown(call)
    });
    age < REMEMBERED
        && (facts.leaves_tombstones() || has_seen)
        && !facts.may_pass_for_expired(retirement, number, finish.ended)
        && !facts.may_pass_for_own(retirement, number, finish.ended)
        && !cannot_ask
        && !facts.is_written_over(retirement, number, finish.ended)
        && !facts.is_second_end(retirement, number)
}

/// Whether a request had read the session before it was ended.
fn has_seen(facts: &Facts<'_>, request: usize, retirement: &Retirement) -> bool {
    facts.effects_of(retirement.id).any(|(at, call, effect)| {
        let saw = matches!(effect, Effect::Read(Some(content)) if !content.is_tombstone);
        let was_told = call.answered.is_some_and(|(_, answer)| answer == Answer::Told);
        call.owner.request == request && at < retirement.at && saw && was_told
    })
}

/// The ID that a response hands out is there then, unless another has just ended it.
pub(crate) fn a_cookie_names_a_living_session(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        let Some((at, Sent::Id(id))) = request.cookie() else { continue };
        let is_excused = facts.retirements.iter().any(|retirement| {
            let by_another = retirement.by != number || retirement.why == Why::Over;
            retirement.id == id && retirement.at < at && by_another
        });
        let is_there = facts.last_written(id, at).is_some_and(|(content, _)| !content.is_tombstone);
        if !is_there && !is_excused {
            return Some(format!("r{} was sent {}, which names nothing", number + 1, name(id)));
        }
    }
    None
}

/// The cookie that a browser has in the end names a session that lives, unless it logged out or the session's time has
/// passed, or nobody could tell it.
pub(crate) fn the_last_cookie_names_a_living_session(facts: &Facts<'_>) -> Option<String> {
    if facts.trace.history.setup.max_age.is_some() {
        // What renews a cookie may come after what replaced it.
        return None;
    }
    let end = facts.end();
    let browsers = facts.trace.history.requests.iter().map(|request| request.browser).max()?;
    for browser in 0..=browsers {
        let Some((last, by)) = last_cookie(facts, browser) else { continue };
        let Sent::Id(id) = last else { continue };
        if facts.live(id, end).is_some() {
            continue;
        }
        let retirement = facts.retirements.iter().rfind(|retirement| retirement.id == id);
        match retirement {
            Some(retired) if is_excused(facts, browser, by, retired) => {}
            Some(retired) => {
                let (id, by) = (name(id), retired.by + 1);
                return Some(format!("browser {browser} is left with {id}, which r{by} retired"));
            }
            None if facts.created(id).is_some() => {}
            None => {
                return Some(format!(
                    "browser {browser} is left with {}, which never was",
                    name(id)
                ));
            }
        }
    }
    None
}

/// Where the browser forgets its cookie after a time, a request whose commit wrote or touched the session sends it again.
pub(crate) fn use_renews_the_cookie(facts: &Facts<'_>) -> Option<String> {
    facts.trace.history.setup.max_age?;
    for (number, request) in facts.requests.iter().enumerate() {
        let (Some(finish), Some(id)) = (request.finish(), request.presented) else { continue };
        let is_left =
            !request.stays(finish.ended) || facts.is_retired_by_another(number, finish.ended);
        let has_used = facts.effects_of(id).any(|(at, call, effect)| {
            let keeps = matches!(effect, Effect::Wrote { .. } | Effect::Touched { .. });
            let was_told = call.answered.is_some_and(|(_, answer)| answer == Answer::Told);
            let within = at > finish.begun && at < finish.ended;
            call.owner.request == number && keeps && within && was_told
        });
        let is_told = matches!(request.cookie(), Some((_, Sent::Id(told))) if told == id);
        // It has expired before its cookie could be confirmed.
        let is_over = facts.effects_of(id).any(|(at, call, effect)| {
            let is_missing = matches!(effect, Effect::Read(None));
            call.owner.request == number && is_missing && at < finish.ended
        });
        if finish.is_ok()
            && !is_over
            && has_used
            && !is_left
            && !is_told
            && !facts.had_trouble(number, finish.ended)
        {
            return Some(format!(
                "r{} used {}, and its cookie was not renewed",
                number + 1,
                name(id)
            ));
        }
    }
    None
}

/// The cookie that came last, and with the answer to which request.
fn last_cookie(facts: &Facts<'_>, browser: usize) -> Option<(Sent, usize)> {
    facts.trace.events.iter().rev().find_map(|event| match event.what {
        What::Delivered(Some(sent)) if facts.plan(event.owner.request).browser == browser => {
            Some((sent, event.owner.request))
        }
        _ => None,
    })
}

fn is_excused(facts: &Facts<'_>, browser: usize, by: usize, retired: &Retirement) -> bool {
    if retired.why != Why::Regenerate {
        return retired.why != Why::Unknown;
    }
    let (plan, request) = (facts.plan(retired.by), &facts.requests[retired.by]);
    let loads = |act: Act| act == Act::Load(retired.id);
    let was_loaded = facts.requests[by].loaded(usize::MAX)
        || request.loaded(usize::MAX)
        || facts.requests.iter().any(|request| request.did(usize::MAX, loads));
    let could_not_be_told = plan.answer.is_none()
        || request.is_gone
        || request.is_dead
        || facts.is_lost_in_doubt(retired)
        || facts.is_over_since(retired)
        || facts.is_written_over(retired, retired.by, usize::MAX);
    // Told, and logged out of the new one by itself.
    let logged_out = request.did(usize::MAX, |act| act == Act::Destroy);
    // A logout by the old ID is meant for the session whatever its ID.
    let logged_out_before = facts.retirements.iter().any(|other| {
        let is_left = request.presented == Some(other.id);
        is_left && other.by != retired.by && other.why == Why::Destroy
    });
    // Without a comparison, the tombstone of one may lie over that of the other.
    let collided = !facts.trace.history.setup.compares
        && facts.calls.iter().any(|call| {
            let retires = call.retires();
            retires && call.id == retired.id && call.owner.request != retired.by
        });
    let logged_out = logged_out || logged_out_before || collided;
    plan.browser != browser || was_loaded || could_not_be_told || logged_out
}

/// A deletion is sent by whoever ended the session, and not by one that came too late to.
pub(crate) fn whoever_ended_it_deletes_the_cookie(facts: &Facts<'_>) -> Option<String> {
    if !facts.trace.history.setup.compares {
        return None;
    }
    for (number, request) in facts.requests.iter().enumerate() {
        let (Some((at, Sent::Deletion)), Some(id)) = (request.cookie(), request.presented) else {
            continue;
        };
        // What it ended is another session, and it need not have asked for the one that it presented.
        if request.loaded(at) {
            continue;
        }
        let mut retirements = facts.retirements.iter();
        let moved = retirements.find(|moved| {
            moved.id == id && moved.by != number && moved.why == Why::Regenerate && moved.at < at
        });
        let seen_or_known = |moved: &&Retirement| {
            let is_expired = facts.may_pass_for_expired(moved, number, at);
            let is_own = facts.may_pass_for_own(moved, number, at);
            let could_know = facts.leaves_tombstones() || has_seen(facts, number, moved);
            could_know && !is_expired && !is_own
        };
        let ended_one = facts
            .retirements
            .iter()
            .any(|retirement| retirement.by == number && retirement.is_asked_for());
        if let Some(moved) = moved.filter(seen_or_known).filter(|_| !ended_one) {
            let (id, by) = (name(id), moved.by + 1);
            return Some(format!(
                "r{} deleted the cookie of {id}, which r{by} had moved",
                number + 1
            ));
        }
    }
    None
}
