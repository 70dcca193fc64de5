//! What went wrong in other session libraries, as it goes over the wire here. Their defects below HTTP are in
//! the tests of `cloakroom-session`, and these are in `axum.rs`:
//!
//! - every request loads its session, asked for or not: `an_untouched_session_leaves_the_response_alone`
//! - two `Set-Cookie` headers on a response: `a_write_sends_one_cookie_and_keeps_caches_away`
//! - a failed load becomes an empty session: `a_store_that_is_down_is_503_with_retry_after_and_no_cookie`

#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use cloakroom_session::{Config, Sessions};
use cloakroom_tower::SessionLayer;
use cloakroom_tower::axum::{Result, Session, SessionError};
use common::{Faulty, call, cookie, id_of, text};
use futures_util::{FutureExt, stream};

async fn site() -> (Router, Faulty) {
    let faulty = Faulty::new().await;
    let sessions = Sessions::with_driver(Arc::new(faulty.clone()), &Config::new("memory")).unwrap();
    let app = Router::new()
        .route("/plain", get(async || "plain"))
        .route("/read", get(read))
        .route("/set", get(set))
        .route("/visit", get(visit))
        .route("/logout", get(async |session: Session| session.destroy()))
        .route("/login-fails", get(login_that_fails))
        .route("/everything", get(everything))
        .route("/stream", get(stream_that_reads))
        .layer(SessionLayer::new(sessions));
    (app, faulty)
}

async fn read(session: Session) -> Result<String> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

async fn set(session: Session) -> Result<()> {
    Ok(session.set("name", "Ann")?)
}

async fn visit(session: Session) -> Result<()> {
    Ok(session.set("visited", &true)?)
}

async fn login_that_fails(session: Session) -> Result<StatusCode> {
    session.regenerate().await?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn everything(session: Session) -> Result<()> {
    session.set("name", "Ann")?;
    session.regenerate().await?;
    session.save().await?;
    session.destroy();
    session.set("name", "Bob")?;
    Ok(session.regenerate().await?)
}

async fn stream_that_reads(session: Session) -> Body {
    Body::from_stream(stream::once(async move {
        read(session).await.map(Bytes::from).map_err(SessionError::into_inner)
    }))
}

fn cookies(response: &Response<Body>) -> usize {
    response.headers().get_all(header::SET_COOKIE).iter().count()
}

#[tokio::test]
async fn a_write_that_a_logout_overtakes_is_answered_and_revives_nothing() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set", None).await).unwrap();
    faulty.block_writes(true);
    let mut write = Box::pin(call(&app, "/visit", Some(&cookie)));
    assert!((&mut write).now_or_never().is_none(), "it waits for the store");
    assert_eq!(call(&app, "/logout", Some(&cookie)).await.status(), StatusCode::OK);
    faulty.block_writes(false);
    assert_eq!(write.await.status(), StatusCode::OK, "the loser of a race is no failure");
    assert_eq!(text(call(&app, "/read", Some(&cookie)).await).await, "nobody");
}

#[tokio::test]
async fn a_login_whose_response_is_an_error_keeps_the_session() {
    let (app, _) = site().await;
    let before = cookie(&call(&app, "/set", None).await).unwrap();
    let response = call(&app, "/login-fails", Some(&before)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let after = cookie(&response).unwrap();
    assert_ne!(id_of(&before), id_of(&after));
    assert_eq!(text(call(&app, "/read", Some(&after)).await).await, "Ann");
}

#[tokio::test]
async fn a_malformed_cookie_is_no_concern_of_a_route_without_sessions_nor_of_a_read() {
    let (app, faulty) = site().await;
    for path in ["/plain", "/read"] {
        let response = call(&app, path, Some("astro-session=../../etc/passwd")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(cookies(&response), 0, "{path}");
    }
    assert_eq!(faulty.calls(), 0);
}

#[tokio::test]
async fn whatever_a_handler_does_one_cookie_is_sent_and_it_works() {
    let (app, _) = site().await;
    let before = cookie(&call(&app, "/set", None).await).unwrap();
    let response = call(&app, "/everything", Some(&before)).await;
    assert_eq!(cookies(&response), 1);
    let after = cookie(&response).unwrap();
    assert_eq!(text(call(&app, "/read", Some(&after)).await).await, "Bob");
    assert_eq!(text(call(&app, "/read", Some(&before)).await).await, "nobody");
}

#[tokio::test]
async fn a_body_that_streams_sees_the_session_and_caches_are_told() {
    let (app, _) = site().await;
    let cookie = cookie(&call(&app, "/set", None).await).unwrap();
    let response = call(&app, "/stream", Some(&cookie)).await;
    assert_eq!(response.headers().get(header::VARY).unwrap(), "Cookie");
    assert_eq!(text(response).await, "Ann");
}

#[tokio::test]
async fn the_cookies_header_is_marked_as_a_secret() {
    let (app, _) = site().await;
    let response = call(&app, "/set", None).await;
    assert!(response.headers().get(header::SET_COOKIE).unwrap().is_sensitive());
}
