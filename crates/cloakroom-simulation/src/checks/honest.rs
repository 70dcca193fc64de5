//! Ok means that it happened, and an error that it did not.

use cloakroom_session::ErrorKind;

use crate::checks::acknowledged::value;
use crate::checks::facts::{ActFacts, CallFacts, Facts, RequestFacts};
use crate::history::{Key, Site};
use crate::timeline::{act, name};
use crate::trace::{Act, Answer, Effect, Outcome, What};

/// Every task comes to its end.
pub(crate) fn nothing_hangs(facts: &Facts<'_>) -> Option<String> {
    let trace = facts.trace;
    if trace.is_endless {
        return Some("it does not come to an end".to_owned());
    }
    (trace.hung > 0).then(|| format!("{} tasks wait for ever", trace.hung))
}

/// The operator is told of whole records that are overwritten only where somebody does that.
pub(crate) fn nobody_is_taken_for_astro(facts: &Facts<'_>) -> Option<String> {
    // Where nothing is compared, servers in Rust overwrite them too, and nothing is said.
    facts.trace.events.iter().find_map(|event| match &event.what {
        What::Overwritten(kind) if kind == "lost_key" && puts_back_an_end(facts) => None,
        What::Overwritten(kind) => Some(format!("the operator was told of `{kind}`")),
        _ => None,
    })
}

/// Whether a request has stored an entry of its own once more, with the same end, since it was not told that it had: what
/// another has set in between looks undone then, as docs/guarantees.md says.
fn puts_back_an_end(facts: &Facts<'_>) -> bool {
    let ends = |call: &CallFacts<'_>| {
        let request = &facts.requests[call.owner.request];
        let is_own = |tag: &u32| {
            request.acts.iter().any(|act| act.tag().is_some_and(|(_, own)| own == *tag))
        };
        let entries = call.content().map_or(&[][..], |content| &content.entries);
        let own =
            entries.iter().filter(|entry| entry.expires.is_some() && entry.tags.iter().any(is_own));
        own.map(|entry| (entry.key, entry.expires)).collect::<Vec<_>>()
    };
    let wrote = |call: &&CallFacts<'_>| matches!(call.applied, Some((_, Effect::Wrote { .. })));
    let mut untold = facts.calls.iter().filter(|call| wrote(call) && facts.is_unknown(call));
    untold.any(|first| {
        let stored = ends(first);
        facts.calls.iter().filter(wrote).any(|again| {
            again.owner.request == first.owner.request
                && again.issued > first.issued
                && ends(again).iter().any(|end| stored.contains(end))
        })
    })
}

/// A client that is told to try again does not do it twice.
pub(crate) fn what_a_failed_finish_did_not_save_is_never_saved(
    facts: &Facts<'_>,
) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        let failed = request.acts.iter().find(|act| {
            let finishes = matches!(act.act, Act::Finish | Act::FinishLate);
            finishes && matches!(act.outcome, Some(Outcome::Failed(_)))
        });
        let Some(failed) = failed else { continue };
        for set in request.acts.iter().filter(|set| set.ended < failed.ended) {
            let (Act::Set(..), Some((key, tag))) = (set.act, set.tag()) else { continue };
            // What was read of it may be set once more.
            if request.did(usize::MAX, |act| act == Act::SetSame(key)) {
                continue;
            }
            let mut writes = facts.calls.iter().filter(|call| {
                let holds = call.content().is_some_and(|content| content.holds(tag));
                call.owner.request == number && holds && call.applied.is_some()
            });
            let wrote = |effect: &Effect| matches!(effect, Effect::Wrote { .. });
            let first = writes.find(|call| call.applied.is_some_and(|(_, effect)| wrote(effect)));
            if first.is_some_and(|call| call.issued > failed.ended) {
                let (what, by) = (act(&set.act), act(&failed.act));
                return Some(format!("{what} of r{} was saved after {by} had failed", number + 1));
            }
        }
    }
    None
}

