//! A login, and what may come between its two writes.

use cloakroom_storage::{Version, When};

use super::*;

#[test]
fn a_login_writes_the_new_record_then_retires_the_old_and_hands_out_the_new() {
    let old = SessionId::random();
    let mut request = Request::loaded(old);
    let new = request.log_in();
    let step = request.finish();
    let (id, tombstone) = retires(&step).expect("the old one goes");
    assert_eq!((id, tombstone.fate), (old, Fate::Moved));
    request.retired(step, Ok(RetireOutcome::Retired)).unwrap();
    assert_eq!(request.cookie(), Some(hand_out(new)));
}

#[test]
fn a_save_after_a_regenerate_moves_at_once_and_a_request_that_is_given_up_moves_back() {
    let old = SessionId::random();
    let mut request = Request::loaded(old);
    request.machine.regenerate().unwrap();
    let step = request.step(&Goal::Save);
    request.written(step, 10);
    let step = request.step(&Goal::Save);
    request.retired(step, Ok(RetireOutcome::Retired)).unwrap();
    assert!(matches!(request.next(&Goal::Save).unwrap(), Next::Done(Outcome::Reached)));
    request.machine.give_up();
    let leftovers = request.machine.take_leftovers();
    assert!(
        matches!(&leftovers[..], [Leftover::TakenBack { moved, .. }] if moved.left.id == old),
        "{leftovers:?}"
    );
}

#[test]
fn a_login_takes_along_what_was_written_to_the_old_id_meanwhile() {
    let old = SessionId::random();
    let mut request = Request::loaded(old);
    let new = request.log_in();
    let step = request.finish();
    request.retired(step, Ok(RetireOutcome::Conflict)).unwrap();
    let step = request.finish();
    request.looked(step, Found::Alive(stored(old, 5)));
    let step = request.finish();
    assert!(is_on_version(&step, 10), "the new record is written again: {step:?}");
    request.written(step, 11);
    let step = request.finish();
    assert!(matches!(&step, Step::Retire { when: When::Version(on), .. } if *on == 5.into()));
    request.retired(step, Ok(RetireOutcome::Retired)).unwrap();
    assert_eq!(request.cookie(), Some(hand_out(new)));
}

#[test]
fn of_two_logins_the_second_is_told_that_it_lost() {
    let mut request = Request::loaded(SessionId::random());
    let new = request.log_in();
    let step = request.finish();
    request.retired(step, Ok(RetireOutcome::Conflict)).unwrap();
    let step = request.finish();
    let tombstone = Tombstone { fate: Fate::Moved, by: Retirement::new() };
    request.looked(step, Found::Retired(tombstone, Version::from(2)));
    assert_eq!(request.next(&Goal::Finish).unwrap_err().kind(), ErrorKind::Destroyed);
    let leftovers = request.machine.take_leftovers();
    assert!(matches!(leftovers[..], [Leftover::Unnamed(id)] if id == new), "{leftovers:?}");
}

/// For each thing that the store may say then.
#[test]
fn a_retirement_that_was_not_answered_is_told_apart_from_anothers() {
    let old = SessionId::random();
    let begin = || {
        let mut request = Request::loaded(old);
        let new = request.log_in();
        let step = request.finish();
        let (_, own) = retires(&step).unwrap();
        request.retired(step, Err(unavailable(false))).unwrap();
        let step = request.finish();
        (request, new, own, step)
    };
    let handed_out = |new| Some(hand_out(new));

    let (mut request, new, own, step) = begin();
    request.looked(step, Found::Retired(own, Version::from(2)));
    assert_eq!(request.cookie(), handed_out(new), "its own");

    let (mut request, _, _, step) = begin();
    let tombstone = Tombstone { fate: Fate::Destroyed, by: Retirement::new() };
    request.looked(step, Found::Retired(tombstone, Version::from(2)));
    assert!(request.next(&Goal::Finish).is_err(), "another's");

    let (mut request, new, _, step) = begin();
    request.looked(step, Found::Alive(stored(old, 1)));
    let step = request.finish();
    assert!(retires(&step).is_some(), "tried again");
    request.retired(step, Ok(RetireOutcome::Retired)).unwrap();
    assert_eq!(request.cookie(), handed_out(new));

    let (mut request, new, _, step) = begin();
    request.looked_in_vain(step).unwrap();
    assert_eq!(request.cookie(), handed_out(new), "the new one surely exists");
    request.machine.told_the_browser();
    let leftovers = request.machine.take_leftovers();
    assert!(matches!(leftovers[..], [Leftover::Moved { left, .. }] if left == old));
}

#[test]
fn a_retirement_that_was_surely_not_made_takes_the_login_back() {
    let mut request = Request::loaded(SessionId::random());
    let new = request.log_in();
    let step = request.finish();
    request.retired(step, Err(unavailable(true))).unwrap_err();
    request.machine.fail();
    let leftovers = request.machine.take_leftovers();
    assert!(matches!(leftovers[..], [Leftover::Unnamed(id)] if id == new), "{leftovers:?}");
    assert!(!request.machine.is_changed());
}

#[test]
fn a_retirement_that_may_come_late_is_undone_then() {
    let old = SessionId::random();
    let mut request = Request::loaded(old);
    let new = request.log_in();
    for _ in 0..2 {
        let step = request.finish();
        request.retired(step, Err(unavailable(false))).unwrap();
        let step = request.finish();
        let alive = Answer::Looked(Ok(Found::Alive(stored(old, 1))));
        if request.machine.answered(step, alive, &rules()).is_err() {
            break;
        }
    }
    request.machine.fail();
    let leftovers = request.machine.take_leftovers();
    assert!(
        matches!(&leftovers[..], [Leftover::TakenBack { moved, now }] if moved.left.id == old && *now == new),
        "{leftovers:?}"
    );
}
