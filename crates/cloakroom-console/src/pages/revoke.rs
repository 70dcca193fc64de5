//! The end of a session: a page that asks, and one that says what happened.

use std::sync::Arc;

use cloakroom_session::Result;
use maud::html;

use super::session::{facts, find};
use super::{Page, Visit, problem};

/// `GET /sessions/{handle}/revoke`.
pub(crate) async fn ask(visit: &Visit<'_>, handle: &str) -> Result<Page> {
    let Ok(handle) = handle.parse() else { return Ok(problem::not_found()) };
    let Some(session) = find(visit, handle).await? else { return Ok(problem::no_session()) };
    let main = html! {
        h1 { "End this session?" }
        p class="lead" {
            "Whoever has it is signed out, and a request that has it loaded saves nothing more. It cannot be undone."
        }
        (facts(visit, &session))
        form class="choice" method="post" {
            button class="danger" type="submit" { "End session " (handle) }
            a href=(visit.link(&format!("sessions/{handle}"))) { "Leave it" }
        }
    };
    Ok(Page::new("End this session?", main))
}

/// `POST /sessions/{handle}/revoke`.
pub(crate) async fn end(visit: &Visit<'_>, handle: &str, by: Arc<str>) -> Result<Page> {
    let Ok(handle) = handle.parse() else { return Ok(problem::not_found()) };
    let Some(session) = find(visit, handle).await? else { return Ok(problem::no_session()) };
    let was_alive = visit.console.sessions.all().by(by).revoke(&session).await?;
    let title = if was_alive { "The session was ended" } else { "It had ended already" };
    let main = html! {
        h1 { (title) }
        p class="lead" role="status" {
            @if was_alive { "Session " code { (handle) } " is no more: its cookie opens nothing." }
            @else { "Session " code { (handle) } " has ended meanwhile, or has a new ID, and so another handle." }
        }
        @if let Some(name) = session.principal() {
            p { a href=(visit.link_with("principal", "name", name)) { "The other sessions of its principal" } }
        }
        p { a href=(visit.link("sessions")) { "All sessions" } }
    };
    Ok(Page::new(title, main))
}
