//! Actions in a real axum router. What is on the wire is compared with Astro's own answers in `interop`.

#![cfg(feature = "actions")]
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::{Builder, Parts};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use cloakroom_actions::{ActionError, ErrorCode, FormData, Issue, Result, Submitted};
use cloakroom_session::{Config, Session as CoreSession, Sessions};
use cloakroom_tower::axum::{ActionRejection, Actions, Input, Session};
use cloakroom_tower::{OriginLayer, SessionLayer};
use http_body_util::BodyExt;
use serde::Deserialize;
use tower::ServiceExt;

#[derive(Clone)]
struct Greeting(&'static str);

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// An extractor of an application's own, which lets nobody in but Ann.
struct Ann;

impl<S: Sync> FromRequestParts<S> for Ann {
    type Rejection = ActionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Ann, ActionRejection> {
        match parts.headers.get("x-user").is_some_and(|user| user == "Ann") {
            true => Ok(Ann),
            false => Err(ActionError::new(ErrorCode::Unauthorized, "Only Ann may."))?,
        }
    }
}

async fn greet(
    greeting: axum::extract::State<Greeting>,
    session: Session,
    Input(input): Input<Name>,
) -> Result<String> {
    session.set("name", &input.name)?;
    Ok(format!("{}, {}!", greeting.0.0, input.name))
}

async fn rename(session: Session, Input(input): Input<Name>) -> Result<()> {
    if input.name == "taken" {
        return Err(ActionError::input([Issue::new(["name"], "It is taken.")]));
    }
    Ok(session.set("name", &input.name)?)
}

async fn count(Input(form): Input<FormData>) -> Result<usize> {
    Ok(form.iter().count())
}

async fn current() -> Result<bool> {
    Ok(CoreSession::current()?.has("name").await?)
}

async fn grow() -> Result<()> {
    Ok(CoreSession::current()?.set("huge", "x".repeat(300).as_str())?)
}

async fn fill() -> Result<()> {
    Ok(CoreSession::current()?.set("more", "y".repeat(300).as_str())?)
}

async fn page(session: Session) -> cloakroom_tower::axum::Result<String> {
    let form = Submitted::<()>::take(&session, "account.rename").await?;
    let errors: Vec<&str> = form.field_errors("name").collect();
    let name: String = session.get("name").await?.unwrap_or_default();
    Ok(format!("{name}|{}|{}", errors.join(","), form.input.value("name")))
}

async fn sessions() -> Sessions {
    let mut config = Config::new("memory");
    config.max_size = 500;
    Sessions::from_config(config).await.unwrap()
}

fn actions() -> Actions<Greeting> {
    Actions::new()
        .json("greet", greet)
        .json("current", current)
        .json("grow", grow)
        .json("fill", fill)
        .json("secret", async |_: Ann| Ok::<_, ActionError>("1234"))
        .form("count", count)
        .group("account", Actions::new().form("rename", rename))
}

async fn app() -> Router {
    Router::new()
        .route("/page", get(page))
        .layer(actions().with_state(Greeting("Hello")))
        .layer(SessionLayer::new(sessions().await))
}

/// What a visitor's browser would send, and keep.
struct Client {
    app: Router,
    cookie: Option<String>,
}

impl Client {
    async fn new() -> Client {
        Client { app: app().await, cookie: None }
    }

    async fn send(&mut self, request: Builder, body: &str) -> Response {
        let cookie = self.cookie.clone().unwrap_or_default();
        let request = request.header(header::HOST, "shop.example").header(header::COOKIE, cookie);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        if let Some(cookie) = response.headers().get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        response
    }

    async fn call(&mut self, name: &str, input: &str) -> (StatusCode, String) {
        let request = Request::post(format!("/_actions/{name}"))
            .header(header::CONTENT_TYPE, "application/json");
        told(self.send(request, input).await).await
    }

    async fn submit(&mut self, path: &str, form: &str) -> Response {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "https://shop.example")
            .header(header::REFERER, "https://shop.example/page?tab=2");
        self.send(request, form).await
    }

    async fn page(&mut self) -> String {
        told(self.send(Request::get("/page"), "").await).await.1
    }
}

