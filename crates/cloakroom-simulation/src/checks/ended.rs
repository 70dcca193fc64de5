//! What has ended stays ended.

use crate::checks::acknowledged::value;
use crate::checks::facts::{ActFacts, Facts, RequestFacts};
use crate::checks::retirements::Retirement;
use crate::history::Site;
use crate::timeline::{act, name};
use crate::trace::{Act, Answer, Effect, Outcome};

/// When the request that ended a session was told so.
fn acknowledged(facts: &Facts<'_>, retirement: &Retirement) -> Option<usize> {
    let commits = facts.requests[retirement.by].acts.iter().filter(|act| {
        let commits = matches!(act.act, Act::Finish | Act::FinishLate | Act::Save);
        commits && act.is_ok() && act.ended > retirement.at
    });
    commits.map(|act| act.ended).min()
}

/// A request that began after a session's end was acknowledged reads nothing of it.
pub(crate) fn what_has_ended_is_read_no_more(facts: &Facts<'_>) -> Option<String> {
    read_of_the_ended(facts, |retirement, acknowledged, _| {
        !is_overrun(facts, retirement, acknowledged)
    })
}

/// The same for the machine that has ended it, whoever has written it since: where it knows that it has, and is told when
/// others have looked.
pub(crate) fn a_machine_reads_no_more_what_it_has_ended(facts: &Facts<'_>) -> Option<String> {
    let machine = |request| facts.plan(request).machine;
    read_of_the_ended(facts, |retirement, _, reader| {
        let is_known = facts.calls.iter().any(|call| {
            let ends = call.applied.is_some_and(|(at, _)| at == retirement.at);
            ends && matches!(call.answered, Some((_, Answer::Told)))
        });
        is_known && facts.trace.history.setup.compares && machine(retirement.by) == machine(reader)
    })
}

/// What a request has read of a session whose end was acknowledged before, where that counts for the reader.
fn read_of_the_ended(
    facts: &Facts<'_>,
    counts: impl Fn(&Retirement, usize, usize) -> bool,
) -> Option<String> {
    for retirement in &facts.retirements {
        if !retirement.is_asked_for() {
            continue;
        }
        let Some(acknowledged) = acknowledged(facts, retirement) else { continue };
        for (number, request) in facts.requests.iter().enumerate() {
            let presents = request.presented == Some(retirement.id);
            let is_later = request.began > Some(acknowledged);
            if presents && is_later && counts(retirement, acknowledged, number) {
                let is_of = |tag: u32| was_there(facts, retirement, tag);
                if let Some(read) = request.acts.iter().find(|act| reads(request, act, is_of)) {
                    let (what, id) = (act(&read.act), name(retirement.id));
                    return Some(format!("{what} of r{} read the ended {id}", number + 1));
                }
            }
        }
    }
    None
}

/// Whether a writer that had looked before the end wrote after it, which only a store that compares can prevent.
fn is_overrun(facts: &Facts<'_>, retirement: &Retirement, acknowledged: usize) -> bool {
    let overruns = facts.effects_of(retirement.id).any(|(at, call, effect)| {
        let writes = matches!(effect, Effect::Wrote { after, .. } if !after.is_tombstone);
        let began = facts.requests[call.owner.request].began;
        writes && at > retirement.at && began < Some(acknowledged)
    });
    overruns && !facts.trace.history.setup.compares
}

/// Whether a value was in the session that was ended.
fn was_there(facts: &Facts<'_>, retirement: &Retirement, tag: u32) -> bool {
    facts.effects_of(retirement.id).any(|(_, _, effect)| match effect {
        Effect::Wrote { after, .. } => after.holds(tag),
        _ => false,
    })
}

/// Whether a read gave something of the ended session.
fn reads(request: &RequestFacts, read: &ActFacts, is_of: impl Fn(u32) -> bool) -> bool {
    if request.loaded(read.ended) {
        return false;
    }
    let sets =
        request.did(read.ended, |act| matches!(act, Act::Set(..) | Act::Update(..) | Act::Peek(_)));
    match &read.outcome {
        Some(Outcome::Value(Some(tags))) => tags.iter().any(|tag| is_of(*tag)),
        Some(Outcome::Bool(true)) => matches!(read.act, Act::Has(_)) && !sets,
        Some(Outcome::Keys(keys)) => !keys.is_empty() && !sets,
        _ => false,
    }
}

