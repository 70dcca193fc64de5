//! A session's life: from one request to the next, through logins, errors and logouts.

use http::header;

use crate::server::id_of;
use crate::{Framework, Server};

/// With its cookie, and for nobody without it.
pub async fn a_session_lives_from_one_request_to_the_next<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    assert_eq!(server.name(&visitor).await, "Ann");
    assert_eq!(server.get("/read", None).await.text, "nobody");
}

/// The old ID is dead afterwards, and the data is kept.
pub async fn a_login_moves_the_session<F: Framework>() {
    let server = Server::start::<F>().await;
    let before = server.visitor("Ann").await;
    let after = server.get("/login", Some(&before)).await.cookie().unwrap();
    assert_ne!(id_of(&before), id_of(&after));
    assert_eq!(server.name(&before).await, "nobody");
    assert_eq!(server.name(&after).await, "Ann");
    assert_eq!(server.get("/keys", Some(&after)).await.text, "name,user");
}

/// The browser is told to forget, and the record is gone.
pub async fn a_logout_ends_the_session_and_deletes_the_cookie<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let answer = server.get("/logout", Some(&visitor)).await;
    assert_eq!(
        answer.all(header::SET_COOKIE),
        [
            "astro-session=deleted; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
        ]
    );
    assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
    assert_eq!(server.name(&visitor).await, "nobody");
}

/// A browser that presented no cookie has none to forget.
pub async fn a_logout_of_nobody_sends_no_cookie<F: Framework>() {
    let server = Server::start::<F>().await;
    assert!(server.get("/logout", None).await.cookie().is_none());
    assert_eq!(server.store.calls(), 0);
}

/// The status is the handler's business, and the session another.
pub async fn a_response_that_is_an_error_saves_the_session_and_sends_its_cookie<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/teapot", None).await;
    assert_eq!(answer.status, 418);
    assert_eq!(server.name(&answer.cookie().unwrap()).await, "Ann");
}

/// As with `?`: the framework makes a response of it, as good as any other.
pub async fn an_error_that_a_handler_returns_saves_the_session_and_sends_its_cookie<
    F: Framework,
>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/wrong", None).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.text, "This is not a session ID.");
    assert_eq!(answer.all(header::VARY), ["Cookie"]);
    assert_eq!(server.name(&answer.cookie().unwrap()).await, "Ann");
}

/// Neither the old ID nor the new one is lost to a 500 that comes after it.
pub async fn a_login_whose_response_is_an_error_keeps_the_session<F: Framework>() {
    let server = Server::start::<F>().await;
    let before = server.visitor("Ann").await;
    let answer = server.get("/login-fails", Some(&before)).await;
    assert_eq!(answer.status, 500);
    let after = answer.cookie().unwrap();
    assert_ne!(id_of(&before), id_of(&after));
    assert_eq!(server.name(&after).await, "Ann");
}

/// The loser of a race is no failure, and a session that ended stays ended.
pub async fn a_write_that_a_logout_overtakes_is_answered_and_revives_nothing<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let held = server.store.hold_next_write();
    let (write, ()) = tokio::join!(server.get("/visit", Some(&visitor)), async {
        held.arrived().await;
        assert_eq!(server.get("/logout", Some(&visitor)).await.status, 200);
        drop(held);
    });
    assert_eq!(write.status, 200);
    assert_eq!(server.name(&visitor).await, "nobody");
}
