//! The site's actions on axum.

use axum::response::Html;
use cloakroom::axum::Result as SessionResult;
pub(crate) use cloakroom::axum::{Actions, Input, Session, Valid};

#[allow(clippy::duplicate_mod, reason = "the same actions, with another framework's extractors")]
#[path = "actions.rs"]
mod site;

pub(crate) fn actions() -> Actions {
    site::actions()
}

/// `GET /signup`.
pub(crate) async fn signup_page(session: Session) -> SessionResult<Html<String>> {
    Ok(Html(site::signup_page(&session).await?))
}
