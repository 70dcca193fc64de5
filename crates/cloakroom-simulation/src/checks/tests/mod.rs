//! Each check sees a history that was made for it, and no other one does.

mod script;

use std::time::Duration;

use cloakroom_session::ErrorKind;

use crate::content::{Content, Entry};
use crate::history::{Fault, FaultKind, Site};
use crate::trace::{Act, Outcome, Sent};
use script::{A, B, NEW, OLD, Script, moment, record, tombstone};

const SECOND: Duration = Duration::from_secs(1);

/// What is broken by what is told after the first visit.
fn broken(tell: impl FnOnce(&mut Script)) -> Vec<&'static str> {
    let mut script = Script::new();
    tell(&mut script);
    script.broken()
}

/// The reason for which something may fail.
fn fault() -> Fault {
    Fault { request: 1, call: 1, kind: FaultKind::Refused }
}

fn failed(kind: ErrorKind) -> Outcome {
    Outcome::Failed(kind)
}

fn value(tags: &[u32]) -> Outcome {
    Outcome::Value(Some(tags.to_vec()))
}

#[test]
fn a_good_history_breaks_nothing() {
    let broken = broken(|script| {
        script.regenerate(1, record(&[(A, &[1])]));
        script.began(2, Some(NEW));
        script.act(2, Act::Update(A, 2), value(&[1, 2]), |script| {
            script.read(2, NEW, Some(record(&[(A, &[1])])));
            script.write(2, NEW, Some(record(&[(A, &[1])])), record(&[(A, &[1, 2])]));
        });
        script.finish(2, None, |_| {});
    });
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn a_set_that_was_dropped() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Set(B, 2, None));
        script.finish(1, None, |_| {});
    });
    assert_eq!(broken, ["what was acknowledged is written"]);
}

#[test]
fn an_update_that_happened_twice() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.act(1, Act::Update(A, 2), value(&[1, 2, 2]), |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), record(&[(A, &[1, 2, 2])]));
        });
    });
    assert_eq!(broken, ["no update happens twice"]);
}

#[test]
fn a_write_over_anothers_entry() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Set(B, 2, None));
        script.finish(1, None, |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), record(&[(B, &[2])]));
        });
    });
    assert_eq!(broken, ["writers of different keys both win"]);
}

#[test]
fn a_value_that_was_taken_out_twice() {
    let broken = broken(|script| {
        for request in [1, 2] {
            script.began(request, Some(OLD));
            script.act(request, Act::TakeOut(A), value(&[1]), |_| {});
        }
    });
    assert_eq!(broken, ["what is taken out is taken once"]);
}

#[test]
fn what_a_failed_finish_did_not_save_and_a_task_did() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Set(B, 2, None));
        script.trace.history.faults.push(fault());
        script.act(1, Act::Finish, failed(ErrorKind::Unavailable), |script| script.refused(1, OLD));
        script.act(1, Act::Save, Outcome::Done, |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), record(&[(A, &[1]), (B, &[2])]));
        });
    });
    assert_eq!(broken, ["what a failed finish did not save is never saved"]);
}

#[test]
fn an_update_that_failed_and_happened() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.trace.history.faults.push(fault());
        script.act(1, Act::Update(A, 2), failed(ErrorKind::Unavailable), |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), record(&[(A, &[1, 2])]));
        });
    });
    assert_eq!(broken, ["an error has no effect"]);
}

#[test]
fn a_failure_without_a_fault() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.act(1, Act::Get(A), failed(ErrorKind::Unavailable), |_| {});
    });
    assert_eq!(broken, ["nothing fails for nothing"]);
}

#[test]
fn a_session_that_nobody_ended_and_is_gone() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.finish(1, None, |script| script.remove(1, OLD, record(&[(A, &[1])])));
    });
    assert!(broken.contains(&"nobody ends a session unasked"), "{broken:?}");
}

#[test]
fn a_login_that_loses_what_another_wrote() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Regenerate);
        script.finish(1, Some(Sent::Id(NEW)), |script| {
            script.write(1, NEW, None, record(&[]));
            script.write(1, OLD, Some(record(&[(A, &[1])])), tombstone());
        });
    });
    assert_eq!(broken, ["regenerate takes everything along"]);
}

