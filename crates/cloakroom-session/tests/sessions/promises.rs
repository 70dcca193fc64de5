//! What `set` and `update` accepted is stored, or whoever asked is told; what was refused is stored by nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, CookieHeaders, Error, ErrorKind, SetOptions};

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

#[tokio::test]
async fn what_expired_during_a_request_was_destroyed_by_nobody() {
    for regenerates in [false, true] {
        let site = Site::new().await;
        let visitor = site.visitor();
        let soon = SetOptions::new().ttl(Duration::from_millis(80));
        visitor.set_with("otp", "1234", soon).unwrap();
        visitor.finish().await.unwrap();
        let session = site.request(visitor.id().unwrap());
        assert_eq!(session.get::<String>("otp").await.unwrap().as_deref(), Some("1234"));
        pause(160).await;
        if regenerates {
            session.regenerate().await.unwrap();
        }
        session.set("user", "Ann").unwrap();
        let cookie = session.finish().await.unwrap().set_cookie.expect("a new session");
        let new = session.id().unwrap();
        assert!(cookie.contains(&new.to_string()));
        assert_eq!(site.request(new).keys().await.unwrap(), ["user"]);
        assert_eq!(site.records().await, 1);
    }
}

#[tokio::test]
async fn what_this_request_saved_itself_may_expire_before_its_end() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set_with("otp", "1234", SetOptions::new().ttl(Duration::from_millis(40))).unwrap();
    session.save().await.unwrap();
    pause(100).await;
    session.set("user", "Ann").unwrap();
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    assert_eq!(site.request(session.id().unwrap()).keys().await.unwrap(), ["user"]);
}

#[tokio::test]
async fn a_handle_that_outlives_its_session_is_told_that_it_expired() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set_with("otp", "1234", SetOptions::new().ttl(Duration::from_millis(60))).unwrap();
    session.finish().await.unwrap();
    pause(120).await;
    assert_eq!(session.get::<String>("otp").await.unwrap(), None, "time passes for it");
    session.set("user", "Ann").unwrap();
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Expired);
    let push = |cart: &mut Vec<String>| cart.push("hat".into());
    assert_eq!(session.update("cart", push).await.unwrap_err().kind(), ErrorKind::Expired);
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn what_was_set_before_a_destroy_does_not_reach_what_comes_after() {
    let site = Site::new().await;
    let id = site.stored(&[("n", "1")]).await;
    let session = site.request(id);
    session.set("user", "Ann").unwrap();
    let (task, once) = (session.clone(), AtomicBool::new(true));
    let hits = session
        .update("hits", |hits: &mut u32| {
            *hits += 1;
            if once.swap(false, Ordering::SeqCst) {
                task.destroy();
                task.set("farewell", "bye").unwrap();
            }
        })
        .await
        .unwrap();
    assert_eq!(hits, 1);
    session.finish().await.unwrap();
    let keys = site.request(session.id().unwrap()).keys().await.unwrap();
    assert_eq!(keys, ["farewell", "hits"]);
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn an_update_begins_no_session_that_no_cookie_can_name() {
    let site = Site::new().await;
    let id = site.stored(&[("n", "1")]).await;
    let session = site.request(id);
    session.get::<String>("n").await.unwrap();
    session.finish().await.unwrap();
    let (task, once) = (session.clone(), AtomicBool::new(true));
    let error = session
        .update("hits", |hits: &mut u32| {
            *hits += 1;
            if once.swap(false, Ordering::SeqCst) {
                task.destroy();
            }
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseStarted);
    session.save().await.unwrap();
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn what_a_task_sets_while_the_response_waits_for_the_commit_is_saved() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    let task = session.clone();
    site.before_set(move |_| async move { task.set("audit", "x").unwrap() });
    session.finish().await.unwrap();
    assert!(!session.is_changed());
    assert_eq!(site.request(session.id().unwrap()).keys().await.unwrap(), ["a", "audit"]);
}

#[tokio::test]
async fn a_read_does_not_end_what_another_request_has_just_written_where_nothing_is_compared() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(60));
    config.touch_interval = Some(Duration::ZERO);
    let site = Site::that_cannot_compare(config).await;
    let visitor = site.visitor();
    visitor.set_with("otp", "1", SetOptions::new().ttl(Duration::from_secs(20))).unwrap();
    visitor.finish().await.unwrap();
    let id = visitor.id().unwrap();
    let reader = site.request(id);
    reader.get::<String>("otp").await.unwrap();
    let writer = site.request(id);
    writer.set("user", "Ann").unwrap();
    writer.finish().await.unwrap();
    site.calls();
    reader.finish().await.unwrap();
    assert_eq!(site.calls(), Vec::<&str>::new(), "it knows of an older record");
}

