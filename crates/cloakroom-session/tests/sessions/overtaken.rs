//! Requests that others, their own tasks, or clients that go away overtake in the middle.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::common::{Site, interrupt};
use cloakroom_session::adapter::{Commit, LateCommit, Scope};
use cloakroom_session::{Config, Error, ErrorKind, OutagePolicy, Session, SessionId};
use tokio::sync::Notify;

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

async fn log_in(site: &Site, id: SessionId) -> SessionId {
    let session = site.request(id);
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    session.id().unwrap()
}

fn idle() -> Config {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(3600));
    config.touch_interval = Some(Duration::from_millis(50));
    config
}

// ---- 1

#[tokio::test]
async fn a_touch_of_a_tombstone_brings_the_old_cookie_over_a_logins() {
    let mut config = idle();
    config.cookie.max_age = Some(3600);
    let site = Site::with(config).await;
    let old = site.stored(&[("theme", "dark")]).await;
    let view = site.request(old);
    view.get::<String>("theme").await.unwrap();
    pause(100).await;
    log_in(&site, old).await;
    assert_eq!(view.finish().await.unwrap().set_cookie, None);
}

#[tokio::test]
async fn a_loaded_session_that_was_ended_is_not_handed_out_with_idle() {
    let site = Site::with(idle()).await;
    let other = site.stored(&[("a", "1")]).await;
    pause(100).await;
    let session = site.visitor();
    assert!(session.load(&other.to_string()).await.unwrap());
    site.log_out(other).await;
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
}

#[tokio::test]
async fn a_socket_that_saves_learns_of_a_logout() {
    let site = Site::with(idle()).await;
    let id = site.stored(&[("user", "Ann")]).await;
    let socket = site.request(id);
    socket.get::<String>("user").await.unwrap();
    socket.finish().await.unwrap();
    site.log_out(id).await;
    for _ in 0..5 {
        pause(100).await;
        assert!(socket.save().await.unwrap_err().is_destroyed());
    }
}

// ---- 2

#[tokio::test]
async fn a_set_beside_the_retirement_that_cannot_be_stored_does_not_cost_the_session() {
    let mut config = Config::new("memory");
    config.max_size = 2000;
    let site = Site::with(config).await;
    let old = site.stored(&[("cart", &"x".repeat(1000))]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    let task = session.clone();
    site.before_remove(|_| async move { task.set("note", &"y".repeat(1200)).unwrap() });
    // The login has happened. What came during it is the late commit's, which says that it is too large.
    assert!(session.finish().await.unwrap().set_cookie.is_some());
    assert!(session.is_changed());
    assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::TooLarge);
    assert_eq!(site.read(session.id().unwrap(), "cart").await.map(|cart| cart.len()), Some(1000));
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn a_client_that_goes_away_while_the_answer_is_lost_keeps_its_session() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    let go = Arc::new(Notify::new());
    let waits = Arc::clone(&go);
    site.before_remove(move |_| async move { waits.notified().await });
    site.set_lose_removals(true);
    interrupt(Scope::Session(session).finish()).await;
    go.notify_one();
    pause(300).await;
    site.set_lose_removals(false);
    pause(4_000).await;
    assert_eq!(site.records().await, 1, "the old ID is retired and the new record removed");
}

#[tokio::test]
async fn a_client_that_goes_away_before_a_store_that_cannot_expire_keeps_its_session() {
    let site = Site::that_cannot_expire(Config::new("memory")).await.unwrap();
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    let go = Arc::new(Notify::new());
    let waits = Arc::clone(&go);
    site.before_remove(move |_| async move { waits.notified().await });
    interrupt(Scope::Session(session).finish()).await;
    go.notify_one();
    pause(1_500).await;
    assert_eq!(site.records().await, 1);
}

