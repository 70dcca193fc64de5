//! The framework's own middleware, below the session's.

use crate::{Framework, Server};

/// What it changes after the handler is saved with all the rest.
pub async fn middleware_reads_and_writes_before_and_after_the_handler<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/visited", None).await;
    assert_eq!(answer.text, "visits", "the handler sees what came before it");
    let visitor = answer.cookie().unwrap();
    assert_eq!(server.get("/visited", Some(&visitor)).await.text, "visits,answered");
    assert_eq!(server.get("/keys", Some(&visitor)).await.text, "visits,answered");
}
