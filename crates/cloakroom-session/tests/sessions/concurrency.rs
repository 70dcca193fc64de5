//! Two requests, or two hundred, at once.

use std::collections::BTreeSet;

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind, Session};
use tokio::task::JoinSet;

async fn push(session: &Session, item: String) -> Vec<String> {
    session.update("cart", |cart: &mut Vec<String>| cart.push(item.clone())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_concurrent_updates_leave_two_hundred_items() {
    let site = Site::new().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let mut requests = JoinSet::new();
    for number in 0..200 {
        let site = site.clone();
        requests.spawn(async move {
            let session = site.request(id);
            push(&session, format!("item-{number}")).await;
            session.finish().await.unwrap();
        });
    }
    while let Some(outcome) = requests.join_next().await {
        outcome.unwrap();
    }
    let cart: Vec<String> = site.request(id).get("cart").await.unwrap().unwrap();
    assert_eq!(cart.iter().collect::<BTreeSet<_>>().len(), 200);
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_within_one_request_lose_nothing_either() {
    let site = Site::new().await;
    let session = site.visitor();
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let session = session.clone();
        tasks.spawn(async move { push(&session, format!("item-{number}")).await });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
    assert_eq!(session.get::<Vec<String>>("cart").await.unwrap().unwrap().len(), 50);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn a_conflict_is_merged_key_by_key_and_the_same_key_goes_to_the_last_writer() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1"), ("b", "1")]).await;
    site.before_set(move |site| async move {
        let other = site.request(id);
        other.set("a", "other").unwrap();
        other.set("c", "other").unwrap();
        other.delete("b");
        other.finish().await.unwrap();
    });
    let session = site.request(id);
    session.set("a", "mine").unwrap();
    session.finish().await.unwrap();
    let session = site.request(id);
    assert_eq!(session.keys().await.unwrap(), ["a", "c"]);
    assert_eq!(session.get::<String>("a").await.unwrap().as_deref(), Some("mine"));
}

#[tokio::test]
async fn a_logout_between_load_and_write_is_not_undone() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    site.before_set(move |site| async move { site.log_out(id).await });
    let session = site.request(id);
    session.set("lastVisit", "now").unwrap();
    assert_eq!(session.finish().await.unwrap().set_cookie, None, "the logout has told the browser");
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn an_explicit_save_or_update_says_that_the_session_was_destroyed() {
    let site = Site::new().await;
    for explicit_save in [true, false] {
        let id = site.stored(&[("user", "Ann")]).await;
        site.before_set(move |site| async move { site.log_out(id).await });
        let session = site.request(id);
        let error = if explicit_save {
            session.set("a", "1").unwrap();
            session.save().await.unwrap_err()
        } else {
            session.update("a", |value: &mut u32| *value += 1).await.unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::Destroyed);
        session.finish().await.unwrap();
        assert_eq!(site.records().await, 0);
    }
}

#[tokio::test]
async fn a_write_that_regenerate_did_not_see_is_taken_along() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    site.before_remove(move |site| async move {
        let other = site.request(id);
        other.set("b", "late").unwrap();
        other.finish().await.unwrap();
    });
    let session = site.request(id);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    session.finish().await.unwrap();
    let session = site.request(session.id().unwrap());
    assert_eq!(session.keys().await.unwrap(), ["b", "a", "user"]);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn of_two_concurrent_regenerates_one_wins_and_one_record_is_left() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    site.before_remove(move |site| async move {
        let other = site.request(id);
        other.regenerate().await.unwrap();
        other.finish().await.unwrap();
    });
    let session = site.request(id);
    session.regenerate().await.unwrap();
    let error = session.finish().await.expect_err("the winner's cookie stands");
    assert_eq!(error.kind(), ErrorKind::Destroyed, "who lost is not told that all is well");
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn a_regenerate_of_a_session_that_was_destroyed_meanwhile_revives_nothing() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    site.before_set(move |site| async move { site.log_out(id).await });
    let session = site.request(id);
    session.regenerate().await.unwrap();
    assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Destroyed);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_destroy_while_the_same_requests_save_is_under_way_wins() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    let other = session.clone();
    site.before_set(move |_| async move { other.destroy() });
    session.save().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(session.id(), None);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn a_set_while_a_save_is_under_way_is_saved_by_the_next() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    let other = session.clone();
    site.before_set(move |_| async move { other.set("a", "2").unwrap() });
    session.save().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.read(session.id().unwrap(), "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_javascript_writer_between_load_and_write_is_noticed() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    site.before_set(move |site| async move {
        let astro = r#"[["Map",1,2,4,5],"a",{"data":3,"expires":-1},"1","b",{"data":6,"expires":-1},"astro"]"#;
        site.write_raw(id, astro).await;
    });
    let session = site.request(id);
    session.set("c", "rust").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap(), ["c", "a", "b"]);
}

#[tokio::test]
async fn a_driver_that_cannot_compare_still_merges_what_it_sees_before_the_write() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    let id = site.stored(&[("a", "1")]).await;
    let (first, second) = (site.request(id), site.request(id));
    first.get::<String>("a").await.unwrap();
    second.get::<String>("a").await.unwrap();
    first.set("b", "first").unwrap();
    second.set("c", "second").unwrap();
    first.finish().await.unwrap();
    second.finish().await.unwrap();
    assert_eq!(site.request(id).keys().await.unwrap(), ["a", "b", "c"]);

    let late = site.request(id);
    late.get::<String>("a").await.unwrap();
    site.log_out(id).await;
    late.set("a", "2").unwrap();
    late.finish().await.unwrap();
    assert_eq!(site.records().await, 0, "a logout is not undone");
}

#[tokio::test]
async fn a_store_that_learns_to_compare_is_written_to_on_conditions_from_then_on() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    let id = site.stored(&[("a", "1")]).await;
    site.learn_to_compare();
    site.before_set(move |site| async move {
        let other = site.request(id);
        other.set("b", "other").unwrap();
        other.finish().await.unwrap();
    });
    let session = site.request(id);
    session.set("a", "2").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "a").await.as_deref(), Some("2"));
    assert_eq!(site.read(id, "b").await.as_deref(), Some("other"), "it was written over");
}
