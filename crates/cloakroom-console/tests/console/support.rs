//! A site, and requests to its console.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request};
use cloakroom_console::Console;
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, Session, SessionId, Sessions, StoredHandle};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

/// A form that a page of the console has sent.
pub(crate) const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether the page has all of these.
    #[track_caller]
    pub(crate) fn has(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.text.contains(part), "there is no {part:?} in {}", self.text);
        }
    }
}

pub(crate) async fn call(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, text }
}

pub(crate) async fn get(app: &Router, path: &str) -> Answer {
    call(app, request("GET", path, &[], "")).await
}

pub(crate) async fn post(app: &Router, path: &str, headers: &[(&str, &str)], form: &str) -> Answer {
    call(app, request("POST", path, headers, form)).await
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    form: &str,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if headers.iter().all(|(name, _)| *name != "host") {
        request = request.header("host", "localhost:3998");
    }
    if !form.is_empty() {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(form.to_owned())).unwrap()
}

/// The console of these sessions, which looks at the store as often as it may.
pub(crate) fn console(sessions: &Sessions) -> Console {
    Console::new(sessions.clone()).interval(Duration::from_millis(20))
}

pub(crate) fn app(site: &TestSite) -> Router {
    console(site.sessions()).into_router()
}

/// A site that notes when its sessions began.
pub(crate) fn site() -> TestSite {
    let mut config = Config::new("memory");
    config.absolute = Some(Duration::from_secs(86_400));
    TestSite::with(config)
}

/// Somebody who is signed in, with what this sets.
pub(crate) async fn signed_in(
    site: &TestSite,
    principal: &str,
    fill: impl FnOnce(&Session),
) -> SessionId {
    let session = site.session();
    fill(&session);
    session.sign_in(principal).await.unwrap();
    site.commit(&session).await.unwrap().id().unwrap()
}

/// The first page once a walk has found so many sessions.
pub(crate) async fn counted(app: &Router, sessions: usize) -> Answer {
    let wanted = format!("<dt>live</dt><dd>{sessions}</dd>");
    loop {
        let answer = get(app, "/").await;
        if answer.text.contains(&wanted) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

/// Where a session's page is, and what is below it.
pub(crate) fn page_of(id: SessionId) -> String {
    format!("/sessions/{}", StoredHandle::from(id))
}