#[tokio::test]
async fn a_regenerate_takes_along_what_is_stored_where_nothing_is_compared() {
    let site = Site::that_cannot_compare(Config::new("memory")).await;
    let id = site.stored(&[("cart", "scarf")]).await;
    let login = site.request(id);
    login.get::<String>("cart").await.unwrap();
    let add = site.request(id);
    add.set("cart", "scarf, hat").unwrap();
    add.finish().await.unwrap();
    login.regenerate().await.unwrap();
    login.set("user", "Ann").unwrap();
    login.finish().await.unwrap();
    let new = login.id().unwrap();
    assert_eq!(site.read(new, "cart").await.as_deref(), Some("scarf, hat"));
    assert_eq!(site.read(new, "user").await.as_deref(), Some("Ann"));
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_compared_with_the_store() {
    let site = Site::new().await;
    let id = site.stored(&[("leader", "A")]).await;
    let session = site.request(id);
    session.get::<String>("leader").await.unwrap();
    let other = site.request(id);
    other.set("leader", "B").unwrap();
    other.finish().await.unwrap();
    let elect = |leader: &mut String| {
        if leader.is_empty() {
            *leader = "A".into();
        }
    };
    assert_eq!(session.update("leader", elect).await.unwrap(), "B");
    site.log_out(id).await;
    assert_eq!(session.update("leader", elect).await.unwrap_err().kind(), ErrorKind::Destroyed);
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Destroyed);
}

#[tokio::test]
async fn an_update_that_read_just_now_asks_once() {
    let site = Site::new().await;
    let id = site.stored(&[("leader", "A")]).await;
    let session = site.request(id);
    session.update("leader", |_: &mut String| {}).await.unwrap();
    assert_eq!(site.calls(), ["get"]);
}

#[tokio::test]
async fn an_id_that_regenerate_left_is_not_loaded_again() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    assert!(!session.load(&old.to_string()).await.unwrap());
    assert_eq!(session.get::<String>("cart").await.unwrap().as_deref(), Some("scarf"));
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    assert!(cookie.contains(&session.id().unwrap().to_string()));
    assert_eq!(site.records().await, 1);
}

/// A first `set` beside the end of the request, on two threads, many times.
async fn race(begin: impl Fn(&cloakroom_session::Session)) {
    let site = Site::new().await;
    let stored = AtomicUsize::new(0);
    for round in 0..2_000 {
        let session = site.visitor();
        begin(&session);
        let (task, go) = (session.clone(), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&go);
        let setter = std::thread::spawn(move || {
            while !flag.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
            task.set("x", "1")
        });
        go.store(true, Ordering::Release);
        for _ in 0..(round % 200) * 5 {
            std::hint::spin_loop();
        }
        let cookie = session.finish().await.unwrap().set_cookie;
        match setter.join().unwrap() {
            Ok(()) => {
                assert!(cookie.is_some(), "round {round}: Ok, and nobody is told of the session");
                assert!(!session.is_changed(), "round {round}: Ok, and not saved");
                stored.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::ResponseStarted),
        }
    }
    assert_eq!(site.records().await, stored.into_inner());
}

#[tokio::test]
async fn a_first_set_beside_the_end_of_the_request_is_saved_or_refused() {
    race(|_| {}).await;
}

#[tokio::test]
async fn a_set_beside_the_end_of_a_session_that_was_emptied_again_is_saved_or_refused() {
    race(|session| {
        session.set("a", "1").unwrap();
        session.delete("a");
    })
    .await;
}