#[tokio::test]
async fn the_same_in_doubt() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    let go = Arc::new(Notify::new());
    let waits = Arc::clone(&go);
    site.before_remove(move |site| async move {
        waits.notified().await;
        site.set_down(true);
    });
    interrupt(Scope::Session(session).finish()).await;
    go.notify_one();
    pause(200).await;
    site.set_down(false);
    pause(4_000).await;
    assert_eq!(site.read(old, "cart").await.as_deref(), Some("scarf"), "the browser has this ID");
}

#[tokio::test]
async fn a_write_that_fails_after_ones_own_retirement_does_not_cost_the_session() {
    let site = Site::new().await;
    let old = site.stored(&[("cart", "scarf")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    site.set_stuck_after_removal(true);
    interrupt(session.finish()).await;
    site.set_stuck_after_removal(false);
    session.set("x", "1").unwrap();
    site.set_fail_writes(true);
    session.finish().await.unwrap_err();
    site.set_fail_writes(false);
    drop(session);
    pause(3_000).await;
    assert_eq!(site.records().await, 1);
}

// ---- 3

#[tokio::test]
async fn updates_beside_a_regenerate_are_counted_or_told() {
    for is_before in [true, false] {
        let site = Site::new().await;
        let old = site.stored(&[("a", "1")]).await;
        let (login, other) = (site.request(old), site.request(old));
        login.regenerate().await.unwrap();
        let count =
            async |session: &Session| session.update("hits", |hits: &mut u32| *hits += 1).await;
        if is_before {
            count(&other).await.unwrap();
        }
        count(&login).await.unwrap();
        if !is_before {
            assert!(count(&other).await.unwrap_err().is_destroyed());
        }
        login.finish().await.unwrap();
        let hits = site.request(login.id().unwrap()).get::<u32>("hits").await.unwrap();
        assert_eq!(hits, Some(1 + u32::from(is_before)), "the other's first: {is_before}");
    }
}

#[tokio::test]
async fn a_code_is_used_once_beside_a_regenerate() {
    let site = Site::new().await;
    let old = site.stored(&[("code", "4711")]).await;
    let (login, other) = (site.request(old), site.request(old));
    login.regenerate().await.unwrap();
    let take = async |session: &Session| {
        session
            .try_update("code", |code: &mut Option<String>| Ok::<_, Error>(code.take().is_some()))
            .await
            .unwrap()
    };
    assert!(take(&other).await);
    let again = take(&login).await;
    let finished = login.finish().await;
    assert!(!again || finished.is_err(), "used twice, and 200");
}

#[tokio::test]
async fn a_save_after_a_regenerate_asks_whether_the_session_is_there() {
    let site = Site::new().await;
    let old = site.stored(&[("a", "1")]).await;
    let session = site.request(old);
    session.regenerate().await.unwrap();
    site.log_out(old).await;
    assert!(session.save().await.is_err());
}

#[tokio::test]
async fn a_set_beside_an_update_wins_after_a_regenerate_too() {
    for regenerate in [false, true] {
        let site = Site::new().await;
        let session = site.request(site.stored(&[("a", "1")]).await);
        session.get::<String>("a").await.unwrap();
        if regenerate {
            session.regenerate().await.unwrap();
        }
        let task = session.clone();
        site.before_set(move |_| async move { task.set("k", &99u32).unwrap() });
        session.update("k", |k: &mut u32| *k += 1).await.unwrap();
        session.finish().await.unwrap();
        let k = site.request(session.id().unwrap()).get::<u32>("k").await.unwrap();
        assert_eq!(k, Some(99), "regenerated: {regenerate}");
    }
}

// ---- 4

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nothing() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(2));
    config.touch_interval = Some(Duration::from_millis(100));
    let site = Site::with(config).await;
    let session = site.request(site.stored(&[("a", "1")]).await);
    session.get::<String>("a").await.unwrap();
    session.finish().await.unwrap();
    let mut late: LateCommit<&str> = Scope::Session(session.clone()).late();
    pause(1_200).await;
    session.get::<String>("a").await.unwrap();
    site.stall_touch_for(Duration::from_millis(5));
    // The server asks for one piece, and for no more: the client does not read.
    let piece = std::future::poll_fn(|context| {
        late.poll(context, |_| Poll::Ready(Some((Ok::<_, Error>("x"), false))))
    });
    assert!(piece.await.is_some());
    let other_task = session.update("n", |n: &mut u32| *n += 1);
    assert!(tokio::time::timeout(Duration::from_secs(3), other_task).await.is_ok());
}

