//! A visit, without a server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt as _;

use super::*;

async fn page(app: &Router, cookie: &str) -> String {
    let request = Request::get("/").header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(header::SET_COOKIE), "a page only reads");
    String::from_utf8(to_bytes(response.into_body(), 10_000).await.unwrap().into()).unwrap()
}

#[tokio::test]
async fn both_components_show_what_the_endpoint_stored() {
    let app = app(Sessions::from_config(Config::new("memory")).await.unwrap());
    let shown = page(&app, "").await;
    assert!(shown.contains("Welcome!") && shown.contains("0 items"), "{shown}");

    let request = Request::post("/cart")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("item=scarf"))
        .unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();

    let shown = page(&app, cookie).await;
    assert!(shown.contains("Welcome back!") && shown.contains("1 items"), "{shown}");
}