#[tokio::test]
async fn what_a_request_failed_to_save_is_saved_by_none_of_its_tasks() {
    let site = Site::new().await;
    let id = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(id);
    session.set("cart", "scarf, hat").unwrap();
    let task = session.clone();
    site.set_fail_writes(true);
    session.finish().await.unwrap_err();
    site.set_fail_writes(false);
    assert_eq!(task.update("audit", |n: &mut u32| *n += 1).await.unwrap(), 1);
    assert_eq!(site.read(id, "cart").await.as_deref(), Some("scarf"));
}

#[tokio::test]
async fn a_session_that_a_request_failed_to_begin_is_begun_by_none_of_its_tasks() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("cart", "scarf").unwrap();
    let task = session.clone();
    site.set_fail_writes(true);
    session.finish().await.unwrap_err();
    site.set_fail_writes(false);
    assert_eq!(task.set("x", "1").unwrap_err().kind(), ErrorKind::ResponseStarted);
    task.save().await.unwrap();
    assert_eq!(site.records().await, 0);
}

#[tokio::test]
async fn nothing_is_written_after_a_logout_that_failed() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.destroy();
    session.set("farewell", "bye").unwrap();
    site.set_fail_removals(true);
    session.finish().await.unwrap_err();
    assert_eq!(site.records().await, 1, "the one that could not be ended");
}

#[tokio::test]
async fn a_session_that_a_request_began_and_left_is_removed() {
    let site = Site::new().await;
    let other = site.stored(&[("user", "Ann")]).await;
    for leave in ["load", "destroy", "drop", "regenerate"] {
        let session = site.visitor();
        session.update("n", |n: &mut u32| *n += 1).await.unwrap();
        match leave {
            "load" => assert!(session.load(&other.to_string()).await.unwrap()),
            "destroy" => session.destroy(),
            "regenerate" => session.regenerate().await.unwrap(),
            _ => {}
        }
        if leave != "drop" {
            session.finish().await.unwrap();
        }
        let named = usize::from(leave == "regenerate");
        drop(session);
        site.settled(1 + named).await;
    }
}

#[tokio::test]
async fn an_update_keeps_the_deadline_that_the_entry_has() {
    let site = Site::new().await;
    let visitor = site.visitor();
    visitor.set_with("attempts", &0, SetOptions::new().ttl(Duration::from_secs(300))).unwrap();
    visitor.finish().await.unwrap();
    let id = visitor.id().unwrap();
    let deadline = |text: String| {
        let (_, last) = text.trim_end_matches(']').rsplit_once(',').unwrap();
        last.parse::<u64>().unwrap()
    };
    let before = deadline(site.raw(id).await.unwrap());
    let count = |attempts: &mut u32| *attempts += 1;
    assert_eq!(site.request(id).update("attempts", count).await.unwrap(), 1);
    let session = site.request(id);
    assert_eq!(session.update("attempts", count).await.unwrap(), 2);
    assert_eq!(session.update("attempts", count).await.unwrap(), 3);
    let text = site.raw(id).await.unwrap();
    assert_eq!(deadline(text.clone()), before, "{text}");
    assert!(site.last_ttl().unwrap() <= Duration::from_secs(301));

    let longer = SetOptions::new().ttl(Duration::from_secs(3600));
    site.request(id).update_with("attempts", longer, count).await.unwrap();
    assert!(deadline(site.raw(id).await.unwrap()) > before);
}

#[tokio::test]
async fn an_update_that_may_refuse_sees_whether_there_is_an_entry_and_gives_something_back() {
    let site = Site::new().await;
    let id = site.stored(&[("code", "4711")]).await;
    let take = |given: &'static str| {
        move |code: &mut Option<String>| match code.take_if(|code| code == given) {
            Some(_) => Ok(()),
            None if code.is_none() => Err("there is no code".to_owned()),
            None => Err("a wrong code".to_owned()),
        }
    };
    struct Refused(String);
    impl From<Error> for Refused {
        fn from(error: Error) -> Refused {
            Refused(error.to_string())
        }
    }
    let attempt = async |given: &'static str| {
        let session = site.request(id);
        session.try_update("code", |code| take(given)(code).map_err(Refused)).await
    };
    assert_eq!(attempt("1234").await.unwrap_err().0, "a wrong code");
    assert_eq!(site.calls(), ["get"], "nothing is written where it is refused");
    assert!(attempt("4711").await.is_ok());
    assert_eq!(attempt("4711").await.unwrap_err().0, "there is no code", "it is used once");
    assert_eq!(site.read(id, "code").await, None);
}

