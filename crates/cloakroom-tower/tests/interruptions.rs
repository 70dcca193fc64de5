//! A client that goes away while its session is being saved.

#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use cloakroom_session::{Config, Sessions};
use cloakroom_tower::SessionLayer;
use cloakroom_tower::axum::{Result, Session};
use common::{Faulty, call, cookie, text};
use futures_util::FutureExt;

async fn site() -> (Router, Faulty) {
    let faulty = Faulty::new().await;
    let sessions = Sessions::with_driver(Arc::new(faulty.clone()), &Config::new("memory")).unwrap();
    let app = Router::new()
        .route("/read", get(read))
        .route("/set/{value}", get(set))
        .route("/logout", get(logout))
        .layer(SessionLayer::new(sessions));
    (app, faulty)
}

async fn read(session: Session) -> Result<String> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

async fn set(session: Session, value: axum::extract::Path<String>) -> Result<()> {
    Ok(session.set("name", &*value)?)
}

/// Ends one session and begins the next, whose write comes first and can be blocked.
async fn logout(session: Session) -> Result<()> {
    session.destroy();
    Ok(session.set("flash", "bye")?)
}

/// What `/read` says in the end.
async fn becomes(app: &Router, cookie: &str, expected: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while text(call(app, "/read", Some(cookie)).await).await != expected {
        assert!(Instant::now() < deadline, "it never became {expected}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_commit_that_has_begun_is_finished_without_its_client() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    faulty.block_writes(true);
    assert!(call(&app, "/set/Bob", Some(&cookie)).now_or_never().is_none(), "it waits");
    faulty.block_writes(false);
    becomes(&app, &cookie, "Bob").await;
}

#[tokio::test]
async fn a_logout_happens_even_when_the_client_goes_away() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    faulty.block_writes(true);
    assert!(call(&app, "/logout", Some(&cookie)).now_or_never().is_none(), "it waits");
    faulty.block_writes(false);
    becomes(&app, &cookie, "nobody").await;
}
