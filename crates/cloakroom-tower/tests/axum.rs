//! The layer and the extractor in a real axum router: what goes over the wire.

#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode, header};
use axum::routing::get;
use axum::{Router, middleware};
use cloakroom_session::storage::{ErrorKind as StorageKind, ItemKey, When};
use cloakroom_session::{Config, Sessions};
use cloakroom_tower::SessionLayer;
use cloakroom_tower::axum::{Result, Session};
use common::{Faulty, call, cookie, id_of, text};
use futures_util::{FutureExt, stream};
use http_body_util::BodyExt;

async fn site() -> (Router, Faulty) {
    let faulty = Faulty::new().await;
    let sessions = Sessions::with_driver(Arc::new(faulty.clone()), &Config::new("memory")).unwrap();
    (app(sessions), faulty)
}

fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/plain", get(async || "plain"))
        .route("/read", get(async |session: Session| read(&session).await))
        .route("/has", get(has))
        .route("/set/{value}", get(set))
        .route("/cached", get(cached))
        .route("/fail", get(fail))
        .route("/logout", get(async |session: Session| session.destroy()))
        .route("/login", get(login))
        .route("/huge", get(huge))
        .route("/stream", get(stream_that_reads_first))
        .route("/stream-blind", get(stream_that_only_sets))
        .route("/optional", get(async |session: Option<Session>| session.is_some().to_string()))
        .layer(SessionLayer::new(sessions))
        .route("/static", get(async |session: Session| read(&session).await))
        .route(
            "/static-optional",
            get(async |session: Option<Session>| session.is_some().to_string()),
        )
}

async fn read(session: &Session) -> Result<String> {
    Ok(session.get("name").await?.unwrap_or_else(|| "nobody".to_owned()))
}

async fn has(session: Session) -> Result<String> {
    Ok(session.has("name").await?.to_string())
}

async fn keys(session: Session) -> Result<String> {
    Ok(session.keys().await?.join(","))
}

async fn login(session: Session) -> Result<()> {
    Ok(session.regenerate().await?)
}

async fn huge(session: Session) -> Result<()> {
    Ok(session.set("huge", &"x".repeat(5 << 20))?)
}

async fn set(session: Session, value: axum::extract::Path<String>) -> Result<()> {
    Ok(session.set("name", &*value)?)
}

