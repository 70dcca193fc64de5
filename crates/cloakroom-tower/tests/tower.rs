//! The layer around plain tower services. What goes over HTTP is in `behaviour.rs`.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cloakroom_session::adapter::Prerendered;
use cloakroom_session::testing::{TestSite, TestStore};
use cloakroom_session::{Error, Session};
use cloakroom_tower::SessionLayer;
use futures_util::FutureExt;
use http::{Request, Response, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

fn site() -> (SessionLayer, TestStore) {
    let site = TestSite::new();
    (SessionLayer::new(site.sessions().clone()), site.store().clone())
}

fn request(cookie: Option<&str>) -> Request<()> {
    let mut request = Request::new(());
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
    }
    request
}

fn session(request: &Request<()>) -> Session {
    request.extensions().get().cloned().unwrap()
}

/// What a browser would send back.
fn cookie<B>(response: &Response<B>) -> String {
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn keys(request: Request<()>) -> Result<Response<Full<Bytes>>, Error> {
    let keys = session(&request).keys().await?;
    Ok(Response::new(Full::from(keys.join(","))))
}

async fn set(request: Request<()>) -> Result<Response<Full<Bytes>>, Error> {
    session(&request).set("name", "Ann")?;
    Ok(Response::new(Full::default()))
}

#[tokio::test]
async fn a_plain_layer_reads_and_writes_before_and_after_the_handler() {
    #[derive(Clone)]
    struct Visit<S>(S);

    impl<S> Service<Request<()>> for Visit<S>
    where
        S: Service<Request<()>, Error = Error> + Clone + Send + 'static,
        S::Future: Send,
        S::Response: Send,
    {
        type Response = S::Response;
        type Error = Error;
        type Future = Pin<Box<dyn Future<Output = Result<S::Response, Error>> + Send>>;

        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
            self.0.poll_ready(context)
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            let mut handler = self.0.clone();
            Box::pin(async move {
                let session = session(&request);
                let visits: u32 = session.get("visits").await?.unwrap_or_default();
                session.set("visits", &(visits + 1))?;
                let response = handler.call(request).await?;
                session.set("answered", &session.get::<u32>("visits").await?)?;
                Ok(response)
            })
        }
    }

    let (sessions, _) = site();
    let app = ServiceBuilder::new()
        .layer(sessions)
        .layer_fn(Visit)
        .service(service_fn(keys))
        .boxed_clone();
    let response = app.clone().oneshot(request(None)).await.unwrap();
    let visitor = cookie(&response);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "visits");
    let response = app.oneshot(request(Some(&visitor))).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "visits,answered");
}

#[tokio::test]
async fn a_service_that_fails_without_a_response_saves_nothing() {
    let (sessions, store) = site();
    let app = sessions.layer(service_fn(async |request: Request<()>| {
        session(&request).set("name", "Ann").unwrap();
        Err::<Response<Full<Bytes>>, _>("no response")
    }));
    assert!(app.oneshot(request(None)).await.is_err());
    assert_eq!(store.calls(), 0);
}

#[tokio::test]
async fn the_cookies_header_is_marked_as_a_secret() {
    let (sessions, _) = site();
    let response = sessions.layer(service_fn(set)).oneshot(request(None)).await.unwrap();
    assert!(response.headers()[header::SET_COOKIE].is_sensitive());
}

/// A body of one frame that is known to be the last, and changes the session with it.
struct Late(Option<Session>);

