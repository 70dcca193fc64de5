//! What is actix-web's own. What holds for every framework is in `behaviour.rs`.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorForbidden, InternalError};
use actix_web::http::header::{COOKIE, HeaderMap, SET_COOKIE};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse, web};
use bytes::Bytes;
use cloakroom_actix::{Result, Session, SessionError, SessionMiddleware};
use cloakroom_session::testing::{TestSite, TestStore};
use cloakroom_storage::ErrorKind;
use futures_util::{FutureExt, future, stream};

fn site() -> (SessionMiddleware, TestStore) {
    let site = TestSite::new();
    (SessionMiddleware::new(site.sessions().clone()), site.store().clone())
}

async fn name(session: Session) -> Result<String> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

async fn set(session: Session) -> Result<&'static str> {
    session.set("name", "Ann")?;
    Ok("")
}

/// What a browser would send back.
fn cookie(headers: &HeaderMap) -> String {
    let cookie = headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(path)
}

/// A middleware that turns visitors away, after it has noted that they came.
async fn refuse(
    session: Session,
    _: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse<actix_web::body::BoxBody>, Error> {
    session.set("name", "Ann").map_err(SessionError::from)?;
    Err(ErrorForbidden("not for you"))
}

#[actix_web::test]
async fn an_error_that_a_middleware_returns_saves_the_session_and_sends_its_cookie() {
    let (sessions, _) = site();
    let refused = web::get().to(name).wrap(from_fn(refuse));
    let app = App::new().route("/refused", refused).route("/name", web::get().to(name));
    let app = init_service(app.wrap(sessions)).await;
    let error = try_call_service(&app, get("/refused").to_request()).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), 403);
    let visitor = cookie(response.headers());
    let request = get("/name").insert_header((COOKIE, visitor)).to_request();
    assert_eq!(read_body(app.call(request).await.unwrap()).await, "Ann");
}

#[actix_web::test]
async fn an_error_of_a_request_that_left_its_session_alone_passes_as_it_is() {
    #[derive(Debug)]
    struct OfTheSite;

    impl std::fmt::Display for OfTheSite {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("of the site")
        }
    }

    impl actix_web::ResponseError for OfTheSite {}

    let (sessions, _) = site();
    let app = App::new()
        .route("/", web::get().to(name))
        .wrap_fn(|_, _| future::err::<ServiceResponse, Error>(OfTheSite.into()));
    let app = init_service(app.wrap(sessions)).await;
    let error = try_call_service(&app, get("/").to_request()).await.unwrap_err();
    assert!(error.as_error::<OfTheSite>().is_some());
}

#[actix_web::test]
async fn the_cookies_header_is_marked_as_a_secret() {
    let (sessions, _) = site();
    let app = init_service(App::new().route("/", web::get().to(set)).wrap(sessions)).await;
    let response = app.call(get("/").to_request()).await.unwrap();
    assert!(response.headers().get(SET_COOKIE).unwrap().is_sensitive());
}

#[actix_web::test]
async fn a_body_that_holds_the_request_holds_no_session_and_is_told() {
    async fn late(request: HttpRequest) -> HttpResponse {
        HttpResponse::Ok().streaming(stream::once(async move {
            let session = Session::extract(&request).await;
            Ok::<_, Infallible>(Bytes::from(session.unwrap_err().to_string()))
        }))
    }

    let (sessions, store) = site();
    let app = init_service(App::new().route("/late", web::get().to(late)).wrap(sessions)).await;
    let response = app.call(get("/late").to_request()).await.unwrap();
    assert!(response.headers().iter().all(|(name, _)| name == "content-type"));
    let text = read_body(response).await;
    assert!(String::from_utf8_lossy(&text).contains("let the body hold it"), "{text:?}");
    assert_eq!(store.calls(), 0);
}

/// A body of known length that changes the session with its only chunk.
struct Late(Option<cloakroom_session::Session>);

impl MessageBody for Late {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(3)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let session = self.0.take();
        Poll::Ready(session.map(|session| {
            session.set("name", "late").unwrap();
            Ok(Bytes::from_static(b"all"))
        }))
    }
}

