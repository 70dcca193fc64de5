//! The current session, for code that it is not passed to.

use crate::{Framework, Server};

/// A component need not be given it.
pub async fn a_component_finds_the_current_session<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    assert_eq!(server.get("/current", Some(&visitor)).await.text, "hello Ann");
    assert_eq!(server.get("/bare", None).await.text, "a session");
}

/// However their handlers are interleaved.
pub async fn two_requests_at_once_each_find_their_own_session<F: Framework>() {
    let server = Server::start::<F>().await;
    let (ann, bob) = (server.visitor("Ann").await, server.visitor("Bob").await);
    let (for_ann, for_bob) = tokio::join!(
        server.get("/current-together", Some(&ann)),
        server.get("/current-together", Some(&bob)),
    );
    assert_eq!(for_ann.text, "hello Ann and hello Ann");
    assert_eq!(for_bob.text, "hello Bob and hello Bob");
}

/// It is no part of the request, and is given a clone instead.
pub async fn a_task_of_its_own_finds_no_current_session<F: Framework>() {
    let server = Server::start::<F>().await;
    assert_eq!(server.get("/current-in-a-task", None).await.text, "none");
}

/// As the handler did.
pub async fn a_body_that_streams_finds_the_current_session<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    assert_eq!(server.get("/stream/current", Some(&visitor)).await.text, "hello Ann");
}
