//! Nothing is left behind.

use crate::checks::facts::Facts;
use crate::checks::retirements::Why;
use crate::history::Site;
use crate::timeline::name;
use crate::trace::{Call, Id};

/// Each record in the store is named by a cookie that was sent, or ends by itself.
pub(crate) fn no_record_is_left_that_nobody_can_name(facts: &Facts<'_>) -> Option<String> {
    let end = facts.end();
    for id in (0..facts.effects.len()).map(Id) {
        let has_end = facts.last_written(id, end).is_some_and(|(_, deadline)| deadline.is_some());
        if facts.live(id, end).is_none() || has_end || facts.is_told(id, end) {
            continue;
        }
        let Some(creator) = facts.creator(id) else { continue };
        let is_astro = facts.plan(creator).site == Site::Astro;
        // A login that was done, and whose answer nobody waited for any more.
        let moved = facts
            .retirements
            .iter()
            .any(|retirement| retirement.by == creator && retirement.why == Why::Regenerate);
        let compares = facts.trace.history.setup.compares;
        let could_not_be_told = facts.requests[creator].is_gone && (moved || !compares);
        let is_dead = facts.requests[creator].is_dead;
        if !is_astro && !is_dead && !could_not_be_told && !is_excused(facts, id) {
            return Some(format!("{} of r{} is left, and nobody knows it", name(id), creator + 1));
        }
    }
    None
}

/// Whether the store failed on the cleaning too, or did late what it was sent.
fn is_excused(facts: &Facts<'_>, id: Id) -> bool {
    facts.calls.iter().filter(|call| call.id == id).any(|call| {
        let is_cleaning = match call.call {
            Call::Remove(_) => true,
            _ => call.retires(),
        };
        let has_failed = !matches!(call.answered, Some((_, crate::trace::Answer::Told)));
        let is_late = match (call.applied, call.answered) {
            (Some((applied, _)), Some((answered, _))) => applied > answered,
            (_, None) => true,
            (None, _) => false,
        };
        is_late || (is_cleaning && has_failed)
    })
}
