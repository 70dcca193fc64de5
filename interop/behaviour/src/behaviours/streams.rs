//! Bodies that are made while they are sent, and hold the session.

use std::time::Duration;

use cloakroom_session::Config;
use cloakroom_storage::ErrorKind;
use http::header;

use crate::{Framework, Server};

/// Before the body ends, so that the next request of whoever read it sees the change.
pub async fn a_body_that_streams_can_still_change_a_session_that_exists<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    assert_eq!(server.get("/stream/sets", Some(&visitor)).await.text, "Ann");
    assert_eq!(server.name(&visitor).await, "late");
}

/// No cookie can name it any more.
pub async fn a_body_that_streams_cannot_create_a_session_and_is_told<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/stream/creates", None).await;
    assert_eq!(answer.text, "Err(ResponseStarted)");
    assert_eq!(server.store.calls(), 0);
}

/// Nobody takes it for complete.
pub async fn a_late_change_that_cannot_be_saved_breaks_the_body_off<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    server.store.fail_writes(Some(ErrorKind::Unavailable));
    assert!(server.breaks_off("/stream/sets", &visitor).await);
    server.store.fail_writes(None);
    assert_eq!(server.name(&visitor).await, "Ann");
}

/// Also where nothing but the body asks for it.
pub async fn a_body_that_streams_sees_the_session_and_caches_are_told<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let answer = server.get("/stream/reads", Some(&visitor)).await;
    assert_eq!(answer.all(header::VARY), ["Cookie"]);
    assert_eq!(answer.text, "Ann");
}

/// Its idle deadline moves.
pub async fn a_session_that_only_a_streamed_body_reads_is_in_use<F: Framework>() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(60));
    config.touch_interval = Some(Duration::ZERO);
    let server = Server::with::<F>(&config, None).await;
    let visitor = server.visitor("Ann").await;
    let before = server.store.calls();
    assert_eq!(server.get("/stream/reads", Some(&visitor)).await.text, "Ann");
    assert_eq!(server.store.calls() - before, 2, "one call reads it, and one moves its deadline");
}

/// Its deadline follows while the body streams, and what is set in it is saved at the end.
pub async fn a_session_in_use_over_one_long_body_does_not_end_as_idle<F: Framework>() {
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_millis(600));
    config.touch_interval = Some(Duration::from_millis(100));
    let server = Server::with::<F>(&config, None).await;
    let visitor = server.visitor("Ann").await;
    let answer = server.get("/stream/long", Some(&visitor)).await;
    assert_eq!(answer.text, "Ann ".repeat(12));
    assert_eq!(server.name(&visitor).await, "Ann");
}
