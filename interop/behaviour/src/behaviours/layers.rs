//! Several session middlewares above one handler.

use cloakroom_session::OutagePolicy;
use cloakroom_storage::ErrorKind;
use http::header;

use crate::server::id_of;
use crate::{Framework, Server};

/// It took two, and the browser kept that of the outer one: what the handler had saved was in a record without a name.
pub async fn a_layer_that_is_there_twice_is_one_session_with_one_cookie<F: Framework>() {
    let server = Server::start::<F>().await;
    for path in ["/twice/set/Ann", "/twice/before/set/Ann"] {
        let cookies = server.get(path, None).await.cookies();
        let [visitor] = &cookies[..] else { panic!("{path}: {cookies:?}") };
        for path in ["/read", "/twice/read"] {
            assert_eq!(server.get(path, Some(visitor)).await.text, "Ann", "{path}");
        }
    }
    let visitor = server.get("/twice/before/set/Ann", None).await.cookie().unwrap();
    assert_eq!(server.get("/keys", Some(&visitor)).await.text, "before,name");
}

/// By the outer one, which commits once for all.
pub async fn what_changes_between_two_layers_after_the_handler_is_saved_too<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/twice/after/set/Ann", None).await;
    assert_eq!(answer.cookies().len(), 1);
    assert_eq!(server.get("/keys", answer.cookie().as_deref()).await.text, "name,after");
    let answer = server.get("/twice/after/has", None).await;
    assert_eq!(server.get("/keys", answer.cookie().as_deref()).await.text, "after");
}

/// A middleware between them that sets without having read handed out a cookie of its own after the login's.
pub async fn a_login_below_a_second_layer_is_not_undone_by_the_first<F: Framework>() {
    let server = Server::start::<F>().await;
    for path in ["/twice/before/login", "/twice/after/login", "/twice/before/after/login"] {
        let before = server.visitor("Ann").await;
        let cookies = server.get(path, Some(&before)).await.cookies();
        let [after] = &cookies[..] else { panic!("{path}: {cookies:?}") };
        assert_ne!(id_of(after), id_of(&before), "{path}");
        assert_eq!(server.name(after).await, "Ann", "{path}");
        assert!(server.get("/keys", Some(after)).await.text.contains("user"), "{path}");
        assert_eq!(server.name(&before).await, "nobody", "{path}");
    }
}

/// What is set after it begins a new session, in which nothing of the old one is left.
pub async fn a_logout_below_a_second_layer_is_not_undone_by_the_first<F: Framework>() {
    let server = Server::start::<F>().await;
    for (path, keys) in [
        ("/twice/logout", ""),
        ("/twice/before/logout", ""),
        ("/twice/after/logout", "after"),
        ("/twice/before/after/logout", "after"),
    ] {
        let before = server.visitor("Ann").await;
        let cookies = server.get(path, Some(&before)).await.cookies();
        let [after] = &cookies[..] else { panic!("{path}: {cookies:?}") };
        assert_eq!(after.ends_with("=deleted"), keys.is_empty(), "{path}");
        assert_eq!(server.get("/keys", Some(after)).await.text, keys, "{path}");
        assert_eq!(server.name(&before).await, "nobody", "{path}");
    }
}

/// And costs nothing.
pub async fn a_session_that_two_layers_leave_alone_leaves_the_response_alone<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let before = server.store.calls();
    assert!(server.get("/twice/untouched", Some(&visitor)).await.says_nothing_of_sessions());
    assert_eq!(server.store.calls(), before);
    let answer = server.get("/twice/read", Some(&visitor)).await;
    assert_eq!(answer.all(header::VARY), ["Cookie"]);
    assert!(answer.cookies().is_empty());
    assert_eq!(server.store.calls(), before + 1);
}

/// As if it stood there alone.
pub async fn the_policy_of_the_inner_layer_holds_below_it<F: Framework>() {
    let server = Server::with_outage::<F>(OutagePolicy::Unavailable).await;
    let visitor = server.visitor("Ann").await;
    server.store.fail(Some(ErrorKind::Unavailable));
    assert_eq!(server.get("/twice/read", Some(&visitor)).await.text, "nobody");
    assert!(server.get("/read", Some(&visitor)).await.is_refused());
    assert!(server.get("/twice/set/Bob", Some(&visitor)).await.is_refused());
}

