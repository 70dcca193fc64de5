//! axum, held to what has to hold in every framework.

#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloakroom_session::OutagePolicy;
use cloakroom_tower::axum::{Result, Session};
use cloakroom_tower::{OutageLayer, SessionLayer};
use interop_behaviour::{Framework, PRERENDERED, Reply, ReplyBody, Site, current, optional};

struct Axum;

impl Framework for Axum {
    async fn serve(listener: TcpListener, site: Site) -> std::io::Result<()> {
        let mut sessions = SessionLayer::new(site.sessions.clone()).prerendered(PRERENDERED);
        if let Some(policy) = site.outage {
            sessions = sessions.outage(policy);
        }
        let on_route = |policy| get(handle).layer(OutageLayer::new(policy));
        let with_optional =
            get(async |session: Option<Session>| response(optional(session.as_deref())));
        let bare = get(async || response(current()));
        let app = Router::new()
            .route("/unavailable", on_route(OutagePolicy::Unavailable))
            .route("/read-only", on_route(OutagePolicy::ReadOnly))
            .route("/anonymous", on_route(OutagePolicy::Anonymous))
            .route("/visited", get(handle).layer(from_fn(visit)))
            .route("/optional", with_optional.clone())
            .route("/static/optional", with_optional.clone())
            .route("/bare", bare.clone())
            .route("/static/bare", bare.clone())
            .fallback(handle)
            .layer(sessions)
            .route("/outside", get(handle))
            .route("/outside/optional", with_optional)
            .route("/outside/bare", bare)
            .with_state(site);
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    }
}

async fn handle(session: Session, State(site): State<Site>, uri: Uri) -> Result<Response> {
    Ok(response(site.answer(&session, uri.path()).await?))
}

async fn visit(session: Session, request: Request, next: Next) -> Result<Response> {
    Site::before(&session).await?;
    let response = next.run(request).await;
    Site::after(&session).await?;
    Ok(response)
}

fn response(reply: Reply) -> Response {
    let body = match reply.body {
        ReplyBody::Bytes(bytes) => Body::from(bytes),
        ReplyBody::Stream(stream) => Body::from_stream(stream),
    };
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), body).into_response();
    for (name, value) in reply.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

interop_behaviour::behaviours!(Axum);