// ---- 5
fn goes_on(site: &Site, task: Session, left: u32) {
    site.before_set(move |site| async move {
        task.set("progress", &left).unwrap();
        if left > 0 {
            goes_on(&site, task, left - 1);
        }
    });
}

#[tokio::test]
async fn a_task_that_goes_on_setting_does_not_hold_up_the_response() {
    for how in ["finish", "regenerate, finish", "save"] {
        let site = Site::new().await;
        let session = site.request(site.stored(&[("a", "1")]).await);
        session.get::<String>("a").await.unwrap();
        if how.starts_with("regenerate") {
            session.regenerate().await.unwrap();
        }
        session.set("user", "Ann").unwrap();
        goes_on(&site, session.clone(), 5_000);
        if how == "save" {
            session.save().await.unwrap()
        } else {
            session.finish().await.map(drop).unwrap()
        }
        let calls = site.calls().len();
        assert!(calls < 100, "{how}: {calls} calls");
    }
}

// ---- 6

#[tokio::test]
async fn loading_ones_own_new_id_keeps_its_record() {
    for how in ["", "regenerate", "destroy"] {
        let site = Site::new().await;
        let session = site.request(site.stored(&[("a", "1")]).await);
        session.regenerate().await.unwrap();
        session.save().await.unwrap();
        let id = session.id().unwrap();
        match how {
            "regenerate" => session.regenerate().await.unwrap(),
            "destroy" => session.destroy(),
            _ => {}
        }
        if session.load(&id.to_string()).await.unwrap() {
            let cookie = session.finish().await.unwrap().set_cookie.unwrap();
            assert!(cookie.contains(&id.to_string()));
            assert_eq!(site.records().await, 1, "{how}: the cookie names nothing");
        }
    }
}

#[tokio::test]
async fn an_id_that_was_told_and_ended_is_not_handed_out() {
    let site = Site::new().await;
    let session = site.visitor();
    session.update("n", |n: &mut u32| *n += 1).await.unwrap();
    site.log_out(session.id().unwrap()).await;
    assert_eq!(session.finish().await.unwrap().set_cookie, None);
}

#[tokio::test]
async fn nor_after_a_regenerate() {
    for set in [false, true] {
        let site = Site::new().await;
        let session = site.request(site.stored(&[("a", "1")]).await);
        session.regenerate().await.unwrap();
        session.save().await.unwrap();
        site.log_out(session.id().unwrap()).await;
        if set {
            session.set("b", "2").unwrap();
        }
        site.calls();
        let cookie = session.finish().await.map(|finished| finished.set_cookie);
        let calls = site.calls().len();
        assert!(calls < 50, "{calls} calls, {:?}", cookie.map_err(|error| error.kind()));
        assert_eq!(cookie.unwrap_or_default(), None, "set: {set}");
    }
}

#[tokio::test]
async fn what_another_wrote_to_an_id_that_was_told_stays() {
    let site = Site::new().await;
    let session = site.request(site.stored(&[("a", "1")]).await);
    session.regenerate().await.unwrap();
    session.save().await.unwrap();
    let id = session.id().unwrap();
    let other = site.request(id);
    other.set("x", "1").unwrap();
    other.save().await.unwrap();
    session.set("y", "1").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.read(id, "x").await.as_deref(), Some("1"));
}

// ---- 7

