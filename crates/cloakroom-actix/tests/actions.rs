//! Actions as Astro's client and forms without a script call them.

#![allow(clippy::unwrap_used)]

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION, ORIGIN, REFERER, SET_COOKIE,
};
use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
use actix_web::{App, web};
use cloakroom_actions::{ActionError, ErrorCode, FormData, Result, Submitted};
use cloakroom_actix::{Actions, Input, OriginMiddleware, Session, SessionMiddleware, Valid};
use cloakroom_session::Key;
use cloakroom_session::testing::{TestSite, TestStore};
use cloakroom_storage::ErrorKind;
use garde::Validate;
use serde::Deserialize;

const CART: Key<Vec<String>> = Key::new("cart");

#[derive(Deserialize)]
struct Add {
    item: String,
}

#[derive(Deserialize, Validate)]
struct LogIn {
    #[garde(length(chars, min = 2))]
    name: String,
}

async fn add(session: Session, Input(add): Input<Add>) -> Result<Vec<String>> {
    Ok(session.update(CART, |cart| cart.push(add.item.clone())).await?)
}

async fn nothing() -> Result<()> {
    Ok(())
}

async fn log_in(session: Session, Valid(form): Valid<LogIn>) -> Result<String> {
    session.set("user", &form.name)?;
    Ok(form.name)
}

async fn unexpected() -> Result<u32> {
    Ok("secret".parse()?)
}

async fn refused() -> Result<(), ActionError> {
    Err(ActionError::new(ErrorCode::Unauthorized, "Please log in first."))
}

async fn query(_: web::Query<Add>) -> Result<()> {
    Ok(())
}

async fn any(Input(form): Input<FormData>) -> Result<usize> {
    Ok(form.iter().count())
}

/// A page that tells how the log-in went.
async fn page(session: Session) -> cloakroom_actix::Result<String> {
    let form: Submitted<String> = Submitted::take(&session, "account.logIn").await?;
    let errors: Vec<&str> = form.field_errors("name").collect();
    let errors = errors.join(" ");
    let typed = form.input.value("name");
    Ok(match form.result {
        Some(Ok(name)) => format!("Hello {name}"),
        Some(Err(_)) => format!("{typed}: {errors}"),
        None => "Who are you?".to_owned(),
    })
}

fn actions() -> Actions {
    Actions::new()
        .json("cart.add", add)
        .json("nothing", nothing)
        .json("unexpected", unexpected)
        .json("refused", refused)
        .json("query", query)
        .form("any", any)
        .group("account", Actions::new().form("logIn", log_in))
        .body_limit(200)
}

fn sessions() -> (SessionMiddleware, TestStore) {
    let site = TestSite::new();
    (SessionMiddleware::new(site.sessions().clone()), site.store().clone())
}

/// The site, whose type has no name.
macro_rules! site {
    ($sessions:expr) => {
        init_service(
            App::new().route("/login", web::get().to(page)).wrap(actions()).wrap($sessions),
        )
        .await
    };
}

fn post(path: &str) -> TestRequest {
    TestRequest::post().uri(path)
}

fn json(path: &str, text: &'static str) -> TestRequest {
    post(path).insert_header((CONTENT_TYPE, "application/json")).set_payload(text)
}

fn form(path: &str, text: &'static str) -> TestRequest {
    post(path)
        .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .insert_header(("sec-fetch-site", "same-origin"))
        .insert_header((HOST, "shop.example"))
        .set_payload(text)
}

fn header<B>(response: &ServiceResponse<B>, name: HeaderName) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// What a browser would send back.
fn cookie<B>(response: &ServiceResponse<B>) -> String {
    header(response, SET_COOKIE).split(';').next().unwrap().to_owned()
}

/// Status, content type and body.
async fn all(response: ServiceResponse<impl MessageBody>) -> (u16, String, String) {
    let (status, content_type) = (response.status().as_u16(), header(&response, CONTENT_TYPE));
    let body = read_body(response).await;
    (status, content_type, String::from_utf8(body.into()).unwrap())
}

fn error(code: &str, status: u16, message: &str) -> (u16, String, String) {
    let body = format!(
        r#"{{"type":"AstroActionError","code":"{code}","status":{status},"message":"{message}"}}"#
    );
    (status, "application/json".to_owned(), body)
}

