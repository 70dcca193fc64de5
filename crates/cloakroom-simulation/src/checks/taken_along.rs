//! A session ends only where somebody asked for it, and `regenerate` ends an ID and not the session.

use crate::checks::acknowledged::lost;
use crate::checks::facts::Facts;
use crate::checks::retirements::{Retirement, Why};
use crate::timeline::name;
use crate::trace::{Act, Id};

/// No record is removed by a request that neither destroyed nor regenerated it, nor began it in vain.
pub(crate) fn nobody_ends_a_session_unasked(facts: &Facts<'_>) -> Option<String> {
    let unasked = facts.retirements.iter().find(|retirement| retirement.why == Why::Unknown)?;
    Some(format!("r{} removed {} for no reason", unasked.by + 1, name(unasked.id)))
}

fn regenerated<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a Retirement> {
    facts.retirements.iter().filter(|retirement| {
        let request = &facts.requests[retirement.by];
        let is_left = request.loaded(usize::MAX);
        // A logout by the ID that it has left was meant for the session whatever its ID.
        let follows_logout = facts.creator(retirement.id) == Some(retirement.by)
            && facts.retirements.iter().any(|other| {
                let is_logout = other.by != retirement.by && other.why == Why::Destroy;
                is_logout && request.presented == Some(other.id)
            });
        retirement.why == Why::Regenerate
            && !is_left
            && !follows_logout
            && !request.did(usize::MAX, |act| act == Act::Destroy)
    })
}

/// When the old ID is retired, the new one has all that the old one has then.
pub(crate) fn regenerate_takes_everything_along(facts: &Facts<'_>) -> Option<String> {
    for retirement in regenerated(facts) {
        let request = &facts.requests[retirement.by];
        if has_race(facts, retirement) {
            continue;
        }
        let now = facts.clock(retirement.by, retirement.at);
        let mut reason = "which no other ID has".to_owned();
        let is_there = facts.created_by(retirement.by).any(|id| {
            // What holds nothing but entries that have expired is gone at once, rightly.
            let expired = facts.last_written(id, retirement.at).filter(|(new, _)| {
                let mut entries = new.entries.iter();
                !new.is_tombstone && entries.all(|entry| !entry.is_alive(now))
            });
            let new = facts.live(id, retirement.at).or(expired.map(|(new, _)| new));
            let Some(new) = new else { return false };
            match lost(request, retirement.at, &retirement.content, new, now) {
                None => true,
                Some(lost) => {
                    reason = format!("and {} has not {lost}", name(id));
                    false
                }
            }
        });
        // Where nothing is left to live on, nothing has to.
        let is_over = retirement.content.entries.iter().all(|entry| !entry.is_alive(now));
        if !is_there && !is_over {
            let (id, request) = (name(retirement.id), retirement.by + 1);
            return Some(format!("r{request} retired {id}, {reason}"));
        }
    }
    None
}

/// Whether another wrote to the old ID after the commit had looked for the last time, which only a store that compares can
/// tell.
fn has_race(facts: &Facts<'_>, retirement: &Retirement) -> bool {
    let mut calls = facts.effects_of(retirement.id).filter(|(at, ..)| *at == retirement.at);
    calls.any(|(at, call, _)| facts.has_race(call, at))
}

/// Whoever retired an ID by `regenerate` leaves a session behind under another one.
pub(crate) fn a_regenerated_session_lives_on(facts: &Facts<'_>) -> Option<String> {
    for retirement in regenerated(facts) {
        let lives_on = |id: Id| {
            let end = facts.end();
            let ended = facts.retirements.iter().rfind(|ended| ended.id == id);
            // Until another ended it, or its time has passed.
            let by_others =
                ended.is_some_and(|ended| ended.by != retirement.by || ended.why != Why::Untold);
            facts.last_written(id, end).is_some() || by_others
        };
        let is_excused = facts.is_lost_in_doubt(retirement)
            || facts.is_written_over(retirement, retirement.by, usize::MAX);
        if !facts.created_by(retirement.by).any(lives_on) && !is_excused {
            let (id, request) = (name(retirement.id), retirement.by + 1);
            return Some(format!("r{request} retired {id}, and left no session under another ID"));
        }
    }
    None
}
