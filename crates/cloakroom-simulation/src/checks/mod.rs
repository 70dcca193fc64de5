//! What sessions promise, one function for each sentence. Each is given what happened and answers with a complaint.

mod acknowledged;
mod cookies;
mod deadlines;
mod ended;
mod facts;
mod honest;
mod leftovers;
mod limits;
mod retirements;
mod taken_along;

use crate::trace::Trace;

pub use facts::{ActFacts, CallFacts, Facts, RequestFacts};
pub use retirements::{Retirement, Why};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub check: &'static str,
    /// How.
    pub complaint: String,
}

type Check = fn(&Facts<'_>) -> Option<String>;

/// What holds whoever shares the store.
const ALWAYS: &[(&str, Check)] = &[
    ("what was acknowledged is written", acknowledged::what_was_acknowledged_is_written),
    ("no update happens twice", acknowledged::no_update_happens_twice),
    (
        "what a failed finish did not save is never saved",
        honest::what_a_failed_finish_did_not_save_is_never_saved,
    ),
    ("an error has no effect", honest::an_error_has_no_effect),
    ("a machine reads no more what it has ended", ended::a_machine_reads_no_more_what_it_has_ended),
];

/// What Astro itself breaks, so that it does not hold beside it.
const WITHOUT_ASTRO: &[(&str, Check)] = &[
    ("writers of different keys both win", acknowledged::writers_of_different_keys_both_win),
    ("nobody ends a session unasked", taken_along::nobody_ends_a_session_unasked),
    ("regenerate takes everything along", taken_along::regenerate_takes_everything_along),
    ("a regenerated session lives on", taken_along::a_regenerated_session_lives_on),
    ("what has ended is read no more", ended::what_has_ended_is_read_no_more),
    ("what has ended is written no more", ended::what_has_ended_is_written_no_more),
    ("nothing crosses a destroy", ended::nothing_crosses_a_destroy),
    ("a new session has nothing old", ended::a_new_session_has_nothing_old),
    ("no cookie after another retired it", cookies::no_cookie_after_another_retired_it),
    ("a cookie names a living session", cookies::a_cookie_names_a_living_session),
    ("the last cookie names a living session", cookies::the_last_cookie_names_a_living_session),
    ("use renews the cookie", cookies::use_renews_the_cookie),
    ("whoever ended it deletes the cookie", cookies::whoever_ended_it_deletes_the_cookie),
    (
        "destroyed is said only where another ended it",
        honest::destroyed_is_said_only_where_another_ended_it,
    ),
    ("nothing fails for nothing", honest::nothing_fails_for_nothing),
    ("an update sees what is stored", honest::an_update_sees_what_is_stored),
    ("a reload sees what is stored", honest::a_reload_sees_what_is_stored),
    ("what is taken out is taken once", acknowledged::what_is_taken_out_is_taken_once),
    ("a save confirms that the session is there", honest::a_save_confirms),
    ("no record is left that nobody can name", leftovers::no_record_is_left_that_nobody_can_name),
    ("a record lives as long as it is meant to", deadlines::a_record_lives_as_long_as_meant),
    ("a touch cuts nothing short", deadlines::a_touch_cuts_nothing_short),
    ("use moves the idle deadline", deadlines::use_moves_the_idle_deadline),
    ("nobody is taken for Astro", honest::nobody_is_taken_for_astro),
];

const RELOAD: &str = "a reload sees what is stored";
const DESTROYED: &str = "destroyed is said only where another ended it";

/// The promises that two faults at once can break, or one fault on a store that keeps no tombstones or compares nothing, as
/// `docs/guarantees.md` says, and where a client that has gone takes its request back. It happens in one history of ten
/// thousand.
const WEAKER_IN_TROUBLE: &[&str] = &[
    "a regenerated session lives on",
    "a save confirms that the session is there",
    "an error has no effect",
    RELOAD,
    "an update sees what is stored",
    DESTROYED,
    "no cookie after another retired it",
    "regenerate takes everything along",
    "the last cookie names a living session",
    "use moves the idle deadline",
    "what is taken out is taken once",
    "what was acknowledged is written",
    "whoever ended it deletes the cookie",
];

/// Whether a promise that was broken is held without exception in a history such as this: where none of those faults
/// came together, or where it is one of those that hold whatever fails.
pub fn is_held_strictly(trace: &Trace, check: &str) -> bool {
    if !WEAKER_IN_TROUBLE.contains(&check) {
        return true;
    }
    let facts = Facts::new(trace);
    let setup = &trace.history.setup;
    // A deadline that is shorter than a tombstone's cuts that short where it is moved.
    let is_cut = setup.idle.is_some() && check != "use moves the idle deadline";
    let keeps_tombstones = setup.expires && !is_cut && !facts.refused_a_tombstone();
    let has_gone = facts.requests.iter().any(|request| request.is_gone);
    let is_taken_back = has_gone && check == "what is taken out is taken once";
    // What another has let expire sooner than a request knew is not told from what JavaScript has removed.
    let by_end = ["what was acknowledged is written", DESTROYED].contains(&check);
    let is_sooner = by_end && facts.has_expired();
    // Of a session that is too old a reload says that it is gone, whether or not its record is.
    let is_sooner = is_sooner || (check == RELOAD && setup.absolute.is_some());
    // It looks as late as it can where the store cannot compare, and what comes after the look is excused.
    let compares = setup.compares || check == "regenerate takes everything along";
    let is_promised = compares && keeps_tombstones && !facts.left_in_doubt();
    is_promised && !is_taken_back && !is_sooner
}

/// The promises that a history broke.
pub fn check(trace: &Trace) -> Vec<Violation> {
    let facts = Facts::new(trace);
    if let Some(complaint) = honest::nothing_hangs(&facts) {
        // Of what has no end nothing else can be said.
        return vec![Violation { check: "nothing hangs", complaint }];
    }
    let also: &[(&str, Check)] = if trace.history.has_astro() { &[] } else { WITHOUT_ASTRO };
    let violations = ALWAYS.iter().chain(also).filter_map(|(check, broken)| {
        broken(&facts).map(|complaint| Violation { check, complaint })
    });
    violations.collect()
}

#[cfg(test)]
mod tests;
