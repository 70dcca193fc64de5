//! What is left of a session whose commit fails half way, is given up in the middle, or is overtaken by another
//! task of the same request.

use std::collections::BTreeMap;
use std::future::pending;

use crate::common::{Site, interrupt};
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind};

#[tokio::test]
async fn a_regenerate_given_up_between_its_two_writes_leaves_one_record_after_the_next_attempt() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    site.before_remove(|_| pending());
    interrupt(session.finish()).await;
    assert_eq!(site.read(old, "user").await.as_deref(), Some("Ann"), "a session is left, not none");

    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    let new = session.id().unwrap();
    assert!(cookie.contains(&new.to_string()));
    assert_eq!(site.read(new, "user").await.as_deref(), Some("Ann"));
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn a_destroy_after_a_commit_that_was_given_up_leaves_no_record() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    site.before_remove(|_| pending());
    interrupt(session.finish()).await;
    session.destroy();
    session.finish().await.unwrap();
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_second_regenerate_after_one_that_was_given_up_leaves_one_record() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    site.before_remove(|_| pending());
    interrupt(session.finish()).await;
    session.regenerate().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.read(session.id().unwrap(), "user").await.as_deref(), Some("Ann"));
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn a_regenerate_whose_removal_fails_sends_no_cookie_and_leaves_the_old_session() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    site.set_fail_removals(true);
    assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(site.read(old, "user").await.as_deref(), Some("Ann"));
}

#[tokio::test]
async fn a_save_after_a_regenerate_is_taken_back_where_its_request_is_given_up() {
    for finishes in [true, false] {
        let site = Site::new().await;
        let old = site.stored(&[("user", "Ann")]).await;
        let session = site.request(old);
        session.regenerate().await.unwrap();
        session.save().await.unwrap();
        assert_eq!(site.fate(old).await, Some("moved"));
        if finishes {
            session.finish().await.unwrap();
            let new = session.id().unwrap();
            assert_eq!(site.read(new, "user").await.as_deref(), Some("Ann"));
            assert_eq!(site.records().await, 1);
            continue;
        }
        drop(session);
        for _ in 0..1_000 {
            if site.raw(old).await.is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert_eq!(site.read(old, "user").await.as_deref(), Some("Ann"), "the browser has this ID");
        site.settled(1).await;
    }
}

#[tokio::test]
async fn a_write_that_was_given_up_is_made_by_the_next_commit() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let session = site.request(id);
    session.set("a", "2").unwrap();
    site.before_set(|_| pending());
    interrupt(session.save()).await;
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_logout_that_fails_is_made_by_the_next_commit() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.destroy();
    site.set_fail_removals(true);
    assert!(session.finish().await.is_err(), "no deletion of the cookie without one of the record");
    assert!(session.is_changed());
    site.set_fail_removals(false);
    session.finish().await.unwrap();
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_logout_happens_even_where_the_write_of_the_next_session_fails() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.destroy();
    session.set("flash", "bye").unwrap();
    site.set_fail_writes(true);
    session.finish().await.unwrap_err();
    assert_eq!(site.raw(id).await, None);
}

#[tokio::test]
async fn the_cookie_names_a_stored_session_even_where_another_task_began_one_during_the_commit() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    let other = session.clone();
    site.before_set(move |_| async move {
        other.destroy();
        other.set("b", "2").unwrap();
    });
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    let id = session.id().unwrap();
    assert!(cookie.contains(&id.to_string()));
    assert_eq!(site.read(id, "b").await.as_deref(), Some("2"));
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn nothing_begins_behind_a_logout_elsewhere_that_came_before_ones_own() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.set("a", "1").unwrap();
    let same_request = session.clone();
    site.before_set(move |site| async move {
        site.log_out(id).await;
        same_request.destroy();
        same_request.set("b", "2").unwrap();
    });
    let finished = session.finish().await.unwrap();
    assert_eq!(finished.set_cookie, None, "the other logout has told the browser");
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn an_update_whose_value_cannot_be_stored_changes_nothing() {
    let site = Site::new().await;
    let session = site.visitor();
    let poison = |map: &mut BTreeMap<String, u32>| {
        map.insert("__proto__".into(), 1);
    };
    let error = session.update("map", poison).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSerializable);
    assert!(!session.has("map").await.unwrap());
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn an_update_of_another_type_changes_nothing() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "text")]).await;
    let session = site.request(id);
    let error = session.update("a", |number: &mut u32| *number += 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get"]);
}

#[tokio::test]
async fn a_session_destroyed_in_this_request_cannot_be_loaded_again() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.destroy();
    assert!(!session.load(&id.to_string()).await.unwrap());
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    assert!(cookie.starts_with("astro-session=deleted"), "{cookie}");
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_load_after_a_regenerate_leaves_the_old_id_dead() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    let other = site.stored(&[("user", "Bob")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    assert!(session.load(&other.to_string()).await.unwrap());
    session.finish().await.unwrap();
    assert_eq!(site.raw(old).await, None);
    assert_eq!(site.read(other, "user").await.as_deref(), Some("Bob"));
}

#[tokio::test]
async fn an_update_on_a_driver_that_cannot_compare_starts_from_the_newest_value() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    let id = site.stored(&[("theme", "dark")]).await;
    let push = |item: &'static str| move |cart: &mut Vec<String>| cart.push(item.into());
    let (first, second) = (site.request(id), site.request(id));
    first.get::<Vec<String>>("cart").await.unwrap();
    second.update("cart", push("hat")).await.unwrap();
    assert_eq!(first.update("cart", push("scarf")).await.unwrap(), ["hat", "scarf"]);
}

#[tokio::test]
async fn a_driver_that_cannot_compare_says_that_the_session_was_destroyed_as_the_others_do() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    for explicit_save in [true, false] {
        let id = site.stored(&[("user", "Ann")]).await;
        let (session, other) = (site.request(id), site.request(id));
        session.get::<String>("user").await.unwrap();
        other.destroy();
        other.finish().await.unwrap();
        let outcome = if explicit_save {
            session.set("a", "1").unwrap();
            session.save().await
        } else {
            session.update("a", |value: &mut u32| *value += 1).await.map(drop)
        };
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Destroyed);
        session.finish().await.unwrap();
        assert_eq!(site.records().await, 0);
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_made_again_and_leaves_one_record() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    site.set_lose_answers(true);
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Unavailable);
    site.set_lose_answers(false);
    session.finish().await.unwrap();
    let id = session.id().unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("1"));
    assert_eq!(site.records().await, 1);

    let session = site.request(id);
    session.set("a", "2").unwrap();
    site.set_lose_answers(true);
    session.save().await.unwrap_err();
    site.set_lose_answers(false);
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_new_session_that_is_emptied_after_its_answer_was_lost_leaves_no_record() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    site.set_lose_answers(true);
    session.save().await.unwrap_err();
    site.set_lose_answers(false);
    session.delete("a");
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
    assert_eq!(site.records().await, 0);
}
