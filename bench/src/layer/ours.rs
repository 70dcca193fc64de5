//! The site on Cloakroom's driver `memory`.

use anyhow::Result;
use cloakroom_session::{Config, Sessions};
use cloakroom_tower::{SessionLayer, axum::Session};
use tokio::runtime::Runtime;
use tower::Layer as _;

use super::site::{ANSWER, Entry, Site, router};

type Answer = cloakroom_tower::axum::Result<&'static str>;

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
