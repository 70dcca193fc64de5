//! What goes over the wire while the store does not answer, by layer and by route.

#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::get;
use cloakroom_session::storage::ErrorKind as StorageKind;
use cloakroom_session::{Config, OutagePolicy, Sessions};
use cloakroom_tower::axum::{Result, Session};
use cloakroom_tower::{OutageLayer, SessionLayer};
use common::{Faulty, call, cookie, text};

async fn name(session: Session) -> Result<String> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

async fn log_in(session: Session) -> Result<&'static str> {
    session.regenerate().await?;
    session.set("name", "Ada")?;
    Ok("hello")
}

/// Counts visits, and tells nobody where that fails.
async fn careless(session: Session) -> &'static str {
    let _ = session.update("visits", |visits: &mut u32| *visits += 1).await;
    let _ = session.set("seen", &true);
    "fine"
}

/// The same routes below a layer with this policy, and each policy on a route of its own.
async fn site(policy: OutagePolicy) -> (Router, Faulty, String) {
    let faulty = Faulty::new().await;
    let sessions = Sessions::with_driver(Arc::new(faulty.clone()), &Config::new("memory")).unwrap();
    let on_route = |policy| get(name).layer(OutageLayer::new(policy));
    let app = Router::new()
        .route("/name", get(name))
        .route("/login", get(log_in))
        .route("/careless", get(careless))
        .route("/logout", get(async |session: Session| session.destroy()))
        .route(
            "/public",
            get(async |session: Session| {
                name(session)
                    .await
                    .map(|name| ([(header::CACHE_CONTROL, "public, max-age=60")], name))
            }),
        )
        .route("/unavailable", on_route(OutagePolicy::Unavailable))
        .route("/read-only", on_route(OutagePolicy::ReadOnly))
        .route("/anonymous", on_route(OutagePolicy::Anonymous))
        .layer(SessionLayer::new(sessions).outage(policy));
    // The first request for a copy comes before there is one to keep.
    call(&app, "/read-only", None).await;
    let response = call(&app, "/login", None).await;
    let visitor = cookie(&response).unwrap();
    (app, faulty, visitor)
}

fn refused<B>(response: &Response<B>) {
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(!response.headers().contains_key(header::SET_COOKIE));
}

fn uncached(headers: &HeaderMap) -> bool {
    headers[header::CACHE_CONTROL] == "no-store" && !headers.contains_key(header::SET_COOKIE)
}

#[tokio::test]
async fn a_layer_says_what_its_requests_get_and_a_route_says_it_for_itself() {
    for (policy, expected) in [
        (OutagePolicy::Unavailable, None),
        (OutagePolicy::ReadOnly, Some("Ada")),
        (OutagePolicy::Anonymous, Some("nobody")),
    ] {
        let (app, faulty, visitor) = site(policy).await;
        for kind in [StorageKind::Unavailable, StorageKind::Timeout] {
            faulty.fail(Some(kind));
            for (path, expected) in [
                ("/name", expected),
                ("/unavailable", None),
                ("/read-only", Some("Ada")),
                ("/anonymous", Some("nobody")),
            ] {
                let response = call(&app, path, Some(&visitor)).await;
                match expected {
                    None => refused(&response),
                    Some(expected) => {
                        assert!(uncached(response.headers()), "{policy:?} {path}");
                        assert_eq!(text(response).await, expected, "{policy:?} {path}");
                    }
                }
            }
        }
        faulty.fail(None);
        let response = call(&app, "/name", Some(&visitor)).await;
        assert!(!response.headers().contains_key(header::CACHE_CONTROL));
        assert_eq!(text(response).await, "Ada", "the store is used again");
    }
}

#[tokio::test]
async fn whatever_the_policy_no_change_is_lost_behind_a_200() {
    for policy in [OutagePolicy::Unavailable, OutagePolicy::ReadOnly, OutagePolicy::Anonymous] {
        let (app, faulty, visitor) = site(policy).await;
        faulty.fail(Some(StorageKind::Unavailable));
        for (path, visitor) in
            [("/login", Some(&visitor)), ("/login", None), ("/logout", Some(&visitor))]
        {
            refused(&call(&app, path, visitor.map(String::as_str)).await);
        }
        faulty.fail(None);
        faulty.fail_writes(Some(StorageKind::Timeout));
        refused(&call(&app, "/login", Some(&visitor)).await);
        faulty.fail_writes(None);
        assert_eq!(text(call(&app, "/name", Some(&visitor)).await).await, "Ada");
    }
}

#[tokio::test]
async fn a_page_for_nobody_is_kept_by_no_cache() {
    let (app, faulty, visitor) = site(OutagePolicy::Anonymous).await;
    let response = call(&app, "/public", Some(&visitor)).await;
    assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=60");
    faulty.fail(Some(StorageKind::Unavailable));
    let response = call(&app, "/public", Some(&visitor)).await;
    assert!(uncached(response.headers()));
}

#[tokio::test]
async fn a_handler_that_ignores_its_errors_still_gets_no_200_for_a_change_that_failed() {
    let (app, faulty, visitor) = site(OutagePolicy::Unavailable).await;
    faulty.fail(Some(StorageKind::Unavailable));
    refused(&call(&app, "/careless", Some(&visitor)).await);
    refused(&call(&app, "/careless", None).await);
}