#[test]
fn a_login_that_leaves_nothing() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Regenerate);
        script.act(1, Act::Finish, failed(ErrorKind::Unavailable), |script| {
            script.write(1, NEW, None, record(&[(A, &[1])]));
            script.write(1, OLD, Some(record(&[(A, &[1])])), tombstone());
            script.refused(1, OLD);
            script.remove(1, NEW, record(&[(A, &[1])]));
        });
    });
    assert!(broken.contains(&"a regenerated session lives on"), "{broken:?}");
    assert!(broken.contains(&"the last cookie names a living session"), "{broken:?}");
}

#[test]
fn an_ended_session_that_is_read() {
    const BY_ITSELF: &str = "a machine reads no more what it has ended";
    const BY_ANYBODY: &str = "what has ended is read no more";
    let read = |script: &mut Script| {
        script.regenerate(1, record(&[(A, &[1])]));
        script.began(2, Some(OLD));
        script.act(2, Act::Get(A), value(&[1]), |_| {});
    };
    assert_eq!(broken(read), [BY_ITSELF, BY_ANYBODY]);
    let on_another_machine = broken(|script| {
        script.trace.history.requests[2].machine = 1;
        read(script);
    });
    assert_eq!(on_another_machine, [BY_ANYBODY]);
    let beside_astro = broken(|script| {
        script.trace.history.requests[0].site = Site::Astro;
        read(script);
    });
    assert_eq!(beside_astro, [BY_ITSELF]);
}

#[test]
fn a_server_in_rust_that_is_taken_for_astro() {
    let told = |script: &mut Script| script.told("revived");
    assert_eq!(broken(told), ["nobody is taken for Astro"]);
    let beside_astro = broken(|script| {
        script.trace.history.requests[0].site = Site::Astro;
        told(script);
    });
    assert!(beside_astro.is_empty(), "{beside_astro:?}");
}

#[test]
fn an_end_that_comes_back_with_a_write_that_was_not_told_of() {
    let ending = |key, tag| Entry {
        expires: Some(moment(10_000)),
        ..record(&[(key, &[tag])]).entries.remove(0)
    };
    let with_end = |tag| Content { entries: vec![ending(A, tag)], ..record(&[]) };
    let told = |script: &mut Script, own: u32, is_told: bool| {
        script.began(1, Some(OLD));
        script.done(1, Act::Set(A, own, Some(Duration::from_secs(10))));
        script.act(1, Act::Save, failed(ErrorKind::Unavailable), |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), with_end(2));
            if !is_told {
                script.not_told();
            }
        });
        script.finish(1, None, |script| {
            script.write(1, OLD, Some(record(&[(A, &[3])])), with_end(2));
        });
        script.told("lost_key");
    };
    const NOBODY: &str = "nobody is taken for Astro";
    assert!(!broken(|script| told(script, 2, false)).contains(&NOBODY));
    // Not where all is told, nor by what others have set.
    assert!(broken(|script| told(script, 2, true)).contains(&NOBODY));
    assert!(broken(|script| told(script, 9, false)).contains(&NOBODY));
}

#[test]
fn an_ended_session_that_is_written() {
    let broken = broken(|script| {
        script.regenerate(1, record(&[(A, &[1])]));
        script.began(2, Some(OLD));
        script.write(2, OLD, Some(tombstone()), record(&[(A, &[1])]));
    });
    assert_eq!(broken, ["what has ended is written no more"]);
}

#[test]
fn data_that_crosses_a_destroy() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Destroy);
        script.done(1, Act::Set(B, 2, None));
        script.finish(1, Some(Sent::Id(NEW)), |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), tombstone());
            script.write(1, NEW, None, record(&[(A, &[1]), (B, &[2])]));
        });
    });
    assert_eq!(broken, ["nothing crosses a destroy", "a new session has nothing old"]);
}

#[test]
fn data_that_crosses_the_end_of_a_session() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.act(1, Act::Update(A, 2), value(&[1, 2]), |script| {
            script.write(1, NEW, None, record(&[(A, &[1, 2])]));
        });
        script.finish(1, Some(Sent::Id(NEW)), |_| {});
    });
    assert_eq!(broken, ["a new session has nothing old"]);
}