/// Whichever of the two it is. What stands above the inner one has a session still, whose cookie is sent.
pub async fn a_page_that_one_of_two_layers_calls_prerendered_has_no_session<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let before = server.store.calls();
    for path in ["/twice/static/optional", "/static/twice/optional"] {
        let answer = server.get(path, Some(&visitor)).await;
        assert_eq!(answer.text, "none", "{path}");
        assert!(answer.says_nothing_of_sessions(), "{path}");
    }
    let message = server.get("/twice/static/bare", Some(&visitor)).await.text;
    assert!(message.contains("/twice/static/bare") && message.contains("prerendered"), "{message}");
    assert_eq!(server.store.calls(), before);

    let answer = server.get("/twice/static/before/after/page", None).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains("prerendered"), "{}", answer.text);
    let cookies = answer.cookies();
    let [above] = &cookies[..] else { panic!("{cookies:?}") };
    assert_eq!(server.get("/keys", Some(above)).await.text, "before,after");
}

/// The outer one waits for the body.
pub async fn a_body_that_streams_below_two_layers_is_saved_once_and_in_time<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    assert_eq!(server.get("/twice/stream/current", Some(&visitor)).await.text, "hello Ann");
    let before = server.store.calls();
    assert_eq!(server.get("/twice/stream/sets", Some(&visitor)).await.text, "Ann");
    assert_eq!(server.store.calls(), before + 2, "one load and one write");
    assert_eq!(server.name(&visitor).await, "late");
    let visitor = server.visitor("Bob").await;
    server.store.fail_writes(Some(ErrorKind::Unavailable));
    assert!(server.breaks_off("/twice/stream/sets", &visitor).await);
}

/// The handler has the session of the inner one.
pub async fn layers_of_other_sessions_each_send_their_own_cookie<F: Framework>() {
    let server = Server::start::<F>().await;
    for (path, keys) in [
        ("/others/before/set/Ann", "before"),
        ("/others/after/set/Ann", "after"),
        ("/others/before/after/set/Ann", "before,after"),
    ] {
        let cookies = server.get(path, None).await.cookies();
        let [inner, outer] = &cookies[..] else { panic!("{path}: {cookies:?}") };
        assert!(inner.starts_with("others-session="), "{path}: {cookies:?}");
        assert_eq!(server.get("/others/read", Some(inner)).await.text, "Ann", "{path}");
        assert_eq!(server.get("/keys", Some(outer)).await.text, keys, "{path}");
        let both = format!("{inner}; {outer}");
        assert_eq!(server.get("/others/keys", Some(&both)).await.text, "name", "{path}");
    }
}

/// The handler has the session of the innermost, which is that of the outermost.
pub async fn other_sessions_between_two_layers_do_not_hide_the_one_from_the_other<F: Framework>() {
    let server = Server::start::<F>().await;
    let cookies = server.get("/others/twice/before/after/set/Ann", None).await.cookies();
    let [visitor] = &cookies[..] else { panic!("{cookies:?}") };
    assert_eq!(server.get("/keys", Some(visitor)).await.text, "before,name,after");
}

/// Which is a mistake: the outer one's is sent, and the log says so.
pub async fn two_sessions_of_one_cookie_name_never_send_it_twice<F: Framework>() {
    let server = Server::start::<F>().await;
    for path in ["/namesake/before/set/Ann", "/namesake/before/login"] {
        let cookies = server.get(path, None).await.cookies();
        let [outer] = &cookies[..] else { panic!("{path}: {cookies:?}") };
        assert_eq!(server.get("/keys", Some(outer)).await.text, "before", "{path}");
    }
    let cookies = server.get("/namesake/set/Ann", None).await.cookies();
    let [inner] = &cookies[..] else { panic!("{cookies:?}") };
    assert_eq!(server.get("/namesake/read", Some(inner)).await.text, "Ann");
}
