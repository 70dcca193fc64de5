//! actix-web, held to what has to hold in every framework.

#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, web};
use cloakroom_actix::{
    OutageMiddleware, Principal, RequirePrincipal, RequireRecent, Result, ReturnTo, Session,
    SessionError, SessionMiddleware,
};
use cloakroom_session::OutagePolicy;
use interop_behaviour::{
    CONFIRM, Framework, OUTAGE_TWICE, PRERENDERED, PRERENDERED_TWICE, RECENT, Reply, ReplyBody,
    SIGN_IN, Site, current, optional, returning, whose,
};

struct Actix;

impl Framework for Actix {
    fn serve(
        listener: TcpListener,
        site: Site,
    ) -> impl Future<Output = std::io::Result<()>> + Send + 'static {
        let app = move || {
            let mut sessions =
                SessionMiddleware::new(site.sessions.clone()).prerendered(PRERENDERED);
            if let Some(policy) = site.outage {
                sessions = sessions.outage(policy);
            }
            let on_route = |policy| web::get().to(handle).wrap(OutageMiddleware::new(policy));
            let below = web::scope("")
                .route("/unavailable", on_route(OutagePolicy::Unavailable))
                .route("/read-only", on_route(OutagePolicy::ReadOnly))
                .route("/anonymous", on_route(OutagePolicy::Anonymous))
                .route("/visited", web::get().to(handle).wrap(from_fn(visit)))
                .route("/optional", web::get().to(with_optional))
                .route("/static/optional", web::get().to(with_optional))
                .route("/bare", web::get().to(bare))
                .route("/static/bare", web::get().to(bare))
                .configure(guarded)
                .configure(|app| layered(app, &site))
                .default_service(web::get().to(handle))
                .wrap(sessions);
            App::new()
                .app_data(web::Data::new(site.clone()))
                .route("/outside", web::get().to(handle))
                .route("/outside/optional", web::get().to(with_optional))
                .route("/outside/bare", web::get().to(bare))
                .route("/outside/members", web::route().to(handle).wrap(RequirePrincipal::new()))
                .service(below)
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener);
        let server = server.map(HttpServer::run);
        async { server?.await }
    }
}

/// Routes that are not for everybody, and what has to do with signing in.
fn guarded(app: &mut web::ServiceConfig) {
    let recent = RequireRecent::within(RECENT).or_confirm_at(CONFIRM);
    let recent = web::scope("/recent").default_service(web::route().to(handle)).wrap(recent);
    let pages = web::scope("/pages")
        .default_service(web::route().to(handle))
        .wrap(RequirePrincipal::or_sign_in_at(SIGN_IN));
    app.route("/principal", web::get().to(with_principal))
        .route("/principal/optional", web::get().to(with_optional_principal))
        .route("/return", web::get().to(with_return_to))
        .route("/members", web::route().to(handle).wrap(RequirePrincipal::new()))
        .service(pages)
        .service(recent);
}

/// Scopes with a session middleware of their own.
fn layered(app: &mut web::ServiceConfig, site: &Site) {
    let again = || SessionMiddleware::new(site.sessions.clone());
    let twice = web::scope("/twice")
        .route("/static/optional", web::get().to(with_optional))
        .route("/static/bare", web::get().to(bare))
        .default_service(web::get().to(handle))
        .wrap(again().outage(OUTAGE_TWICE).prerendered(PRERENDERED_TWICE))
        .wrap(from_fn(between));
    let prerendered_above =
        web::scope("/static/twice").route("/optional", web::get().to(with_optional)).wrap(again());
    let others = web::scope("/others")
        .service(web::scope("/twice").default_service(web::get().to(handle)).wrap(again()))
        .default_service(web::get().to(handle))
        .wrap(SessionMiddleware::new(site.others.clone()))
        .wrap(from_fn(between));
    let namesake = web::scope("/namesake")
        .default_service(web::get().to(handle))
        .wrap(SessionMiddleware::new(site.namesake.clone()))
        .wrap(from_fn(between));
    app.service(twice).service(prerendered_above).service(others).service(namesake);
}

async fn handle(
    session: Session,
    site: web::Data<Site>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    Ok(response(site.answer(&session, request.path()).await?))
}

async fn with_optional(session: Option<Session>) -> HttpResponse {
    response(optional(session.as_deref()))
}

async fn with_principal(principal: Principal) -> HttpResponse {
    response(whose(Some(&principal)))
}

async fn with_optional_principal(principal: Option<Principal>) -> HttpResponse {
    response(whose(principal.as_ref().map(|principal| principal.as_str())))
}

async fn with_return_to(return_to: ReturnTo) -> HttpResponse {
    response(returning(&return_to))
}

async fn bare() -> HttpResponse {
    response(current())
}

async fn visit(
    session: Session,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    Site::before(&session).await.map_err(SessionError::from)?;
    let response = next.call(request).await?;
    Site::after(&session).await.map_err(SessionError::from)?;
    Ok(response)
}

async fn between(
    session: Session,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let path = request.path().to_owned();
    Site::between(&session, &path, "before").map_err(SessionError::from)?;
    let response = next.call(request).await?;
    Site::between(&session, &path, "after").map_err(SessionError::from)?;
    Ok(response)
}

fn response(reply: Reply) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in reply.headers {
        response.append_header((name, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
    }
    for (name, value) in reply.cookies {
        response.cookie(Cookie::new(name, value));
    }
    match reply.body {
        ReplyBody::Bytes(bytes) => response.body(bytes),
        ReplyBody::Stream(stream) => response.streaming(stream),
    }
}

interop_behaviour::behaviours!(Actix);
