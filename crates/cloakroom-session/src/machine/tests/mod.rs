//! The table of states and events: what a request does next, for each thing that may have become of its last step.

mod regenerate;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::{Version, When};

use super::*;
use crate::clock::Clock;
use crate::record::{
    Change, Fate, Found, Lifetime, Record, Retirement, Stored, Tombstone, Written,
};

const NOW: f64 = 1_795_431_615_459.0;

fn rules() -> Rules {
    Rules {
        lifetime: Lifetime::default(),
        ttl: None,
        max_size: 1 << 20,
        renews_cookie: false,
        compares: true,
        expires: true,
        path: None,
        indexes: false,
        clock: Clock::standing_at(NOW),
    }
}

/// The cookie of a session that no limit holds for.
fn hand_out(id: SessionId) -> SetCookie {
    SetCookie::HandOut(cookie::HandOut { id, remember: None, longest: None })
}

/// A session that no entry ends, at this version.
fn stored(id: SessionId, version: u64) -> Stored {
    let text = format!(r#"[["Map",1,2],"n",{{"data":3,"expires":-1}},{version}]"#);
    let record = Arc::new(Record::parse(text.into_bytes().into(), NOW).unwrap());
    Stored { id, record, version: Version::from(version), ends: None }
}

fn value(text: &str) -> Written {
    Written::new(format!("[\"{text}\"]").into_bytes(), None).unwrap()
}

fn unavailable(is_unapplied: bool) -> Failed {
    let error = Error::new(ErrorKind::Unavailable, "as the test wants it");
    Failed { error, is_unapplied, may_be_removed: false }
}

/// A request, and the steps that it was seen to take.
struct Request {
    machine: Machine,
    rules: Rules,
}

impl Request {
    fn presenting(ticket: Ticket) -> Request {
        let mut machine = Machine::default();
        machine.presents(ticket);
        machine.begin_final();
        Request { machine, rules: rules() }
    }

    fn visitor() -> Request {
        Request::presenting(Ticket::Missing)
    }

    /// A request that has loaded its session at version 1.
    fn loaded(id: SessionId) -> Request {
        let mut request = Request::presenting(Ticket::Id(id));
        request.loads(Found::Alive(stored(id, 1)));
        request
    }

    /// The first read.
    fn loads(&mut self, found: Found) {
        let (_, generation) = self.machine.first_look().unwrap();
        self.machine.first_looked(generation, found, &rules()).unwrap();
    }

    fn next(&mut self, goal: &Goal<'_>) -> Result<Next> {
        self.machine.next(goal, &self.rules)
    }

    fn step(&mut self, goal: &Goal<'_>) -> Step {
        match self.next(goal).unwrap() {
            Next::Do(step) => step,
            Next::Done(outcome) => panic!("it is done: {outcome:?}"),
        }
    }

    fn finish(&mut self) -> Step {
        self.step(&Goal::Finish)
    }

    fn cookie(&mut self) -> Option<SetCookie> {
        match self.next(&Goal::Finish).unwrap() {
            Next::Done(Outcome::Closed) => self.machine.cookie(&self.rules).unwrap(),
            next => panic!("it is not done: {next:?}"),
        }
    }

    fn looked(&mut self, step: Step, found: Found) {
        assert!(matches!(step, Step::Look { .. }), "{step:?}");
        self.machine.answered(step, Answer::Looked(Ok(found)), &rules()).unwrap();
    }

    fn looked_in_vain(&mut self, step: Step) -> Result<()> {
        let error = Error::new(ErrorKind::Unavailable, "as the test wants it");
        self.machine.answered(step, Answer::Looked(Err(error)), &rules())
    }

    /// The store has written it, at this version.
    fn written(&mut self, step: Step, version: u64) {
        let Step::Write(write) = &step else { panic!("{step:?}") };
        let record = Arc::clone(&write.draft.record);
        let stored = Stored { id: write.id, record, version: Version::from(version), ends: None };
        self.machine.answered(step, Answer::Written(Ok(Some(stored))), &rules()).unwrap();
    }

    fn refused(&mut self, step: Step) {
        assert!(matches!(step, Step::Write(_)), "{step:?}");
        self.machine.answered(step, Answer::Written(Ok(None)), &rules()).unwrap();
    }

    fn retired(&mut self, step: Step, outcome: Result<RetireOutcome, Failed>) -> Result<()> {
        assert!(matches!(step, Step::Retire { .. }), "{step:?}");
        self.machine.answered(step, Answer::Retired(outcome), &rules())
    }

    /// A login up to where the old ID is to be retired; returns the new ID.
    fn log_in(&mut self) -> SessionId {
        self.machine.regenerate().unwrap();
        self.machine.set("user", value("Ann")).unwrap();
        let step = self.finish();
        let Step::Write(write) = &step else { panic!("{step:?}") };
        assert_eq!(write.when, When::Absent);
        let new = write.id;
        self.written(step, 10);
        new
    }
}

fn is_absent(step: &Step) -> bool {
    matches!(step, Step::Write(write) if write.when == When::Absent)
}

fn is_on_version(step: &Step, version: u64) -> bool {
    matches!(step, Step::Write(write) if write.when == When::Version(version.into()))
}

fn retires(step: &Step) -> Option<(SessionId, Tombstone)> {
    match step {
        Step::Retire { id, tombstone, .. } => Some((*id, *tombstone)),
        _ => None,
    }
}

#[test]
fn a_visitor_who_sets_nothing_costs_nothing() {
    assert_eq!(Request::visitor().cookie(), None);
}

#[test]
fn a_first_write_reads_nothing_and_is_handed_out() {
    let mut request = Request::visitor();
    request.machine.set("a", value("1")).unwrap();
    let step = request.finish();
    assert!(is_absent(&step), "{step:?}");
    request.written(step, 1);
    let id = request.machine.id().unwrap();
    assert_eq!(request.cookie(), Some(hand_out(id)));
}

#[test]
fn a_blind_write_looks_first() {
    let id = SessionId::random();
    for (found, keeps) in [(Found::Alive(stored(id, 1)), true), (Found::Missing, false)] {
        let mut request = Request::presenting(Ticket::Id(id));
        request.machine.set("a", value("1")).unwrap();
        let step = request.finish();
        request.looked(step, found);
        let step = request.finish();
        assert_eq!(is_on_version(&step, 1), keeps, "{step:?}");
        assert_eq!(is_absent(&step), !keeps, "{step:?}");
        request.written(step, 2);
        let cookie = request.cookie();
        assert_eq!(cookie.is_none(), keeps, "the browser has the ID that it presented");
    }
}

#[test]
fn what_another_retired_is_changed_by_nobody_and_gets_no_cookie() {
    for fate in [Fate::Moved, Fate::Destroyed] {
        let mut request = Request::presenting(Ticket::Id(SessionId::random()));
        request.machine.set("a", value("1")).unwrap();
        let step = request.finish();
        let tombstone = Tombstone { fate, by: Retirement::new() };
        request.looked(step, Found::Retired(tombstone, Version::from(2)));
        assert_eq!(request.machine.regenerate().unwrap_err().kind(), ErrorKind::Destroyed);
        assert_eq!(request.next(&Goal::Save).unwrap_err().kind(), ErrorKind::Destroyed);
        request.machine.destroy();
        request.machine.set("b", value("2")).unwrap();
        assert_eq!(request.cookie(), None);
    }
}

#[test]
fn a_conflict_is_looked_at_and_the_change_made_again() {
    let id = SessionId::random();
    let mut request = Request::loaded(id);
    request.machine.set("a", value("1")).unwrap();
    let step = request.finish();
    assert!(is_on_version(&step, 1));
    request.refused(step);
    let step = request.finish();
    assert!(matches!(step, Step::Look { conflicts: 1, .. }), "others go first: {step:?}");
    request.looked(step, Found::Alive(stored(id, 7)));
    let step = request.finish();
    assert!(is_on_version(&step, 7));
    request.written(step, 8);
    assert_eq!(request.cookie(), None);
}

#[test]
fn a_record_that_is_gone_before_its_time_was_ended_and_after_it_has_expired() {
    let id = SessionId::random();
    for (ends, expired) in [(None, false), (Some(NOW + 60_000.0), false), (Some(NOW), true)] {
        let mut request = Request::presenting(Ticket::Id(id));
        request.loads(Found::Alive(Stored { ends, ..stored(id, 1) }));
        request.machine.set("a", value("1")).unwrap();
        let step = request.finish();
        request.refused(step);
        let step = request.finish();
        request.looked(step, Found::Missing);
        if !expired {
            assert_eq!(request.cookie(), None, "{ends:?}");
            continue;
        }
        let step = request.finish();
        assert!(is_absent(&step), "what was changed begins a session: {step:?}");
        request.written(step, 1);
        assert!(request.cookie().is_some());
    }
}

#[test]
fn a_new_session_whose_write_was_not_answered_is_looked_for() {
    let mut request = Request::visitor();
    request.machine.set("a", value("1")).unwrap();
    let first = request.step(&Goal::Save);
    // The future that carried it was dropped.
    drop(first);
    request.machine.begin();
    let step = request.finish();
    let id = request.machine.id().unwrap();
    assert!(matches!(step, Step::Look { id: looked, .. } if looked == id), "{step:?}");
    request.looked(step, Found::Missing);
    let step = request.finish();
    assert!(is_absent(&step));
    request.written(step, 1);
    assert_eq!(request.cookie(), Some(hand_out(id)));
}

#[test]
fn an_id_that_is_taken_is_not_overwritten() {
    let mut request = Request::visitor();
    request.machine.set("a", value("1")).unwrap();
    let first = request.machine.id();
    let step = request.finish();
    request.refused(step);
    let step = request.finish();
    assert!(is_absent(&step));
    assert_ne!(request.machine.id(), first);
}

#[test]
fn a_logout_retires_what_is_there_and_leaves_nothing_of_what_is_not() {
    let id = SessionId::random();
    let mut request = Request::presenting(Ticket::Id(id));
    request.machine.destroy();
    let step = request.finish();
    request.looked(step, Found::Missing);
    assert_eq!(request.cookie(), Some(SetCookie::Delete));

    let mut request = Request::loaded(id);
    request.machine.destroy();
    let step = request.finish();
    assert_eq!(retires(&step).unwrap().1.fate, Fate::Destroyed);
    request.retired(step, Ok(RetireOutcome::Retired)).unwrap();
    assert_eq!(request.cookie(), Some(SetCookie::Delete));
}

#[test]
fn what_a_destroy_finds_written_since_goes_too() {
    let id = SessionId::random();
    let mut request = Request::loaded(id);
    request.machine.destroy();
    let step = request.finish();
    request.retired(step, Ok(RetireOutcome::Conflict)).unwrap();
    let step = request.finish();
    request.looked(step, Found::Alive(stored(id, 4)));
    let step = request.finish();
    assert!(matches!(&step, Step::Retire { when: When::Version(on), .. } if *on == 4.into()));
}

#[test]
fn an_answer_that_comes_after_a_destroy_does_not_bring_the_session_back() {
    let id = SessionId::random();
    let mut request = Request::presenting(Ticket::Id(id));
    let (_, generation) = request.machine.first_look().unwrap();
    request.machine.destroy();
    request.machine.first_looked(generation, Found::Alive(stored(id, 1)), &rules()).unwrap();
    assert_eq!(request.machine.id(), None);

    let mut request = Request::loaded(id);
    request.machine.set("a", value("1")).unwrap();
    let write = request.finish();
    request.machine.destroy();
    request.written(write, 2);
    assert_eq!(request.machine.id(), None);
    assert!(retires(&request.finish()).is_some());
}

#[test]
fn an_update_is_decided_again_where_what_it_was_decided_on_has_changed() {
    let id = SessionId::random();
    let mut request = Request::loaded(id);
    let basis = request.machine.seen("n", &rules()).basis;
    let proposal = Proposal { key: "n", change: Change::set(value("2")), basis };
    let step = request.step(&Goal::Update(&proposal));
    request.refused(step);
    let step = request.step(&Goal::Update(&proposal));
    request.looked(step, Found::Alive(stored(id, 7)));
    let next = request.next(&Goal::Update(&proposal)).unwrap();
    assert!(matches!(next, Next::Done(Outcome::Again)), "{next:?}");
}

#[test]
fn a_decision_to_change_nothing_is_confirmed_by_the_store() {
    let id = SessionId::random();
    let mut request = Request::loaded(id);
    request.machine.begin();
    let basis = request.machine.seen("n", &rules()).basis;
    let step = request.step(&Goal::Confirm("n", basis));
    request.looked(step, Found::Alive(stored(id, 1)));
    assert!(matches!(
        request.next(&Goal::Confirm("n", basis)).unwrap(),
        Next::Done(Outcome::Reached)
    ));
}

#[test]
fn a_set_after_the_end_is_refused_where_it_would_begin_a_session() {
    let mut request = Request::visitor();
    assert_eq!(request.cookie(), None);
    let error = request.machine.set("a", value("1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseStarted);

    let mut request = Request::loaded(SessionId::random());
    assert_eq!(request.cookie(), None);
    request.machine.set("a", value("1")).unwrap();
    assert!(is_on_version(&request.step(&Goal::Late), 1));
}

#[test]
fn a_request_that_failed_has_changed_nothing() {
    let id = SessionId::random();
    let mut request = Request::loaded(id);
    request.machine.set("a", value("1")).unwrap();
    let step = request.finish();
    let failed = request.machine.answered(step, Answer::Written(Err(unavailable(false))), &rules());
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unavailable);
    request.machine.fail();
    assert!(!request.machine.is_changed());
    assert_eq!(request.machine.id(), Some(id), "a task may still change it");
}

#[test]
fn a_client_that_went_away_is_given_no_session_that_it_could_not_name() {
    let mut request = Request::visitor();
    request.machine.set("a", value("1")).unwrap();
    request.machine.abandon();
    assert_eq!(request.cookie(), None);

    let old = SessionId::random();
    let mut request = Request::loaded(old);
    request.log_in();
    let step = request.finish();
    request.machine.abandon();
    request.retired(step, Ok(RetireOutcome::Retired)).unwrap();
    request.cookie();
    request.machine.told_the_browser();
    let leftovers = request.machine.take_leftovers();
    assert!(matches!(&leftovers[..], [Leftover::TakenBack { moved, .. }] if moved.left.id == old));
}

#[test]
fn a_session_in_use_moves_its_deadline_once_it_is_due() {
    let id = SessionId::random();
    let idle = Duration::from_secs(600);
    for (left, due) in [(599, false), (400, true)] {
        let mut request = Request::presenting(Ticket::Id(id));
        request.rules.lifetime = Lifetime {
            idle: Some(idle),
            touch_interval: Duration::from_secs(60),
            ..Lifetime::default()
        };
        request.rules.renews_cookie = true;
        let ends = Some(NOW + f64::from(left) * 1000.0);
        request.loads(Found::Alive(Stored { ends, ..stored(id, 1) }));
        request.machine.begin();
        if !due {
            assert_eq!(request.cookie(), None);
            continue;
        }
        let step = request.finish();
        assert!(matches!(step, Step::Touch { ttl: Some(ttl), .. } if ttl == idle), "{step:?}");
        request.machine.answered(step, Answer::Touched(Ok(true)), &rules()).unwrap();
        let step = request.finish();
        request.looked(step, Found::Alive(stored(id, 1)));
        assert_eq!(request.cookie(), Some(hand_out(id)), "its Max-Age moves too");
    }
}