#[test]
fn a_cookie_over_anothers_login() {
    let broken = broken(|script| {
        script.regenerate(1, record(&[(A, &[1])]));
        script.began(2, Some(OLD));
        script.finish(2, Some(Sent::Id(OLD)), |_| {});
    });
    let expected = ["no cookie after another retired it", "the last cookie names a living session"];
    assert_eq!(broken, expected);
}

#[test]
fn a_deletion_over_anothers_login() {
    let broken = broken(|script| {
        script.regenerate(1, record(&[(A, &[1])]));
        script.began(2, Some(OLD));
        script.done(2, Act::Destroy);
        script.finish(2, Some(Sent::Deletion), |_| {});
    });
    let expected = ["no cookie after another retired it", "whoever ended it deletes the cookie"];
    assert_eq!(broken, expected);
}

#[test]
fn a_use_that_renews_no_cookie() {
    let broken = broken(|script| {
        script.trace.history.setup.max_age = Some(4);
        script.began(1, Some(OLD));
        script.done(1, Act::Set(A, 2, None));
        script.finish(1, None, |script| {
            script.write(1, OLD, Some(record(&[(A, &[1])])), record(&[(A, &[2])]));
        });
    });
    assert_eq!(broken, ["use renews the cookie"]);
}

#[test]
fn a_cookie_that_names_nothing() {
    let broken = broken(|script| {
        script.began(1, None);
        script.finish(1, Some(Sent::Id(NEW)), |_| {});
    });
    assert!(broken.contains(&"a cookie names a living session"), "{broken:?}");
}

#[test]
fn a_logout_that_nobody_did() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.act(1, Act::Save, failed(ErrorKind::Destroyed), |_| {});
    });
    assert_eq!(broken, ["destroyed is said only where another ended it"]);
}

#[test]
fn an_update_of_what_was_there_once() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.act(1, Act::Peek(A), value(&[7]), |_| {});
    });
    assert_eq!(broken, ["an update sees what is stored"]);
}

#[test]
fn a_reload_of_what_was_there_once() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.act(1, Act::Reload, Outcome::Bool(true), |_| {});
        script.act(1, Act::Get(A), value(&[7]), |_| {});
    });
    assert_eq!(broken, ["a reload sees what is stored"]);
}

#[test]
fn a_save_of_what_another_has_ended() {
    let broken = broken(|script| {
        script.regenerate(1, record(&[(A, &[1])]));
        script.began(2, Some(OLD));
        script.act(2, Act::Save, Outcome::Done, |_| {});
    });
    assert_eq!(broken, ["a save confirms that the session is there"]);
}

#[test]
fn a_record_that_nobody_knows() {
    let broken = broken(|script| {
        script.began(1, None);
        script.done(1, Act::Set(A, 2, None));
        script.act(1, Act::Finish, failed(ErrorKind::Destroyed), |script| {
            script.write(1, NEW, None, record(&[(A, &[2])]));
        });
    });
    assert!(broken.contains(&"no record is left that nobody can name"), "{broken:?}");
}

#[test]
fn a_record_that_lives_too_long() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.done(1, Act::Set(A, 2, Some(SECOND)));
        script.finish(1, None, |script| {
            let mut after = record(&[(A, &[2])]);
            after.entries[0].expires = Some(moment(1_000));
            script.write_for(1, OLD, Some(record(&[(A, &[1])])), after, Some(SECOND * 9));
        });
    });
    assert_eq!(broken, ["a record lives as long as it is meant to"]);
}

#[test]
fn a_touch_that_cuts_a_record_short() {
    let broken = broken(|script| {
        script.began(1, Some(OLD));
        script.touch(1, OLD, record(&[(A, &[1])]), SECOND);
    });
    assert_eq!(broken, ["a touch cuts nothing short"]);
}

#[test]
fn a_use_that_keeps_nothing_alive() {
    let mut script = Script::new();
    script.trace.history.setup.idle = Some(SECOND * 8);
    script.began(1, Some(OLD));
    script.write_for(1, OLD, Some(record(&[(A, &[1])])), record(&[(A, &[1])]), Some(SECOND * 4));
    script.finish(1, None, |_| {});
    let broken = script.broken();
    assert!(broken.contains(&"use moves the idle deadline"), "{broken:?}");
}

#[test]
fn a_task_that_waits_for_ever() {
    let mut script = Script::new();
    script.trace.hung = 1;
    assert_eq!(script.broken(), ["nothing hangs"]);
}