#[tokio::test]
async fn an_id_that_nobody_was_told_leaves_no_record() {
    let site = Site::new().await;
    let session = site.visitor();
    assert!(session.id().is_none());
    session.update("n", |n: &mut u32| *n += 1).await.unwrap();
    session.set("x", "1").unwrap();
    site.set_fail_writes(true);
    session.finish().await.unwrap_err();
    site.set_fail_writes(false);
    drop(session);
    site.settled(0).await;
}

// ---- 8

#[tokio::test]
async fn a_logout_beside_a_login_is_no_success() {
    let site = Site::new().await;
    let old = site.stored(&[("user", "Ann")]).await;
    let logout = site.request(old);
    logout.get::<String>("user").await.unwrap();
    let new = log_in(&site, old).await;
    logout.destroy();
    let finished = logout.finish().await;
    assert!(
        finished.is_err() || site.raw(new).await.is_none(),
        "200, no cookie, and Ann is logged in"
    );
}

// ---- 11

#[tokio::test]
async fn over_is_not_destroyed() {
    for javascript in [false, true] {
        let mut config = Config::new("memory");
        config.absolute = Some(Duration::from_millis(400));
        let site = match javascript {
            true => Site::with(config).await,
            false => Site::that_cannot_expire(config).await.unwrap(),
        };
        let id = site.stored(&[("a", "1")]).await;
        if javascript {
            site.write_raw(id, &site.raw(id).await.unwrap()).await;
        }
        let session = site.request(id);
        session.get::<String>("a").await.unwrap();
        pause(500).await;
        assert!(!session.reload().await.unwrap());
        session.set("user", "Ann").unwrap();
        assert!(session.finish().await.unwrap().set_cookie.is_some(), "dropped, with 200");
    }
}

#[tokio::test]
async fn an_empty_session_that_expires_is_not_destroyed() {
    let mut config = Config::new("memory");
    config.ttl = Some(Duration::from_millis(300));
    let site = Site::with(config).await;
    let visitor = site.visitor();
    visitor.regenerate().await.unwrap();
    visitor.finish().await.unwrap();
    let session = site.request(visitor.id().unwrap());
    session.get::<String>("a").await.unwrap();
    pause(400).await;
    session.set("user", "Ann").unwrap();
    assert!(session.finish().await.unwrap().set_cookie.is_some(), "dropped, with 200");
}

// ---- 12

#[tokio::test]
async fn a_save_after_an_outage_asks() {
    let mut config = Config::new("memory");
    config.outage = OutagePolicy::ReadOnly;
    let site = Site::with(config).await;
    let id = site.stored(&[("user", "Ann")]).await;
    site.read(id, "user").await;
    site.set_down(true);
    let socket = site.request(id);
    socket.get::<String>("user").await.unwrap();
    socket.finish().await.unwrap();
    site.set_down(false);
    site.log_out(id).await;
    assert!(socket.save().await.is_err());
}

// ---- 13

#[test]
fn an_update_that_sets_its_own_key_ends() {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let session = Site::new().await.visitor();
            let clone = session.clone();
            let update = session.update("n", |_: &mut u32| clone.set("n", &7u32).unwrap());
            tell.send(tokio::time::timeout(Duration::from_millis(500), update).await.is_ok())
                .unwrap();
        });
    });
    assert!(
        told.recv_timeout(Duration::from_secs(5)).is_ok(),
        "the thread never comes back; the deadline does not fire"
    );
}

// ---- 15

#[tokio::test]
async fn an_update_that_says_ok_has_stored_something() {
    let site = Site::new().await;
    let session = site.request("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11");
    let go = Arc::new(Notify::new());
    let waits = Arc::clone(&go);
    site.before_answer(move |_| async move { waits.notified().await });
    let task = session.clone();
    let update = tokio::spawn(async move { task.update("n", |n: &mut u32| *n += 1).await });
    pause(20).await;
    interrupt(Scope::Session(session).finish()).await; // The client goes away.
    go.notify_one();
    let told = update.await.unwrap();
    assert!(told.is_err() || site.calls().contains(&"set"), "Ok, and there was no write");
}
