//! The site on tower-sessions and its store in memory.

use anyhow::Result;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::runtime::Runtime;
use tower::Layer as _;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::site::{ANSWER, Entry, Site, router};

pub(super) const NAME: &str = "tower-sessions";

/// The layer around the router.
pub(super) fn around(runtime: &Runtime) -> Result<Site<'_>> {
    Site::tower(NAME, runtime, layer().layer(router(fill, read, change, change)))
}

/// The layer on every route, as axum itself puts one there.
pub(super) fn on_routes(runtime: &Runtime) -> Result<Site<'_>> {
    Site::tower(NAME, runtime, router(fill, read, change, change).layer(layer()))
}

fn layer() -> SessionManagerLayer<MemoryStore> {
    SessionManagerLayer::new(MemoryStore::default())
}

type Answer = std::result::Result<&'static str, Failure>;

struct Failure;

impl From<tower_sessions::session::Error> for Failure {
    fn from(_: tower_sessions::session::Error) -> Failure {
        Failure
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

async fn fill(session: Session) -> Answer {
    for key in Entry::KEYS {
        session.insert(key, Entry::new(key)).await?;
    }
    Ok(ANSWER)
}

async fn read(session: Session) -> Answer {
    session.get::<Entry>(Entry::KEY).await?.ok_or(Failure)?;
    Ok(ANSWER)
}

async fn change(session: Session) -> Answer {
    let mut entry: Entry = session.get(Entry::KEY).await?.ok_or(Failure)?;
    entry.count += 1;
    session.insert(Entry::KEY, entry).await?;
    Ok(ANSWER)
}
