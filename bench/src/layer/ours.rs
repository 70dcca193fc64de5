//! The site on Cloakroom's driver `memory`.

use std::sync::Arc;

use anyhow::Result;
use axum::body::Body;
use axum::http::Request;
use cloakroom_session::{Config, Sessions};
use cloakroom_tower::{SessionLayer, axum::Session};
use tokio::runtime::Runtime;
use tower::Layer as _;
use tower::util::MapRequestLayer;

use super::site::{ANSWER, Entry, Site, router};

type Answer = cloakroom_tower::axum::Result<&'static str>;

/// About as many bytes as a session's handle has.
const HANDLE: usize = 512;

/// The site without sessions.
pub(super) fn bare(runtime: &Runtime) -> Result<Site<'_>> {
    let answer = async || ANSWER;
    let router = router(answer, answer, answer, answer);
    Site::tower("axum alone", runtime, router)
}

/// The layer around the router.
pub(super) fn around(runtime: &Runtime) -> Result<Site<'_>> {
    with(runtime, sessions(runtime)?)
}

/// The layer on every route, as axum itself puts one there.
pub(super) fn on_routes(runtime: &Runtime) -> Result<Site<'_>> {
    let layer = SessionLayer::new(sessions(runtime)?);
    Site::tower("ours", runtime, router(fill, read, change, update).layer(layer))
}

/// The layer around the router, with sessions that others have as well.
pub(super) fn with(runtime: &Runtime, sessions: Sessions) -> Result<Site<'_>> {
    let router = router(fill, read, change, update);
    Site::tower("ours", runtime, SessionLayer::new(sessions).layer(router))
}

/// The site without sessions, but with a handle in each request's extensions: what a session cannot do without.
pub(super) fn handle(runtime: &Runtime) -> Result<Site<'_>> {
    let answer = async || ANSWER;
    let router = router(answer, answer, answer, answer);
    let leave = |mut request: Request<Body>| {
        request.extensions_mut().insert(Arc::new([0_u8; HANDLE]));
        request
    };
    Site::tower("a handle alone", runtime, MapRequestLayer::new(leave).layer(router))
}

pub(super) fn sessions(runtime: &Runtime) -> Result<Sessions> {
    Ok(runtime.block_on(Sessions::from_config(Config::new("memory")))?)
}

async fn fill(session: Session) -> Answer {
    for key in Entry::KEYS {
        session.set(key, &Entry::new(key))?;
    }
    Ok(ANSWER)
}

async fn read(session: Session) -> Answer {
    session.get_or_default::<Entry>(Entry::KEY).await?;
    Ok(ANSWER)
}

async fn change(session: Session) -> Answer {
    let mut entry: Entry = session.get_or_default(Entry::KEY).await?;
    entry.count += 1;
    session.set(Entry::KEY, &entry)?;
    Ok(ANSWER)
}

async fn update(session: Session) -> Answer {
    session.update(Entry::KEY, |entry: &mut Entry| entry.count += 1).await?;
    Ok(ANSWER)
}
