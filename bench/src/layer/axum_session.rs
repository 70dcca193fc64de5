//! The site on axum_session, which has its sessions in memory where no database is.

use anyhow::Result;
use axum::http::StatusCode;
use axum_session::{Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use tokio::runtime::Runtime;
use tower::Layer as _;

use super::site::{ANSWER, Entry, Site, router};

pub(super) fn around(runtime: &Runtime) -> Result<Site<'_>> {
    let service = runtime.block_on(async {
        // Its fastest: no client's address is looked at.
        let config = SessionConfig::default().with_ip_and_user_agent(false);
        let store = SessionStore::<SessionNullPool>::new(None, config).await?;
        anyhow::Ok(SessionLayer::new(store).layer(router(fill, read, change, change)))
    })?;
    Site::tower("axum_session", runtime, service)
}

type Answer = std::result::Result<&'static str, StatusCode>;

async fn fill(session: Session<SessionNullPool>) -> &'static str {
    for key in Entry::KEYS {
        session.set(key, Entry::new(key));
    }
    ANSWER
}

async fn read(session: Session<SessionNullPool>) -> Answer {
    session.get::<Entry>(Entry::KEY).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(ANSWER)
}

async fn change(session: Session<SessionNullPool>) -> Answer {
    let mut entry = session.get::<Entry>(Entry::KEY).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    entry.count += 1;
    session.set(Entry::KEY, entry);
    Ok(ANSWER)
}
