//! The API, alone and beside the shop on axum, which keeps its sessions in the same folder.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::test::{TestRequest, init_service, read_body_json};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use cloakroom::actix_web::SessionMiddleware;
use cloakroom::{Config, Sessions};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn on_files(folder: &Path) -> Sessions {
    let config = Config::new("fs-lite").option("base", folder.to_str().unwrap());
    Sessions::from_config(config).await.unwrap()
}

fn get(path: &str, cookie: &str) -> TestRequest {
    TestRequest::get().uri(path).insert_header((COOKIE, cookie))
}

fn post(path: &str, cookie: &str, body: Value) -> TestRequest {
    TestRequest::post().uri(path).insert_header((COOKIE, cookie)).set_json(body)
}

/// What a browser would send back.
fn cookie(response: &ServiceResponse<impl MessageBody>) -> String {
    let cookie = response.headers().get(SET_COOKIE).unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn json(response: ServiceResponse<impl MessageBody>) -> Value {
    read_body_json(response).await
}

/// What the shop on axum answers.
async fn at_the_shop(shop: &Router, request: Request<Body>) -> Value {
    let response = shop.clone().oneshot(request).await.unwrap();
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[actix_web::test]
async fn a_cart_survives_a_login_and_ends_with_a_logout() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionMiddleware::new(on_files(folder.path()).await);
    let app = init_service(App::new().configure(example_actix::routes).wrap(sessions)).await;

    let response = post("/api/addToCart", "", json!({ "item": "scarf" })).send_request(&app).await;
    let visitor = cookie(&response);
    assert_eq!(json(response).await, json!(["scarf"]));

    let login = post("/api/login", &visitor, json!({ "name": "Ada" })).send_request(&app).await;
    let ada = cookie(&login);
    assert_ne!(visitor, ada);
    assert_eq!(
        json(get("/api/user", &ada).send_request(&app).await).await,
        json!({ "name": "Ada" })
    );
    assert_eq!(json(get("/api/cart", &ada).send_request(&app).await).await, json!(["scarf"]));
    assert_eq!(json(get("/api/cart", &visitor).send_request(&app).await).await, json!([]));

    post("/api/logout", &ada, json!(null)).send_request(&app).await;
    assert_eq!(json(get("/api/user", &ada).send_request(&app).await).await, json!(null));
}

#[actix_web::test]
async fn one_cookie_works_here_and_at_the_shop_on_axum() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionMiddleware::new(on_files(folder.path()).await);
    let app = init_service(App::new().configure(example_actix::routes).wrap(sessions)).await;
    let shop = shop::app(on_files(folder.path()).await);

    let response = post("/api/addToCart", "", json!({ "item": "scarf" })).send_request(&app).await;
    let visitor = cookie(&response);
    let add = Request::post("/api/addToCart").header("cookie", &visitor);
    let add = add.header("content-type", "application/json").body(r#"{"item":"hat"}"#.into());
    assert_eq!(at_the_shop(&shop, add.unwrap()).await, json!(["scarf", "hat"]));
    assert_eq!(
        json(get("/api/cart", &visitor).send_request(&app).await).await,
        json!(["scarf", "hat"])
    );
    let cart = Request::get("/api/cart").header("cookie", &visitor).body(Body::empty());
    assert_eq!(at_the_shop(&shop, cart.unwrap()).await, json!(["scarf", "hat"]));
}

#[actix_web::test]
async fn an_action_and_the_api_share_the_cart() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = SessionMiddleware::new(on_files(folder.path()).await);
    let app = App::new().configure(example_actix::routes).wrap(example_actix::actions());
    let app = init_service(app.wrap(sessions)).await;

    let added = post("/_actions/cart.add", "", json!({ "item": "scarf" })).send_request(&app).await;
    let visitor = cookie(&added);
    assert_eq!(json(added).await, json!([[1], "scarf"]), "devalue, as Astro's client reads it");
    assert_eq!(json(get("/api/cart", &visitor).send_request(&app).await).await, json!(["scarf"]));
}