/// What failed is not in the store, unless its outcome is unknown.
pub(crate) fn an_error_has_no_effect(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for failed in &request.acts {
            let (Act::Update(_, tag), Some(Outcome::Failed(_))) = (failed.act, &failed.outcome)
            else {
                continue;
            };
            // What another task destroyed since was updated before.
            let is_destroyed = request.did(failed.ended, |act| act == Act::Destroy);
            let is_unknown = is_destroyed
                || facts.calls.iter().any(|call| {
                    call.owner.request == number
                        && call.issued > failed.begun
                        && facts.is_unknown(call)
                });
            let written = facts.calls.iter().find(|call| {
                let holds = call.content().is_some_and(|content| content.holds(tag));
                holds && matches!(call.applied, Some((_, Effect::Wrote { .. })))
            });
            // What was written in vain has no effect where it is gone again, or where nobody can name it.
            let end = facts.end();
            let stays = |id| {
                let is_there = facts.live(id, end).is_some_and(|content| content.holds(tag));
                is_there && facts.is_told(id, end)
            };
            if let Some(call) = written.filter(|call| !is_unknown && stays(call.id)) {
                let (what, id) = (act(&failed.act), name(call.id));
                return Some(format!("{what} of r{} failed, and is in {id}", number + 1));
            }
        }
    }
    None
}

/// Whoever is told that another ended the session was overtaken by another.
pub(crate) fn destroyed_is_said_only_where_another_ended_it(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        let told = request.acts.iter();
        for told in told.filter(|told| told.outcome == Some(Outcome::Failed(ErrorKind::Destroyed)))
        {
            // One's own removal whose answer was lost cannot be told from another's without a tombstone.
            let cannot_know = !facts.leaves_tombstones() && facts.had_trouble(number, told.ended);
            let is_true = facts.is_retired_by_another(number, told.ended)
                || facts.saw_anothers_tombstone(number, told.ended)
                || facts.may_have_expired_unseen(number, told.ended);
            if !is_true && !cannot_know {
                let what = act(&told.act);
                return Some(format!("{what} of r{} said Destroyed, and nobody had", number + 1));
            }
        }
    }
    None
}

/// Where nothing goes wrong, nothing fails but for the reasons that a program can bring about.
pub(crate) fn nothing_fails_for_nothing(facts: &Facts<'_>) -> Option<String> {
    if !facts.is_fair_weather() {
        return None;
    }
    for (number, request) in facts.requests.iter().enumerate() {
        for failed in &request.acts {
            let Some(Outcome::Failed(kind)) = failed.outcome else { continue };
            let is_excused = matches!(kind, ErrorKind::Destroyed | ErrorKind::ResponseStarted)
                || format!("{kind:?}") == "Expired";
            if !is_excused {
                return Some(format!("{} of r{} failed: {kind:?}", act(&failed.act), number + 1));
            }
        }
    }
    None
}

/// An update whose closure changes nothing gives what is in the store then, and not what was there once.
pub(crate) fn an_update_sees_what_is_stored(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for seen in &request.acts {
            let (Act::Peek(key), Some(tags)) = (seen.act, value(seen)) else { continue };
            let is_unapplied = is_unapplied(request, seen.ended, key)
                && !facts.is_retired_by_another(number, seen.ended)
                && facts.created_by(number).next().is_none();
            let Some(id) = request.presented.filter(|_| is_unapplied) else { continue };
            if facts.is_over_by_own_clock(number, id, seen.ended) {
                continue;
            }
            let was_there = (seen.begun..=seen.ended).any(|at| {
                let there = facts.live(id, at).and_then(|content| content.entry(key));
                there.map_or(tags.is_empty(), |entry| {
                    entry.tags == tags || !entry.is_alive(facts.clock(number, seen.ended))
                })
            });
            if !was_there {
                let what = act(&seen.act);
                return Some(format!(
                    "{what} of r{} gave {tags:?}, which was not there",
                    number + 1
                ));
            }
        }
    }
    None
}

