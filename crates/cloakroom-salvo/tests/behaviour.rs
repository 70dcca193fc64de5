//! salvo, held to what has to hold in every framework.

#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use cloakroom_salvo::{
    OutageMiddleware, Principal, RequirePrincipal, RequireRecent, Result, ReturnTo, Session,
    SessionDepotExt, SessionMiddleware,
};
use cloakroom_session::OutagePolicy;
use interop_behaviour::{
    CONFIRM, Framework, OUTAGE_TWICE, PRERENDERED, PRERENDERED_TWICE, RECENT, Reply, ReplyBody,
    SIGN_IN, Site, current, optional, returning, whose,
};
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::cookie::Cookie;
use salvo::http::{HeaderValue, StatusCode};
use salvo::{Depot, FlowCtrl, Request, Response, Router, Server, Writer, affix_state, handler};

struct Salvo;

impl Framework for Salvo {
    async fn serve(listener: TcpListener, site: Site) -> std::io::Result<()> {
        let mut sessions = SessionMiddleware::new(site.sessions.clone()).prerendered(PRERENDERED);
        if let Some(policy) = site.outage {
            sessions = sessions.outage(policy);
        }
        let at = Router::with_path;
        let on_route = |path, policy| at(path).hoop(OutageMiddleware::new(policy)).get(handle);
        let below = Router::new()
            .hoop(sessions)
            .push(on_route("unavailable", OutagePolicy::Unavailable))
            .push(on_route("read-only", OutagePolicy::ReadOnly))
            .push(on_route("anonymous", OutagePolicy::Anonymous))
            .push(at("visited").hoop(visit).get(handle))
            .push(at("optional").get(with_optional))
            .push(at("static/optional").get(with_optional))
            .push(at("bare").get(bare))
            .push(at("static/bare").get(bare))
            .append(&mut guarded())
            .append(&mut layered(&site))
            .push(at("{**path}").get(handle));
        let app = Router::new()
            .hoop(affix_state::inject(site))
            .push(at("outside/optional").get(with_optional))
            .push(at("outside/bare").get(bare))
            .push(at("outside/members").hoop(RequirePrincipal::new()).goal(handle))
            .push(at("outside").get(handle))
            .push(below);
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Server::new(TcpAcceptor::try_from(listener)?).serve(app).await;
        Ok(())
    }
}

/// Routes that are not for everybody, and what has to do with signing in.
fn guarded() -> Vec<Router> {
    let at = Router::with_path;
    let all = || at("{**path}").goal(handle);
    let recent = RequireRecent::within(RECENT).or_confirm_at(CONFIRM);
    vec![
        at("principal/optional").get(with_optional_principal),
        at("principal").get(with_principal),
        at("return").get(with_return_to),
        at("members").hoop(RequirePrincipal::new()).goal(handle),
        at("pages").hoop(RequirePrincipal::or_sign_in_at(SIGN_IN)).push(all()),
        at("recent").hoop(recent).push(all()),
    ]
}

/// Routers with a session middleware of their own.
fn layered(site: &Site) -> Vec<Router> {
    let at = Router::with_path;
    let any = || at("{**path}").get(handle);
    let again = || SessionMiddleware::new(site.sessions.clone());
    let twice = at("twice")
        .hoop(between)
        .hoop(again().outage(OUTAGE_TWICE).prerendered(PRERENDERED_TWICE))
        .push(at("static/optional").get(with_optional))
        .push(at("static/bare").get(bare))
        .push(any());
    let prerendered_above = at("static/twice/optional").hoop(again()).get(with_optional);
    let others = at("others")
        .hoop(between)
        .hoop(SessionMiddleware::new(site.others.clone()))
        .push(at("twice").hoop(again()).push(any()))
        .push(any());
    let namesake = at("namesake")
        .hoop(between)
        .hoop(SessionMiddleware::new(site.namesake.clone()))
        .push(any());
    vec![twice, prerendered_above, others, namesake]
}

#[handler]
async fn handle(
    session: Session,
    request: &mut Request,
    depot: &mut Depot,
    response: &mut Response,
) -> Result<()> {
    let site = depot.get_typed::<Site>().unwrap();
    write(response, site.answer(&session, request.uri().path()).await?);
    Ok(())
}

#[handler]
async fn with_optional(depot: &mut Depot, response: &mut Response) {
    write(response, optional(depot.session()));
}

#[handler]
async fn with_principal(principal: Principal, response: &mut Response) {
    write(response, whose(Some(&principal)));
}

#[handler]
async fn with_optional_principal(session: Session, response: &mut Response) -> Result<()> {
    write(response, whose(session.principal().await?.as_deref()));
    Ok(())
}

#[handler]
async fn with_return_to(return_to: ReturnTo, response: &mut Response) {
    write(response, returning(&return_to));
}

#[handler]
async fn bare(response: &mut Response) {
    write(response, current());
}

#[handler]
async fn visit(
    session: Session,
    request: &mut Request,
    depot: &mut Depot,
    response: &mut Response,
    flow: &mut FlowCtrl,
) -> Result<()> {
    Site::before(&session).await?;
    flow.call_next(request, depot, response).await;
    Site::after(&session).await?;
    Ok(())
}

#[handler]
async fn between(
    session: Session,
    request: &mut Request,
    depot: &mut Depot,
    response: &mut Response,
    flow: &mut FlowCtrl,
) -> Result<()> {
    let path = request.uri().path().to_owned();
    Site::between(&session, &path, "before")?;
    flow.call_next(request, depot, response).await;
    Site::between(depot.session().unwrap(), &path, "after")?;
    Ok(())
}

fn write(response: &mut Response, reply: Reply) {
    response.status_code(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in reply.headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        response.headers_mut().append(name, value);
    }
    for (name, value) in reply.cookies {
        response.add_cookie(Cookie::new(name, value));
    }
    match reply.body {
        ReplyBody::Bytes(bytes) => response.write_body(bytes).unwrap(),
        ReplyBody::Stream(stream) => response.stream(stream),
    }
}

interop_behaviour::behaviours!(Salvo);