/// No record is written under an ID that was retired.
pub(crate) fn what_has_ended_is_written_no_more(facts: &Facts<'_>) -> Option<String> {
    let compares = facts.trace.history.setup.compares;
    for retirement in &facts.retirements {
        if !retirement.is_asked_for() {
            continue;
        }
        let acknowledged = acknowledged(facts, retirement);
        for (at, call, effect) in facts.effects_of(retirement.id) {
            let Effect::Wrote { after, .. } = effect else { continue };
            let request = call.owner.request;
            let is_astro = facts.plan(request).site == Site::Astro;
            // Without a comparison, whoever looked before cannot know.
            let could_know = compares
                || acknowledged.is_some_and(|told| {
                    let began_later = facts.requests[request].began > Some(told);
                    began_later && !is_overrun(facts, retirement, told)
                });
            if at < retirement.at || after.is_tombstone {
                continue;
            }
            if could_know && !is_astro {
                let id = name(retirement.id);
                return Some(format!("r{} wrote {after} to the ended {id}", request + 1));
            }
        }
    }
    None
}

/// What was there before a `destroy` is not there after it.
pub(crate) fn nothing_crosses_a_destroy(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for call in &facts.calls {
            let Some((_, Effect::Wrote { after, .. })) = call.applied else { continue };
            if call.owner.request != number || facts.creator(call.id) != Some(number) {
                continue;
            }
            let creation = facts.calls.iter().find(|first| {
                first.id == call.id && matches!(first.applied, Some((_, Effect::Wrote { .. })))
            });
            let Some(creation) = creation.map(|first| first.issued) else { continue };
            // What is taken back before anybody is told of it crosses nothing.
            let end = facts.end();
            if facts.live(call.id, end).is_none() && !facts.is_told(call.id, end) {
                continue;
            }
            let Some(destroy) = last_destroy(request, creation) else { continue };
            // Once it is told, others may write there too.
            if facts.is_told(call.id, call.issued) {
                continue;
            }
            let own = |act: Act, key| act == Act::SetSame(key);
            // What the handler had read before, it may set again.
            let entries = after.entries.iter();
            let entries =
                entries.filter(|entry| !request.did(call.issued, |act| own(act, entry.key)));
            let mut tags = entries.flat_map(|entry| &entry.tags);
            if let Some(tag) = tags.find(|tag| is_from_before(request, destroy, **tag)) {
                let id = name(call.id);
                return Some(format!("{tag} of before the destroy of r{} is in {id}", number + 1));
            }
        }
        for read in &request.acts {
            let destroy = last_destroy(request, read.begun);
            // What it had read it may set again, and once it is told, others may write too.
            let is_told = request.finish().is_some_and(|finish| finish.ended < read.ended);
            if is_told || request.did(read.ended, |act| matches!(act, Act::SetSame(_))) {
                continue;
            }
            let (Some(destroy), Some(tags)) = (destroy, value(read)) else { continue };
            if request.acts.iter().any(|act| {
                act.begun < read.ended && act.begun > destroy && matches!(act.act, Act::Load(_))
            }) {
                continue;
            }
            if let Some(tag) = tags.iter().find(|tag| is_from_before(request, destroy, **tag)) {
                let what = act(&read.act);
                return Some(format!("{what} of r{} gave {tag} of before its destroy", number + 1));
            }
        }
    }
    None
}

/// A session that a request begins without `regenerate` has nothing of an earlier one, be it destroyed or expired.
pub(crate) fn a_new_session_has_nothing_old(facts: &Facts<'_>) -> Option<String> {
    for (number, request) in facts.requests.iter().enumerate() {
        for call in facts.calls.iter().filter(|call| call.owner.request == number) {
            let Some((at, Effect::Wrote { before: None, after, .. })) = call.applied else {
                continue;
            };
            let continues = |act| matches!(act, Act::Regenerate | Act::Load(_) | Act::SetSame(_));
            if facts.created(call.id) != Some(at) || request.did(call.issued, continues) {
                continue;
            }
            let mut tags = after.entries.iter().flat_map(|entry| &entry.tags);
            if let Some(tag) = tags.find(|tag| is_from_before(request, 0, **tag)) {
                let id = name(call.id);
                return Some(format!(
                    "{tag} of an earlier session is in {id}, which r{} began",
                    number + 1
                ));
            }
        }
    }
    None
}

/// When a request called `destroy` for the last time before an event, unless it loaded another session since.
fn last_destroy(request: &RequestFacts, before: usize) -> Option<usize> {
    let destroys = request.acts.iter().filter(|act| act.act == Act::Destroy && act.begun < before);
    let last = destroys.map(|act| act.begun).max()?;
    let loads =
        |act: &ActFacts| matches!(act.act, Act::Load(_)) && act.begun < before && act.ended > last;
    (!request.acts.iter().any(loads)).then_some(last)
}

fn is_from_before(request: &RequestFacts, destroy: usize, tag: u32) -> bool {
    let own = request.acts.iter().find(|act| act.tag().is_some_and(|(_, own)| own == tag));
    own.is_none_or(|act| act.ended < destroy)
}