/// After a reload a handler sees what is in the store, and that there is a session where there is one.
pub(crate) fn a_reload_sees_what_is_stored(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for reload in request.acts.iter().filter(|act| act.act == Act::Reload) {
            let stays = request.stays(reload.ended) && facts.created_by(number).next().is_none();
            let Some(id) = request.presented.filter(|_| stays) else {
                continue;
            };
            let mut during = reload.begun..=reload.ended;
            let was_there = during.all(|at| facts.live(id, at).is_some());
            let was_retired = facts.is_retired_by_another(number, reload.ended);
            if reload.outcome == Some(Outcome::Bool(false)) && was_there && !was_retired {
                return Some(format!("reload() of r{} said that there is no session", number + 1));
            }
            let next = request.acts.iter().find(|act| act.begun > reload.ended);
            let Some(ActFacts { act: Act::Get(key), .. }) = next else { continue };
            let Some(read) = next.filter(|get| is_unapplied(request, get.ended, *key)) else {
                continue;
            };
            let Some(Outcome::Value(tags)) = &read.outcome else { continue };
            let is_stored = (reload.begun..=read.ended).any(|at| {
                let there = facts.live(id, at).and_then(|content| content.entry(*key));
                let is_same = there.map(|entry| &entry.tags) == tags.as_ref();
                is_same
                    || there.is_some_and(|entry| !entry.is_alive(facts.clock(number, read.ended)))
            });
            if !is_stored && reload.outcome == Some(Outcome::Bool(true)) {
                return Some(format!("get({key}) of r{} after a reload gave {tags:?}", number + 1));
            }
        }
    }
    None
}

/// Whether a request did nothing to a key before, and kept its session.
fn is_unapplied(request: &RequestFacts, before: usize, key: Key) -> bool {
    let changes = |act| match act {
        Act::Set(other, ..)
        | Act::SetSame(other)
        | Act::Delete(other)
        | Act::TakeOut(other)
        | Act::Update(other, _) => other == key,
        _ => false,
    };
    request.stays(before) && !request.did(before, changes)
}

/// A save, or an update, of a session that another had ended before it was called is an error.
pub(crate) fn a_save_confirms(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for saved in request.acts.iter().filter(|act| act.is_ok() && is_confirming(act)) {
            let leaves = |act| matches!(act, Act::Load(_) | Act::Destroy);
            let Some(id) = request.presented.filter(|_| !request.did(saved.ended, leaves)) else {
                continue;
            };
            let ended = facts.retirements.iter().find(|retirement| {
                let by_another = retirement.by != number && retirement.is_asked_for();
                let is_known = facts.leaves_tombstones() || has_read(facts, number, retirement.at);
                let is_undone = facts.is_written_over(retirement, number, saved.ended)
                    || facts.may_pass_for_expired(retirement, number, saved.ended)
                    || facts.may_pass_for_own(retirement, number, saved.ended)
                    || facts.is_second_end(retirement, number);
                let is_before = retirement.id == id && retirement.at < saved.begun;
                is_before && by_another && is_known && !is_undone
            });
            if let Some(ended) = ended {
                let (what, by, id) = (act(&saved.act), ended.by + 1, name(id));
                return Some(format!(
                    "{what} of r{} said Ok, though r{by} had ended {id}",
                    number + 1
                ));
            }
        }
    }
    None
}

fn is_confirming(act: &ActFacts) -> bool {
    matches!(act.act, Act::Save | Act::Update(..) | Act::Peek(_) | Act::TakeOut(_))
}

/// Whether a request had read the record that its cookie names, before an event.
fn has_read(facts: &Facts<'_>, request: usize, before: usize) -> bool {
    let Some(id) = facts.requests[request].presented else { return false };
    facts.plan(request).site == Site::Cloakroom
        && facts.effects_of(id).any(|(at, call, effect)| {
            let reads = matches!(effect, Effect::Read(Some(content)) if !content.is_tombstone);
            // What was given up on its way has told nothing.
            let is_told =
                call.answered.is_some_and(|(at, answer)| at < before && answer == Answer::Told);
            call.owner.request == request && at < before && reads && is_told
        })
}