impl Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let session = self.0.take();
        Poll::Ready(session.map(|session| {
            session.set("name", "late").unwrap();
            Ok(Frame::data(Bytes::from_static(b"all")))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

#[tokio::test]
async fn a_frame_that_is_known_to_be_the_last_waits_for_the_commit() {
    let (sessions, store) = site();
    let visitor = cookie(&sessions.layer(service_fn(set)).oneshot(request(None)).await.unwrap());
    let app = sessions.layer(service_fn(async |request: Request<()>| {
        let session = session(&request);
        session.get::<String>("name").await?;
        Ok::<_, Error>(Response::new(Late(Some(session))))
    }));
    let mut body = app.oneshot(request(Some(&visitor))).await.unwrap().into_body();
    let held = store.hold_next_write();
    assert!(body.frame().now_or_never().is_none(), "a server may not ask for what comes after it");
    drop(held);
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "all");
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_service_that_works_before_it_is_polled_has_its_session_too() {
    let (layer, _) = site();
    let service = ServiceBuilder::new().layer(layer).service(service_fn(|_: Request<()>| {
        let set = Session::current().and_then(|session| session.set("name", "Ann"));
        async move { set.map(|()| Response::new(Full::<Bytes>::default())) }
    }));
    let response = service.oneshot(request(None)).await.unwrap();
    assert!(cookie(&response).starts_with("astro-session="));
}

/// Puts `outer` in the session and answers in a task of its own, as who wants the handler to outlive the client.
fn in_a_task<S>(
    service: S,
) -> impl Service<Request<()>, Response = S::Response, Error = Error, Future: Send> + Clone
where
    S: Service<Request<()>, Error = Error, Future: Send + 'static> + Clone + Send + 'static,
    S::Response: Send + 'static,
{
    service_fn(move |request: Request<()>| {
        let set = session(&request).set("outer", &true);
        let handler = tokio::spawn(service.clone().oneshot(request));
        async move { set.and(handler.await.unwrap()) }
    })
}

#[tokio::test]
async fn a_layer_below_another_one_joins_it_from_a_task_of_its_own_too() {
    let (sessions, _) = site();
    let app = ServiceBuilder::new()
        .layer(sessions.clone())
        .layer_fn(in_a_task)
        .layer(sessions.clone())
        .service(service_fn(set));
    let response = app.oneshot(request(None)).await.unwrap();
    assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 1);
    let visitor = cookie(&response);
    let response = sessions.layer(service_fn(keys)).oneshot(request(Some(&visitor))).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "outer,name");
}

/// A request of a handler's own to the same services is not the request that it answers.
#[tokio::test]
async fn a_request_that_a_handler_makes_has_a_session_of_its_own() {
    let (sessions, _) = site();
    let inner = sessions.layer(service_fn(set));
    let app = sessions.layer(service_fn(move |request: Request<()>| {
        let (session, inner) = (session(&request), inner.clone());
        async move {
            session.set("outer", &true)?;
            let response = inner.oneshot(Request::new(())).await?;
            Ok::<_, Error>(Response::new(Full::<Bytes>::from(cookie(&response))))
        }
    }));
    let response = app.oneshot(request(None)).await.unwrap();
    let outer = cookie(&response);
    assert_ne!(response.into_body().collect().await.unwrap().to_bytes(), outer);
}

/// The page has no session of the outer ones, and nothing is left in the request that says it has none at all.
#[tokio::test]
async fn other_sessions_below_a_prerendered_page_are_there() {
    let (outer, _) = site();
    let (inner, _) = site();
    let handler = async |request: Request<()>| {
        let page = request.extensions().get::<Prerendered>().is_some();
        let session = request.extensions().get::<Session>().is_some();
        Ok::<_, Error>(Response::new(Full::<Bytes>::from(format!("{session} {page}"))))
    };
    let prerendered = || outer.clone().prerendered(["/"]);
    for (layers, expected) in
        [((prerendered(), inner.clone()), "true false"), ((inner, prerendered()), "false true")]
    {
        let app = layers.0.layer(layers.1.layer(service_fn(handler)));
        let response = app.oneshot(request(None)).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn a_layer_on_a_nested_router_joins_the_one_above() {
    use axum::body::Body;
    use axum::middleware::{Next, from_fn};
    use axum::routing::get;
    use cloakroom_tower::axum::{Result, Session};

    let handler = get(async |session: Session| -> Result<()> { session.set("name", "Ann") });
    let mark = async |session: Session, request: Request<Body>, next: Next| {
        session.set("outer", &true).unwrap();
        next.run(request).await
    };
    let (sessions, _) = site();
    let on_method = handler.clone().layer(sessions.clone());
    let nested = axum::Router::new().route("/method", on_method).route("/router", handler);
    let app = axum::Router::new()
        .nest("/nested", nested.layer(sessions.clone()))
        .layer(from_fn(mark))
        .layer(sessions);
    for path in ["/nested/method", "/nested/router"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers().get_all(header::SET_COOKIE).iter().count(), 1, "{path}");
    }
}