async fn cached(session: Session) -> Result<([(header::HeaderName, &'static str); 2], ())> {
    session.set("name", "Ann")?;
    Ok(([(header::CACHE_CONTROL, "private"), (header::VARY, "Accept, cookie")], ()))
}

async fn fail(session: Session) -> Result<StatusCode> {
    session.set("name", "Ann")?;
    Ok(StatusCode::IM_A_TEAPOT)
}

async fn stream_that_reads_first(session: Session) -> Result<Body> {
    let before = read(&session).await?;
    let frames = stream::unfold(Some((session, before)), async |state| {
        let (session, before) = state?;
        let frame = session.set("name", "late").map(|()| Bytes::from(before));
        Some((frame, None))
    });
    Ok(Body::from_stream(frames))
}

async fn stream_that_only_sets(session: Session) -> Body {
    let frames = stream::once(async move {
        let outcome = session.set("name", "late").map_err(|error| format!("{:?}", error.kind()));
        std::result::Result::<_, std::io::Error>::Ok(Bytes::from(format!("{outcome:?}")))
    });
    Body::from_stream(frames)
}

fn header(response: &Response<Body>, name: header::HeaderName) -> Vec<&str> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_session_lives_from_one_request_to_the_next() {
    let (app, _) = site().await;
    let response = call(&app, "/set/Ann", None).await;
    let cookie = cookie(&response).unwrap();
    assert_eq!(text(call(&app, "/read", Some(&cookie)).await).await, "Ann");
    assert_eq!(text(call(&app, "/read", None).await).await, "nobody");
}

#[tokio::test]
async fn an_untouched_session_leaves_the_response_alone() {
    let (app, faulty) = site().await;
    let response =
        call(&app, "/plain", Some("astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11")).await;
    assert_eq!(
        response.headers().len(),
        2,
        "content-type and content-length: {:?}",
        response.headers()
    );
    assert_eq!(faulty.calls(), 0);
}

#[tokio::test]
async fn a_read_adds_vary_and_nothing_else() {
    let (app, _) = site().await;
    for path in ["/read", "/has"] {
        let response = call(&app, path, None).await;
        assert_eq!(header(&response, header::VARY), ["Cookie"]);
        assert!(header(&response, header::SET_COOKIE).is_empty());
        assert!(header(&response, header::CACHE_CONTROL).is_empty());
    }
}

#[tokio::test]
async fn a_write_sends_one_cookie_and_keeps_caches_away() {
    let (app, _) = site().await;
    let response = call(&app, "/set/Ann", None).await;
    let cookies = header(&response, header::SET_COOKIE);
    assert_eq!(cookies.len(), 1);
    assert!(cookies[0].ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"), "{}", cookies[0]);
    assert_eq!(header(&response, header::CACHE_CONTROL), ["no-store"]);
    assert_eq!(header(&response, header::VARY), ["Cookie"]);
}

#[tokio::test]
async fn what_the_handler_said_about_caching_stands() {
    let (app, _) = site().await;
    let response = call(&app, "/cached", None).await;
    assert_eq!(header(&response, header::CACHE_CONTROL), ["private"]);
    assert_eq!(header(&response, header::VARY), ["Accept, cookie"]);
}

#[tokio::test]
async fn a_response_that_is_an_error_saves_the_session_and_sends_its_cookie() {
    let (app, _) = site().await;
    let response = call(&app, "/fail", None).await;
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    let cookie = cookie(&response).unwrap();
    assert_eq!(text(call(&app, "/read", Some(&cookie)).await).await, "Ann");
}

#[tokio::test]
async fn a_login_moves_the_session_and_a_logout_ends_it() {
    let (app, _) = site().await;
    let before = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    let after = cookie(&call(&app, "/login", Some(&before)).await).unwrap();
    assert_ne!(id_of(&before), id_of(&after));
    assert_eq!(text(call(&app, "/read", Some(&before)).await).await, "nobody");
    assert_eq!(text(call(&app, "/read", Some(&after)).await).await, "Ann");

    let response = call(&app, "/logout", Some(&after)).await;
    assert!(
        header(&response, header::SET_COOKIE)[0]
            .starts_with("astro-session=deleted; Path=/; Expires=")
    );
    assert_eq!(text(call(&app, "/read", Some(&after)).await).await, "nobody");
}

#[tokio::test]
async fn a_route_without_sessions_says_so() {
    let (app, _) = site().await;
    let response = call(&app, "/static", None).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let message = text(response).await;
    assert!(message.contains("/static") && message.contains("SessionLayer"), "{message}");
    assert_eq!(text(call(&app, "/static-optional", None).await).await, "false");
    assert_eq!(text(call(&app, "/optional", None).await).await, "true");
}

#[tokio::test]
async fn a_store_that_is_down_is_503_with_retry_after_and_no_cookie() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    faulty.fail(Some(StorageKind::Unavailable));
    for path in ["/read", "/set/Bob", "/login", "/logout"] {
        let response = call(&app, path, Some(&cookie)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(response.headers().contains_key(header::RETRY_AFTER), "{path}");
        assert!(header(&response, header::SET_COOKIE).is_empty(), "{path}");
    }
    assert_eq!(call(&app, "/set/Bob", None).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(call(&app, "/plain", Some(&cookie)).await.status(), StatusCode::OK);
    faulty.fail(None);
    assert_eq!(
        text(call(&app, "/read", Some(&cookie)).await).await,
        "Ann",
        "back without a restart"
    );
}

#[tokio::test]
async fn a_full_store_is_500_and_the_session_is_as_it_was() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    faulty.fail_writes(Some(StorageKind::StorageFull));
    let response = call(&app, "/set/Bob", Some(&cookie)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(header(&response, header::SET_COOKIE).is_empty());
    assert_eq!(text(call(&app, "/read", Some(&cookie)).await).await, "Ann");
}

#[tokio::test]
async fn a_corrupt_record_is_500_and_its_bytes_are_kept() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    let key = ItemKey::new(id_of(&cookie)).unwrap();
    let _ =
        faulty.inner().set(&key, Bytes::from_static(b"broken"), When::Always, None).await.unwrap();
    for path in ["/read", "/set/Bob"] {
        let response = call(&app, path, Some(&cookie)).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(header(&response, header::SET_COOKIE).is_empty());
        let body = text(response).await;
        assert!(!body.contains(id_of(&cookie)) && body.contains("left as it is"), "{body}");
    }
    let kept = faulty.inner().get(&key).await.unwrap().unwrap();
    assert_eq!(kept.value, "broken");
}

#[tokio::test]
async fn an_oversized_value_is_413() {
    let (app, _) = site().await;
    let response = call(&app, "/huge", None).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(header(&response, header::SET_COOKIE).is_empty());
}

#[tokio::test]
async fn a_body_that_streams_can_still_change_a_session_that_exists() {
    let (app, _) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    assert_eq!(text(call(&app, "/stream", Some(&cookie)).await).await, "Ann");
    assert_eq!(text(call(&app, "/read", Some(&cookie)).await).await, "late");
}

#[tokio::test]
async fn a_body_that_streams_cannot_create_a_session_and_is_told() {
    let (app, faulty) = site().await;
    assert_eq!(text(call(&app, "/stream-blind", None).await).await, r#"Err("ResponseStarted")"#);
    assert_eq!(faulty.calls(), 0);
}

#[tokio::test]
async fn a_late_change_that_cannot_be_saved_breaks_the_body_off() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    let response = call(&app, "/stream", Some(&cookie)).await;
    faulty.fail_writes(Some(StorageKind::Unavailable));
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn what_a_stream_changed_is_saved_even_when_the_client_goes_away() {
    let (app, faulty) = site().await;
    let cookie = cookie(&call(&app, "/set/Ann", None).await).unwrap();
    let mut body = call(&app, "/stream", Some(&cookie)).await.into_body();
    body.frame().await.unwrap().unwrap();
    faulty.block_writes(true);
    assert!(body.frame().now_or_never().is_none(), "the body ended before its change was saved");
    drop(body);
    faulty.block_writes(false);
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while text(call(&app, "/read", Some(&cookie)).await).await != "late" {
        assert!(std::time::Instant::now() < deadline, "the change was never saved");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn middleware_reads_and_writes_before_and_after_the_handler() {
    async fn visit(
        session: Session,
        request: Request<Body>,
        next: middleware::Next,
    ) -> Result<Response<Body>> {
        session.set("before", "yes")?;
        let response = next.run(request).await;
        session.set("after", "yes")?;
        Ok(response)
    }
    let sessions = Sessions::from_config(Config::new("memory")).await.unwrap();
    let app = Router::new()
        .route("/", get(keys))
        .layer(middleware::from_fn(visit))
        .layer(SessionLayer::new(sessions));
    let response = call(&app, "/", None).await;
    let cookie = cookie(&response).unwrap();
    assert_eq!(text(response).await, "before");
    assert_eq!(text(call(&app, "/", Some(&cookie)).await).await, "before,after");
}

#[tokio::test]
async fn a_session_that_only_a_streamed_body_reads_is_in_use() {
    let faulty = Faulty::new().await;
    let mut config = Config::new("memory");
    config.idle = Some(Duration::from_secs(60));
    config.touch_interval = Some(Duration::ZERO);
    let sessions = Sessions::with_driver(Arc::new(faulty.clone()), &config).unwrap();
    let streamed = async |session: Session| {
        Body::from_stream(stream::once(async move {
            let name = read(&session).await.map_err(|error| error.to_string())?;
            std::result::Result::<_, String>::Ok(name)
        }))
    };
    let app = Router::new()
        .route("/set/{value}", get(set))
        .route("/streamed", get(streamed))
        .layer(SessionLayer::new(sessions));
    let visitor = cookie(&call(&app, "/set/Ada", None).await).unwrap();
    let before = faulty.calls();
    assert_eq!(text(call(&app, "/streamed", Some(&visitor)).await).await, "Ada");
    assert_eq!(faulty.calls() - before, 2, "one call reads it, and one moves its deadline");
}
