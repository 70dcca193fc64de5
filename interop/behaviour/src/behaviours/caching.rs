//! What caches are told.

use http::header::{self, HeaderName};

use crate::{Framework, Server};

/// Nobody asked for the session, so the response says nothing of it.
pub async fn an_untouched_session_leaves_the_response_alone<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let before = server.store.calls();
    for path in ["/untouched", "/stream/alone"] {
        for cookie in [None, Some(visitor.as_str())] {
            let answer = server.get(path, cookie).await;
            assert_eq!(answer.status, 200);
            assert!(answer.says_nothing_of_sessions(), "{:?}", answer.headers);
        }
    }
    assert_eq!(server.store.calls(), before);
}

/// Whatever way of reading: the page depends on the cookie.
pub async fn a_read_adds_vary_and_nothing_else<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    for path in ["/read", "/has", "/keys", "/entries"] {
        for cookie in [None, Some(visitor.as_str())] {
            let answer = server.get(path, cookie).await;
            assert_eq!(answer.all(header::VARY), ["Cookie"], "{path}");
            assert!(answer.all(header::SET_COOKIE).is_empty(), "{path}");
            assert!(answer.all(header::CACHE_CONTROL).is_empty(), "{path}");
        }
    }
}

/// A cache that kept the response would hand the cookie to others.
pub async fn a_write_sends_one_cookie_and_keeps_caches_away<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/set/Ann", None).await;
    let cookies = answer.all(header::SET_COOKIE);
    assert_eq!(cookies.len(), 1);
    let (cookie, attributes) = cookies[0].split_once(';').unwrap();
    let id = cookie.strip_prefix("astro-session=").unwrap();
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(attributes, " Path=/; HttpOnly; Secure; SameSite=Lax");
    assert_eq!(answer.all(header::CACHE_CONTROL), ["no-store"]);
    assert_eq!(answer.all(header::VARY), ["Cookie"]);
}

/// A cookie that is begun, changed or taken away is the visitor's own, whatever another hand says of the page.
pub async fn a_response_with_a_cookie_is_left_for_no_shared_cache<F: Framework>() {
    let server = Server::start::<F>().await;
    let (ann, bob) = (server.visitor("Ann").await, server.visitor("Bob").await);
    let cdn = HeaderName::from_static("cdn-cache-control");
    let said = ["public, max-age=60, s-maxage=600"];
    for (path, cookie) in
        [("/shared/set", None), ("/shared/login", Some(&ann)), ("/shared/logout", Some(&bob))]
    {
        let answer = server.get(path, cookie.map(String::as_str)).await;
        assert_eq!(answer.all(header::SET_COOKIE).len(), 1, "{path}");
        assert_eq!(answer.all(header::CACHE_CONTROL), ["private, max-age=60"], "{path}");
        assert_eq!(answer.all(cdn.clone()), ["no-store"], "{path}");
    }
    let answer = server.get("/shared/untouched", None).await;
    assert_eq!(answer.all(header::CACHE_CONTROL), said);
    assert_eq!(answer.all(cdn), ["max-age=600"]);
}

/// What is for one visitor alone already stays.
pub async fn what_the_handler_said_about_caching_stands<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/cached", None).await;
    assert_eq!(answer.all(header::CACHE_CONTROL), ["private"]);
    assert_eq!(answer.all(header::VARY), ["Accept, cookie"]);
    assert!(answer.cookie().is_some());
}