#[actix_web::test]
async fn a_chunk_that_completes_the_length_waits_for_the_commit() {
    async fn late(session: Session) -> Result<HttpResponse<Late>> {
        session.get::<String>("name").await?;
        Ok(HttpResponse::Ok().message_body(Late(Some(session.into()))).unwrap())
    }

    let (sessions, store) = site();
    let app = App::new().route("/set", web::get().to(set)).service(web::resource("/late").to(late));
    let app = init_service(app.wrap(sessions)).await;
    let visitor = cookie(app.call(get("/set").to_request()).await.unwrap().headers());
    let request = get("/late").insert_header((COOKIE, visitor)).to_request();
    let mut body = Box::pin(app.call(request).await.unwrap().into_body());
    let mut next = future::poll_fn(|context| body.as_mut().poll_next(context));
    let held = store.hold_next_write();
    assert!((&mut next).now_or_never().is_none(), "a client has all that it waits for");
    drop(held);
    assert_eq!(next.await.unwrap().unwrap(), "all");
}

/// An error that comes with a cookie.
async fn refuse_with_a_cookie(
    session: Session,
    _: ServiceRequest,
    _: Next<impl MessageBody>,
) -> Result<ServiceResponse<actix_web::body::BoxBody>, Error> {
    session.set("name", "Ann").map_err(SessionError::from)?;
    let cookies = [Cookie::new("remember-me", "secret"), Cookie::new("astro-session", "theirs")];
    let mut response = HttpResponse::Forbidden();
    cookies.into_iter().for_each(|cookie| _ = response.cookie(cookie));
    Err(InternalError::from_response("not for you", response.finish()).into())
}

#[actix_web::test]
async fn an_error_that_a_middleware_returns_is_taken_back_where_the_commit_failed() {
    let (sessions, store) = site();
    let refused = web::get().to(name).wrap(from_fn(refuse_with_a_cookie));
    let app = init_service(App::new().route("/", refused).wrap(sessions)).await;
    let error = try_call_service(&app, get("/").to_request()).await.unwrap_err();
    let response = error.error_response();
    let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).collect();
    assert_eq!((response.status().as_u16(), cookies.len()), (403, 2), "{cookies:?}");
    assert_eq!(cookies[0], "remember-me=secret");
    assert!(!cookies[1].to_str().unwrap().contains("theirs"));

    store.fail_writes(Some(ErrorKind::Unavailable));
    let error = try_call_service(&app, get("/").to_request()).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[actix_web::test]
async fn an_error_that_passes_two_middlewares_gets_one_cookie() {
    let (sessions, _) = site();
    let refused = web::get().to(name).wrap(from_fn(refuse));
    let scope = web::scope("/scope").route("", refused).wrap(sessions.clone());
    let app = init_service(App::new().service(scope).wrap(sessions)).await;
    let error = try_call_service(&app, get("/scope").to_request()).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(
        (response.status().as_u16(), response.headers().get_all(SET_COOKIE).count()),
        (403, 1)
    );
}

/// As a timeout does, between the two.
async fn give_up(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<actix_web::body::BoxBody>, Error> {
    let plain = request.request().clone();
    assert!(next.call(request).now_or_never().is_none());
    let session = Session::extract(&plain).await?;
    session.set("name", "Ann").map_err(SessionError::from)?;
    Ok(ServiceResponse::new(plain, HttpResponse::GatewayTimeout().finish()))
}

#[actix_web::test]
async fn a_middleware_that_gives_up_on_another_one_has_its_own_session_again() {
    let (sessions, _) = site();
    let (others, _) = site();
    let handler = web::get().to(async |_: Session| future::pending::<HttpResponse>().await);
    let slow = web::resource("/slow").route(handler).wrap(others).wrap(from_fn(give_up));
    let app = App::new().service(slow).route("/name", web::get().to(name)).wrap(sessions);
    let app = init_service(app).await;
    let response = app.call(get("/slow").to_request()).await.unwrap();
    assert_eq!(response.status(), 504);
    let visitor = cookie(response.headers());
    let request = get("/name").insert_header((COOKIE, visitor)).to_request();
    assert_eq!(read_body(app.call(request).await.unwrap()).await, "Ann");
}