#[tokio::test]
async fn of_many_who_use_a_code_at_once_one_may() {
    let site = Site::new().await;
    let id = site.stored(&[("code", "4711")]).await;
    let mut tasks = Vec::new();
    for _ in 0..50 {
        let session = site.request(id);
        tasks.push(tokio::spawn(async move {
            session.get::<String>("code").await.unwrap();
            let used = session.try_update("code", |code: &mut Option<String>| {
                Ok::<_, Error>(code.take().is_some())
            });
            used.await.unwrap()
        }));
    }
    let mut used = 0;
    for task in tasks {
        used += usize::from(task.await.unwrap());
    }
    assert_eq!(used, 1);
}

#[tokio::test]
async fn a_handle_that_lives_long_looks_again() {
    let site = Site::new().await;
    let id = site.stored(&[("n", "1")]).await;
    let session = site.request(id);
    assert_eq!(session.get::<String>("n").await.unwrap().as_deref(), Some("1"));
    session.finish().await.unwrap();
    let other = site.request(id);
    other.set("n", "2").unwrap();
    other.finish().await.unwrap();
    session.set("own", "x").unwrap();
    assert_eq!(session.get::<String>("n").await.unwrap().as_deref(), Some("1"));
    assert!(session.reload().await.unwrap());
    assert_eq!(session.get::<String>("n").await.unwrap().as_deref(), Some("2"));
    assert_eq!(session.get::<String>("own").await.unwrap().as_deref(), Some("x"), "not saved yet");
    session.save().await.unwrap();
    site.log_out(id).await;
    assert!(!session.reload().await.unwrap());
    assert_eq!(session.get::<String>("n").await.unwrap(), None);
    assert_eq!(session.set("n", "3").unwrap_err().kind(), ErrorKind::Destroyed);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_a_socket_uses_is_not_idle() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(6));
    config.touch_interval = Some(Duration::from_secs(1));
    let site = Site::with(config).await;
    let id = site.stored(&[("n", "1")]).await;
    let session = site.request(id);
    session.get::<String>("n").await.unwrap();
    session.finish().await.unwrap();
    for _ in 0..12 {
        advance(Duration::from_secs(1)).await;
        session.set("n", "1").unwrap();
        session.save().await.unwrap();
    }
    advance(Duration::from_secs(5)).await;
    assert_eq!(site.read(id, "n").await.as_deref(), Some("1"));
}

/// Moves the store's clock. That of the records cannot be moved, so that a real moment passes too.
async fn advance(time: Duration) {
    tokio::time::advance(time).await;
}

#[tokio::test]
async fn a_cookie_with_a_max_age_is_renewed_where_the_deadline_moves() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(3600));
    config.touch_interval = Some(Duration::ZERO);
    config.cookie.max_age = Some(3600);
    let site = Site::with(config).await;
    let id = site.stored(&[("n", "1")]).await;
    let session = site.request(id);
    session.get::<String>("n").await.unwrap();
    let cookie = session.finish().await.unwrap().set_cookie.expect("its Max-Age begins anew");
    assert!(cookie.starts_with(&format!("astro-session={id}; Max-Age=3600")), "{cookie}");
    assert_eq!(
        site.sessions.session(CookieHeaders::default()).finish().await.unwrap().set_cookie,
        None
    );
}

#[tokio::test]
async fn a_cookie_lives_no_longer_than_its_session_may() {
    let mut config = Config::new("memory");
    config.absolute = Some(Duration::from_secs(600));
    config.cookie.max_age = Some(3600);
    let site = Site::with(config).await;
    let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() - 300_000;
    let id = site.stored(&[("n", "1")]).await;
    site.write_raw(
        id,
        &format!(r#"[["Map",1,2],"cloakroom.created",{{"data":3,"expires":-1}},{created}]"#),
    )
    .await;
    let session = site.request(id);
    session.set("n", "2").unwrap();
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    let seconds = cookie.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
    assert!((290..=300).contains(&seconds.parse::<u32>().unwrap()), "{cookie}");
}
