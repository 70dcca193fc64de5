//! axum, held to what has to hold in every framework.

#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use cloakroom_session::OutagePolicy;
use cloakroom_tower::axum::{Principal, Result, ReturnTo, Session};
use cloakroom_tower::{OutageLayer, RequirePrincipal, RequireRecent, SessionLayer};
use interop_behaviour::{
    CONFIRM, Framework, OUTAGE_TWICE, PRERENDERED, PRERENDERED_TWICE, RECENT, Reply, ReplyBody,
    SIGN_IN, Site, current, optional, returning, whose,
};

struct Axum;

impl Framework for Axum {
    async fn serve(listener: TcpListener, site: Site) -> std::io::Result<()> {
        let mut sessions = SessionLayer::new(site.sessions.clone()).prerendered(PRERENDERED);
        if let Some(policy) = site.outage {
            sessions = sessions.outage(policy);
        }
        let on_route = |policy| get(handle).layer(OutageLayer::new(policy));
        let with_optional =
            get(async |session: Option<Session>| response(optional(session.as_ref())));
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
            .merge(guarded())
            .merge(twice(&site))
            .merge(others(&site))
            .merge(namesake(&site))
            .fallback(handle)
            .layer(sessions)
            .route("/outside", get(handle))
            .route("/outside/optional", with_optional)
            .route("/outside/bare", bare)
            .route("/outside/members", any(handle).layer(RequirePrincipal::new()))
            .with_state(site);
        axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await
    }
}

/// Routes that are not for everybody, and what has to do with signing in.
fn guarded() -> Router<Site> {
    let all = Router::new().route("/{*path}", any(handle));
    let principal = get(async |principal: Principal| response(whose(Some(&principal))));
    let optional = get(async |principal: Option<Principal>| response(whose(principal.as_deref())));
    let recent = RequireRecent::within(RECENT).or_confirm_at(CONFIRM);
    Router::new()
        .route("/principal", principal)
        .route("/principal/optional", optional)
        .route("/return", get(async |return_to: ReturnTo| response(returning(&return_to))))
        .route("/members", any(handle).layer(RequirePrincipal::new()))
        .nest("/pages", all.clone().layer(RequirePrincipal::or_sign_in_at(SIGN_IN)))
        .nest("/recent", all.layer(recent))
}

/// Routes with the same layer as the site, merged into it.
fn twice(site: &Site) -> Router<Site> {
    let sessions = SessionLayer::new(site.sessions.clone());
    let with_optional = get(async |session: Option<Session>| response(optional(session.as_ref())));
    let again = sessions.clone().outage(OUTAGE_TWICE).prerendered(PRERENDERED_TWICE);
    let twice = Router::new()
        .route("/twice/{*path}", get(handle))
        .route("/twice/static/optional", with_optional.clone())
        .route("/twice/static/bare", get(async || response(current())))
        .route_layer(again)
        .layer(from_fn(between));
    let prerendered_above =
        Router::new().route("/static/twice/optional", with_optional).layer(sessions);
    twice.merge(prerendered_above)
}

fn others(site: &Site) -> Router<Site> {
    Router::new()
        .route("/others/twice/{*path}", get(handle))
        .layer(SessionLayer::new(site.sessions.clone()))
        .route("/others/{*path}", get(handle))
        .layer(SessionLayer::new(site.others.clone()))
        .layer(from_fn(between))
}

fn namesake(site: &Site) -> Router<Site> {
    Router::new()
        .route("/namesake/{*path}", get(handle))
        .layer(SessionLayer::new(site.namesake.clone()))
        .layer(from_fn(between))
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

async fn between(session: Session, request: Request, next: Next) -> Result<Response> {
    let path = request.uri().path().to_owned();
    Site::between(&session, &path, "before")?;
    let response = next.run(request).await;
    Site::between(&session, &path, "after")?;
    Ok(response)
}

fn response(reply: Reply) -> Response {
    let body = match reply.body {
        ReplyBody::Bytes(bytes) => Body::from(bytes),
        ReplyBody::Stream(stream) => Body::from_stream(stream),
    };
    let mut response = (StatusCode::from_u16(reply.status).unwrap(), body).into_response();
    for (name, value) in reply.headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        response.headers_mut().append(name, value);
    }
    for (name, value) in reply.cookies {
        let cookie = format!("{name}={value}").parse().unwrap();
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

interop_behaviour::behaviours!(Axum);
