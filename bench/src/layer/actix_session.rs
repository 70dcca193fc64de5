//! actix-web alone, and the site on actix-session, whose data is in an encrypted cookie.

use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::cookie::Key;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::{StatusCode, header};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error, body, body::MessageBody, web};
use anyhow::{Context as _, Result, anyhow, ensure};
use tokio::runtime::Runtime;

use super::site::{ANSWER, Case, Entry, FILL, Site};

pub(super) fn bare(runtime: &Runtime) -> Result<Site<'_>> {
    let mut app = App::new().route(FILL, web::get().to(answer));
    for case in Case::ALL {
        app = app.route(case.path(), web::get().to(answer));
    }
    site("actix-web alone", runtime, runtime.block_on(init_service(app)))
}

pub(super) fn with_sessions(runtime: &Runtime) -> Result<Site<'_>> {
    let app = App::new()
        .wrap(SessionMiddleware::new(CookieSessionStore::default(), Key::from(&[7; 64])))
        .route(FILL, web::get().to(fill))
        .route(Case::Untouched.path(), web::get().to(answer))
        .route(Case::Read.path(), web::get().to(read))
        .route(Case::Change.path(), web::get().to(change))
        .route(Case::Update.path(), web::get().to(change));
    site("actix-session", runtime, runtime.block_on(init_service(app)))
}

fn site<'a, S, B>(name: &'static str, runtime: &'a Runtime, service: S) -> Result<Site<'a>>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error> + 'a,
    B: MessageBody,
{
    let exchange = move |path: &str, cookie: Option<&str>| {
        let mut request = TestRequest::get().uri(path);
        if let Some(cookie) = cookie {
            request = request.insert_header((header::COOKIE, cookie));
        }
        runtime.block_on(async {
            let answer = service.call(request.to_request()).await;
            let answer = answer.map_err(|error| anyhow!("{error}"))?;
            ensure!(answer.status() == StatusCode::OK, "the answer is {}", answer.status());
            let set = answer.headers().get(header::SET_COOKIE).cloned();
            let body = body::to_bytes(answer.into_body()).await;
            body.map_err(|_| anyhow!("the body broke off"))?;
            Ok(set)
        })
    };
    let cookie = match exchange(FILL, None)? {
        Some(set) => set.to_str()?.split(';').next().map(str::to_owned).context("no cookie")?,
        None => "id=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11".to_owned(),
    };
    Site::new(name, move |case| exchange(case.path(), Some(&cookie)).map(drop))
}

async fn answer() -> &'static str {
    ANSWER
}

type Answer = std::result::Result<&'static str, Error>;

async fn fill(session: Session) -> Answer {
    for key in Entry::KEYS {
        session.insert(key, Entry::new(key))?;
    }
    Ok(ANSWER)
}

async fn read(session: Session) -> Answer {
    entry(&session)?;
    Ok(ANSWER)
}

async fn change(session: Session) -> Answer {
    let mut entry = entry(&session)?;
    entry.count += 1;
    session.insert(Entry::KEY, entry)?;
    Ok(ANSWER)
}

fn entry(session: &Session) -> std::result::Result<Entry, Error> {
    session.get(Entry::KEY)?.ok_or_else(|| ErrorInternalServerError("there is no such entry"))
}
