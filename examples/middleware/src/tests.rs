//! A visit, without a server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use tower::ServiceExt as _;

use super::*;

/// A browser that keeps its cookie.
struct Visit {
    app: Router,
    cookie: String,
}

impl Visit {
    async fn new() -> Visit {
        let sessions = Sessions::from_config(Config::new("memory")).await.unwrap();
        Visit { app: app(sessions), cookie: String::new() }
    }

    async fn send(&mut self, method: Method, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::COOKIE, &self.cookie).body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            let (cookie, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            self.cookie = cookie.to_owned();
        }
        let status = response.status();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
    }
}

#[tokio::test]
async fn what_middleware_reads_before_the_handler_reaches_it_and_what_it_writes_is_saved() {
    let mut visit = Visit::new().await;
    let (_, first) = visit.send(Method::GET, "/").await;
    assert!(first.starts_with("Welcome to /!"), "{first}");
    let (_, second) = visit.send(Method::GET, "/").await;
    assert!(second.starts_with("Welcome back to /!"), "{second}");
}

#[tokio::test]
async fn what_middleware_writes_after_the_handler_follows_its_response() {
    let mut visit = Visit::new().await;
    for (path, status) in [("/order", StatusCode::OK), ("/sold-out", StatusCode::CONFLICT)] {
        assert_eq!(visit.send(Method::POST, path).await.0, status);
    }
    visit.send(Method::POST, "/order").await;
    let (_, home) = visit.send(Method::GET, "/").await;
    assert!(home.contains("Orders: 2."), "{home}");
}

#[tokio::test]
async fn a_tower_service_writes_to_the_same_session_even_where_the_handler_fails() {
    let mut visit = Visit::new().await;
    let (status, _) = visit.send(Method::GET, "/broken").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let (_, home) = visit.send(Method::GET, "/").await;
    assert!(home.contains("Last error: Some(\"/broken\")"), "{home}");
}

#[tokio::test]
async fn a_tower_service_goes_without_where_there_is_no_session() {
    let app = Router::new().route("/", get(async || "static")).layer(TrailLayer);
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}
