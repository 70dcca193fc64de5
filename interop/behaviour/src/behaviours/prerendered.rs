//! Pages without a session: prerendered ones, and those that no session middleware stands above.

use crate::{Framework, Server};

/// The extractor's error, and the one of the current session.
pub async fn a_session_on_a_prerendered_page_is_an_error_that_names_the_page<F: Framework>() {
    let server = Server::start::<F>().await;
    for path in ["/about", "/static/page"] {
        let answer = server.get(path, None).await;
        assert_eq!(answer.status, 500, "{path}");
        let message = answer.text;
        assert!(message.contains(path) && message.contains("prerendered"), "{message}");
    }
    let message = server.get("/static/bare", None).await.text;
    assert!(message.contains("/static/bare") && message.contains("prerendered"), "{message}");
}

/// A handler that can do without it goes on.
pub async fn an_optional_session_is_none_where_there_is_none<F: Framework>() {
    let server = Server::start::<F>().await;
    assert_eq!(server.get("/optional", None).await.text, "a session");
    assert_eq!(server.get("/static/optional", None).await.text, "none");
    assert_eq!(server.get("/outside/optional", None).await.text, "none");
}

/// Whatever the client sends and the handler tries, even its cookie.
pub async fn a_prerendered_page_costs_no_session_and_tells_of_none<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let before = server.store.calls();
    for path in ["/about", "/static/bare", "/static/optional"] {
        let answer = server.get(path, Some(&visitor)).await;
        assert!(answer.cookie().is_none(), "{path}");
        assert!(!answer.headers.contains_key("vary"), "{path}");
    }
    assert!(server.get("/static/bare", Some(&visitor)).await.says_nothing_of_sessions());
    assert_eq!(server.store.calls(), before);
}

/// And says what to do about it.
pub async fn a_route_outside_the_middleware_says_so<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/outside", None).await;
    assert_eq!(answer.status, 500);
    let message = answer.text;
    assert!(message.contains("/outside") && message.contains("below a Session"), "{message}");
    assert!(server.get("/outside/bare", None).await.text.contains("no current session"));
}
