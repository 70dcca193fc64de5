//! What is salvo's own. What holds for every framework is in `behaviour.rs`.

#![allow(clippy::unwrap_used)]

use std::net::TcpListener;

use cloakroom_salvo::{Result, Session, SessionDepotExt, SessionMiddleware};
use cloakroom_session::adapter::{Failure, FailureFormat};
use cloakroom_storage::ErrorKind;
use interop_behaviour::{Framework, Site};
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::header::CONTENT_TYPE;
use salvo::{Depot, FlowCtrl, Request, Response, Router, Server, Writer, handler};

/// A site with a hoop above the session middleware, which tells in headers what it finds.
struct Above;

/// What a handler leaves in the response's extensions.
#[derive(Clone)]
struct Welcome;

impl Framework for Above {
    async fn serve(listener: TcpListener, site: Site) -> std::io::Result<()> {
        let sessions = SessionMiddleware::new(site.sessions);
        let others = SessionMiddleware::new(site.others);
        let app = Router::new()
            .hoop(tell)
            .push(Router::with_path("welcome").hoop(sessions.clone()).get(welcome))
            .push(Router::with_path("formatted").hoop(sessions.clone()).get(formatted))
            .push(Router::with_path("others").hoop(sessions).hoop(keep).hoop(others).get(welcome));
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Server::new(TcpAcceptor::try_from(listener)?).serve(app).await;
        Ok(())
    }
}

#[handler]
async fn tell(
    request: &mut Request,
    depot: &mut Depot,
    response: &mut Response,
    flow: &mut FlowCtrl,
) {
    flow.call_next(request, depot, response).await;
    let told = response.extensions.get::<Welcome>().is_some();
    let session = depot.session().is_some();
    let headers = response.headers_mut();
    headers.insert("x-welcome", told.to_string().parse().unwrap());
    headers.insert("x-session", session.to_string().parse().unwrap());
}

#[handler]
async fn welcome(session: Session, response: &mut Response) -> Result<&'static str> {
    session.set("name", "Ann")?;
    response.extensions.insert(Welcome);
    Ok("welcome")
}

#[handler]
async fn formatted(session: Session, response: &mut Response) -> Result<()> {
    session.set("name", "Ann")?;
    let format = |failure: &Failure| ("application/json", failure.status.as_u16().to_string());
    response.extensions.insert(FailureFormat(format));
    Ok(())
}

/// A hoop that has the session of the middleware above it, before and after the one below.
#[handler]
async fn keep(
    request: &mut Request,
    depot: &mut Depot,
    response: &mut Response,
    flow: &mut FlowCtrl,
) -> Result<()> {
    depot.session().unwrap().set("before", &true)?;
    let id = depot.session().unwrap().id();
    flow.call_next(request, depot, response).await;
    assert_eq!(depot.session().unwrap().id(), id);
    Ok(())
}

#[test]
fn extensions_of_a_response_go_with_it_where_the_commit_failed() {
    interop_behaviour::run(async {
        let server = interop_behaviour::Server::start::<Above>().await;
        assert_eq!(server.get("/welcome", None).await.headers["x-welcome"], "true");
        server.store.fail_writes(Some(ErrorKind::Unavailable));
        let answer = server.get("/welcome", None).await;
        assert!(answer.is_refused());
        assert_eq!(answer.headers["x-welcome"], "false");
    });
}

#[test]
fn a_failure_is_told_in_the_format_that_the_response_wants() {
    interop_behaviour::run(async {
        let server = interop_behaviour::Server::start::<Above>().await;
        server.store.fail_writes(Some(ErrorKind::Unavailable));
        let answer = server.get("/formatted", None).await;
        assert!(answer.is_refused());
        assert_eq!((answer.all(CONTENT_TYPE), &answer.text[..]), (vec!["application/json"], "503"));
    });
}

#[test]
fn a_hoop_between_two_middlewares_keeps_its_session_and_one_above_them_has_none() {
    interop_behaviour::run(async {
        let server = interop_behaviour::Server::start::<Above>().await;
        let answer = server.get("/others", None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-session"], "false");
        assert_eq!(answer.cookies().len(), 2);
    });
}