#[actix_web::test]
async fn a_client_gets_the_outcome_and_the_session_is_saved() {
    let (sessions, _) = sessions();
    let app = site!(sessions);
    let first = json("/_actions/cart.add", r#"{"item":"scarf"}"#).send_request(&app).await;
    let visitor = cookie(&first);
    let data = |body: &str| (200, "application/json+devalue".to_owned(), body.to_owned());
    assert_eq!(all(first).await, data(r#"[[1],"scarf"]"#));
    let second = json("/_actions/cart.add", r#"{"item":"hat"}"#);
    let second = second.insert_header((COOKIE, visitor)).send_request(&app).await;
    assert_eq!(all(second).await, data(r#"[[1,2],"scarf","hat"]"#));
    let nothing = json("/_actions/nothing", "").send_request(&app).await;
    assert_eq!(all(nothing).await, (204, String::new(), String::new()));
}

#[actix_web::test]
async fn what_is_wrong_with_an_input_is_told_field_by_field() {
    let (sessions, _) = sessions();
    let app = site!(sessions);
    for request in
        [json("/_actions/cart.add", r#"{"item":1}"#), form("/_actions/account.logIn", "name=A")]
    {
        let (status, content_type, body) = all(request.send_request(&app).await).await;
        assert_eq!((status, content_type.as_str()), (400, "application/json"));
        assert!(body.starts_with(r#"{"type":"AstroActionInputError","issues":[{"#), "{body}");
        assert!(body.contains(r#""fields":{""#), "{body}");
    }
}

#[actix_web::test]
async fn an_error_says_what_it_was_meant_to_and_nothing_else() {
    let (sessions, _) = sessions();
    let app = site!(sessions);
    let answer = all(json("/_actions/refused", "").send_request(&app).await).await;
    assert_eq!(answer, error("UNAUTHORIZED", 401, "Please log in first."));
    let answer = all(json("/_actions/unexpected", "").send_request(&app).await).await;
    let sentence = "Something went wrong on our side.";
    assert_eq!(answer, error("INTERNAL_SERVER_ERROR", 500, sentence));
    // An extractor of actix-web's own.
    let (status, _, body) = all(json("/_actions/query", "").send_request(&app).await).await;
    assert_eq!(status, 400);
    assert!(body.contains(r#""code":"BAD_REQUEST""#) && body.contains("missing field"), "{body}");
}

#[actix_web::test]
async fn what_no_action_takes_is_refused() {
    let (sessions, _) = sessions();
    let app = site!(sessions);
    let unknown = json("/_actions/unknown", "").send_request(&app).await;
    assert_eq!(all(unknown).await, error("NOT_FOUND", 404, ""));
    let other = form("/_actions/cart.add", "item=scarf").send_request(&app).await;
    let sentence = "This action only accepts JSON.";
    assert_eq!(all(other).await, error("UNSUPPORTED_MEDIA_TYPE", 415, sentence));
    let long = form("/_actions/any", "").set_payload("x".repeat(201)).send_request(&app).await;
    let sentence = "Request body exceeds 200 bytes";
    assert_eq!(all(long).await, error("CONTENT_TOO_LARGE", 413, sentence));
    let get = TestRequest::get().uri("/_actions/nothing").send_request(&app).await;
    assert_eq!(get.status(), 404);
}

#[actix_web::test]
async fn a_form_leads_to_a_page_that_tells_how_it_ended() {
    let (sessions, _) = sessions();
    let app = site!(sessions);
    let sent = form("/login?_action=account.logIn", "name=Ada").send_request(&app).await;
    assert_eq!((sent.status().as_u16(), header(&sent, LOCATION).as_str()), (303, "/login"));
    let visitor = cookie(&sent);
    for text in ["Hello Ada", "Who are you?"] {
        let page = TestRequest::get().uri("/login").insert_header((COOKIE, visitor.clone()));
        assert_eq!(read_body(page.send_request(&app).await).await, text);
    }

    let failed = form("/?_action=account.logIn", "name=A")
        .insert_header((REFERER, "http://shop.example/login?a=1"));
    let failed = failed.send_request(&app).await;
    let page = header(&failed, LOCATION);
    assert_eq!((failed.status().as_u16(), page.as_str()), (303, "/login?a=1"));
    let page = TestRequest::get().uri(&page).insert_header((COOKIE, cookie(&failed)));
    let text = read_body(page.send_request(&app).await).await;
    assert!(text.starts_with(b"A: length is lower than 2"), "{text:?}");
}

#[actix_web::test]
async fn a_form_whose_action_there_is_not_leads_back_to_its_page() {
    let (sessions, _) = sessions();
    let app = site!(sessions);
    let sent = form("/?_action=nope", "name=Ada")
        .insert_header((REFERER, "http://shop.example/login"))
        .send_request(&app)
        .await;
    assert_eq!((sent.status().as_u16(), header(&sent, LOCATION).as_str()), (303, "/login"));
    assert!(!cookie(&sent).is_empty(), "the page is told");
}

#[actix_web::test]
async fn another_sites_form_is_refused() {
    let refused = "Cross-site POST form submissions are forbidden".to_owned();
    let refused = (403, "text/plain;charset=UTF-8".to_owned(), refused);
    let evil = || {
        let form = form("/login?_action=account.logIn", "name=Ada");
        form.insert_header(("sec-fetch-site", "cross-site"))
    };
    let (sessions, store) = sessions();
    let app = site!(sessions);
    assert_eq!(all(evil().send_request(&app).await).await, refused);
    assert_eq!(store.calls(), 0);

    let check = OriginMiddleware::new().public_origin("https://shop.example");
    let app = init_service(App::new().wrap(check)).await;
    assert_eq!(all(evil().send_request(&app).await).await, refused);
    let own = evil().insert_header((ORIGIN, "https://shop.example")).send_request(&app).await;
    assert_eq!(own.status(), 404);
}

#[actix_web::test]
async fn a_commit_that_fails_is_told_as_the_caller_understands_it() {
    let (sessions, store) = sessions();
    let app = site!(sessions);
    store.fail_writes(Some(ErrorKind::StorageFull));
    let request = form("/_actions/account.logIn", "name=Ada").to_request();
    let response = try_call_service(&app, request).await.err().unwrap().error_response();
    assert!(response.status().is_server_error());
    assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), "application/json");
    let body = response.into_body().try_into_bytes().unwrap();
    assert!(body.starts_with(br#"{"type":"AstroActionError","code":""#), "{body:?}");

    let request = form("/login?_action=account.logIn", "name=Ada").to_request();
    let response = try_call_service(&app, request).await.err().unwrap().error_response();
    assert!(response.headers().get(CONTENT_TYPE).unwrap().as_bytes().starts_with(b"text/plain"));
}

#[actix_web::test]
async fn a_form_outside_of_the_session_middleware_is_told_how_to_get_there() {
    let app = init_service(App::new().wrap(actions())).await;
    let sent = form("/login?_action=account.logIn", "name=Ada").send_request(&app).await;
    let (status, _, body) = all(sent).await;
    assert!(status == 500 && body.contains(".wrap(actions)"), "{body}");
}
