//! Clients that go away.

use crate::{Framework, Server};

/// A write is done, or it is not; it is not half done.
pub async fn a_commit_that_has_begun_is_finished_without_its_client<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let held = server.store.hold_next_write();
    let client = server.ask("/slow/set", &visitor).await;
    held.arrived().await;
    client.goes_away().await;
    drop(held);
    server.becomes(&visitor, "Bob").await;
}

/// Whoever logs out and closes the page is logged out.
pub async fn a_logout_happens_even_when_the_client_goes_away<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let held = server.store.hold_next_write();
    let client = server.ask("/slow/logout", &visitor).await;
    held.arrived().await;
    client.goes_away().await;
    drop(held);
    server.becomes(&visitor, "nobody").await;
}

/// What the client was not told is saved nevertheless.
pub async fn what_a_stream_changed_is_saved_even_when_the_client_goes_away<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let held = server.store.hold_next_write();
    let client = server.ask("/stream/sets", &visitor).await;
    held.arrived().await;
    client.goes_away().await;
    drop(held);
    server.becomes(&visitor, "late").await;
}

/// Its handler did not say that it was done.
pub async fn a_handler_that_was_given_up_saves_nothing<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Bob").await;
    let before = server.store.calls();
    let client = server.ask("/wait", &visitor).await;
    client.goes_away().await;
    assert_eq!(server.store.calls(), before);
    assert_eq!(server.name(&visitor).await, "Bob");
}