async fn told(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn location(response: &Response) -> (StatusCode, Option<&str>) {
    let location = response.headers().get(header::LOCATION);
    (response.status(), location.map(|location| location.to_str().unwrap()))
}

#[tokio::test]
async fn an_action_has_its_state_its_session_and_its_input() {
    let mut client = Client::new().await;
    let answer = client.call("greet", r#"{"name":"Ann"}"#).await;
    assert_eq!(answer, (StatusCode::OK, r#"["Hello, Ann!"]"#.to_owned()));
    assert_eq!(client.page().await, "Ann||");
    assert_eq!(client.call("current", "").await.1, "[true]", "also the one that is not passed");
}

#[tokio::test]
async fn an_extractor_that_refuses_is_an_error_of_the_action() {
    let mut client = Client::new().await;
    let error = r#"{"type":"AstroActionError","code":"UNAUTHORIZED","status":401,"message":"Only Ann may."}"#;
    assert_eq!(client.call("secret", "").await, (StatusCode::UNAUTHORIZED, error.to_owned()));
}

#[tokio::test]
async fn a_form_as_it_is_may_be_an_input() {
    let mut client = Client::new().await;
    let answer = told(client.submit("/_actions/count", "a=1&b=2&a=3").await).await;
    assert_eq!(answer, (StatusCode::OK, "[3]".to_owned()));
}

#[tokio::test]
async fn a_form_without_a_script_leads_to_its_page() {
    let mut client = Client::new().await;
    let response = client.submit("/page?_action=account.rename&tab=1", "name=Bob").await;
    assert_eq!(location(&response), (StatusCode::SEE_OTHER, Some("/page?tab=1")));
    assert_eq!(client.page().await, "Bob||");
}

#[tokio::test]
async fn a_form_that_failed_leads_back_and_is_filled_in_once() {
    let mut client = Client::new().await;
    let response = client.submit("/other?_action=account.rename", "name=taken").await;
    assert_eq!(location(&response), (StatusCode::SEE_OTHER, Some("/page?tab=2")));
    assert_eq!(client.page().await, "|It is taken.|taken");
    assert_eq!(client.page().await, "||");
}

#[tokio::test]
async fn a_form_whose_action_there_is_not_leads_back_to_a_page_that_is_told() {
    let told = async |session: Session| -> cloakroom_tower::axum::Result<String> {
        let form = Submitted::<()>::take(&session, "nope").await?;
        Ok(form.error().map(|error| error.code().to_string()).unwrap_or_default())
    };
    let app = Router::new()
        .route("/page", get(told))
        .layer(actions().with_state(Greeting("Hello")))
        .layer(SessionLayer::new(sessions().await));
    let mut client = Client { app, cookie: None };
    let response = client.submit("/other?_action=nope", "name=Ann").await;
    assert_eq!(location(&response), (StatusCode::SEE_OTHER, Some("/page?tab=2")));
    assert_eq!(client.page().await, "NOT_FOUND");
    assert_eq!(client.page().await, "");
    assert_eq!(client.call("nope", "").await.0, StatusCode::NOT_FOUND, "a client is told at once");
}

#[tokio::test]
async fn an_action_says_once_which_fields_of_its_form_come_back() {
    async fn refuse() -> Result<()> {
        Err(ActionError::new(ErrorCode::Conflict, "No."))
    }
    async fn told_of(session: Session) -> cloakroom_tower::axum::Result<String> {
        let mut told = String::new();
        for action in ["plain", "account.few", "account.most"] {
            let form = Submitted::<()>::take(&session, action).await?;
            told.extend(form.input.iter().map(|(name, _)| format!("{name} ")));
        }
        Ok(told)
    }
    let account = Actions::new()
        .form("few", refuse)
        .keep_only("few", ["name", "tags"])
        .form("most", refuse)
        .secrets("most", ["motto", "tags"]);
    let app = Router::new()
        .route("/page", get(told_of))
        .layer(Actions::new().form("plain", refuse).group("account", account))
        .layer(SessionLayer::new(sessions().await));
    let mut client = Client { app, cookie: None };
    let form = "name=Ann&tags%5B%5D=hats&motto=x&passwort=y&note=4111+1111+1111+1111&tagsMore=z";
    for (action, kept) in [
        ("plain", "name tags[] motto tagsMore "),
        ("account.few", "name tags[] "),
        ("account.most", "name tagsMore "),
    ] {
        client.submit(&format!("/page?_action={action}"), form).await;
        assert_eq!(client.page().await, kept, "{action}");
    }
}

#[tokio::test]
async fn a_pages_own_post_runs_where_the_parameter_names_no_action() {
    let app = Router::new()
        .route("/page", get(page).post(async || "its own"))
        .layer(actions().with_state(Greeting("Hello")))
        .layer(SessionLayer::new(sessions().await));
    let mut client = Client { app, cookie: None };
    for path in ["/page?_action=", "/page?_action", "/page?a=1&_action="] {
        assert_eq!(told(client.submit(path, "a=1").await).await.1, "its own", "{path}");
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_saved_is_told_as_an_error_of_the_action() {
    let mut client = Client::new().await;
    assert_eq!(client.call("grow", "").await.0, StatusCode::NO_CONTENT);
    let (status, body) = client.call("fill", "").await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(body.starts_with(r#"{"type":"AstroActionError","code":"CONTENT_TOO_LARGE""#), "{body}");
}

#[tokio::test]
async fn a_form_needs_a_session_and_says_so_by_its_status() {
    let app = Router::new().layer(actions().with_state(Greeting("Hello")));
    let mut client = Client { app, cookie: None };
    let response = client.submit("/page?_action=account.rename", "name=Bob").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(client.call("secret", "").await.0, StatusCode::UNAUTHORIZED, "a client needs none");
}

#[tokio::test]
async fn a_prerendered_page_takes_no_form() {
    let app = Router::new()
        .route("/about", get(async || "about"))
        .layer(actions().with_state(Greeting("Hello")))
        .layer(SessionLayer::new(sessions().await).prerendered(["/about"]));
    let mut client = Client { app, cookie: None };
    let response = client.submit("/about?_action=account.rename", "name=Bob").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn everything_that_calls_no_action_passes_untouched() {
    let mut client = Client::new().await;
    assert_eq!(client.page().await, "||");
    let response = client.send(Request::get("/_actions/greet"), "").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let response = client.send(Request::post("/page"), "").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn limits_bases_and_public_origins_are_the_sites_own() {
    let actions = Actions::new()
        .form("count", count)
        .base("/shop")
        .body_limit(10)
        .public_origin("https://public.example");
    let app = Router::new().layer(actions).layer(SessionLayer::new(sessions().await));
    let mut client = Client { app, cookie: None };
    let mut submit = async |path: &str, form: &str| {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "https://public.example");
        client.send(request, form).await.status()
    };
    assert_eq!(submit("/shop/_actions/count", "a=1").await, StatusCode::OK);
    assert_eq!(
        submit("/shop/_actions/count", "a=12345678901").await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(submit("/_actions/count", "a=1").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_whole_site_refuses_the_forms_of_others() {
    let app = Router::new()
        .route("/page", get(async || "page").post(async || "posted"))
        .layer(OriginLayer::new().public_origin("https://public.example"));
    let mut client = Client { app, cookie: None };
    let post = || Request::post("/page").header(header::CONTENT_TYPE, "text/plain");
    for (request, status) in [
        (post().header(header::ORIGIN, "https://shop.example"), StatusCode::OK),
        (post().header(header::ORIGIN, "https://public.example"), StatusCode::OK),
        (post().header("sec-fetch-site", "same-origin"), StatusCode::OK),
        (post().header("sec-fetch-site", "cross-site"), StatusCode::FORBIDDEN),
        (post().header(header::ORIGIN, "https://evil.example"), StatusCode::FORBIDDEN),
        (post(), StatusCode::FORBIDDEN),
        (Request::get("/page").header("sec-fetch-site", "cross-site"), StatusCode::OK),
    ] {
        assert_eq!(client.send(request, "").await.status(), status);
    }
}
