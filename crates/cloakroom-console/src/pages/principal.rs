//! The sessions of one principal, by its index.

use std::sync::Arc;

use axum::http::StatusCode;
use cloakroom_session::{Error, ErrorKind, ListedSession, Result, printable};
use maud::html;

use super::list::{read, table};
use super::search::searches;
use super::{FIRST, Page, Visit};
use crate::text::counted;

/// How many are shown.
const ROWS: usize = 100;

/// `GET /principal?name=`.
pub(crate) async fn show(visit: &Visit<'_>) -> Result<Page> {
    let name = visit.field("name");
    let listed = match visit.console.sessions.of(name).list().await {
        Err(error) if error.kind() == ErrorKind::Config => return Ok(no_index(visit, &error)),
        listed => listed?,
    };
    let strangers = match listed.is_empty() {
        true => visit.console.sessions.of(name).count_strangers().await?,
        false => 0,
    };
    let names: Vec<_> = listed.iter().take(ROWS).flat_map(ListedSession::names).collect();
    visit.console.watch.remember(names.iter().cloned());
    let rows = read(visit, &names).await?;
    let main = html! {
        h1 { "Sessions of " span class="name" { (printable(name)) } }
        @if strangers > 0 {
            p class="lead" {
                (counted(strangers, "session", "sessions")) " that somebody of this name has signed in to "
                @if strangers == 1 { "says that it is" } @else { "say that they are" }
                " nobody's, or somebody else's: is the configuration's " code { "principal" } " what it is on the site?"
            }
            p { a class="button" href=(visit.link_with("principal/revoke", "name", name)) { "End all of them…" } }
        } @else if listed.is_empty() {
            p class="lead" { "Nobody of this name is signed in." }
        } @else {
            p class="quiet" {
                (counted(listed.len(), "session", "sessions")) ", the newest sign-in first, as of now."
                @if listed.len() > ROWS { " The first " (ROWS) " are shown." }
            }
            (table(visit, &rows))
            p { a class="button" href=(visit.link_with("principal/revoke", "name", name)) { "End all of them…" } }
        }
        (searches(visit, ""))
    };
    Ok(Page::new("Sessions of a principal", main))
}

/// `GET /principal/revoke?name=`.
pub(crate) async fn ask(visit: &Visit<'_>) -> Result<Page> {
    let name = visit.field("name");
    let theirs = visit.console.sessions.of(name);
    let sessions = theirs.count().await? + theirs.count_strangers().await?;
    let main = html! {
        h1 { "End all of their sessions?" }
        p class="lead" {
            strong { (printable(name)) } " has " (counted(sessions, "session", "sessions"))
            ". Whoever has one is signed out, and so is who signs in at this moment. It cannot be undone."
        }
        // To this address, which has the name as it is: a browser changes the ends of lines in a field.
        form class="choice" method="post" {
            button class="danger" type="submit" { "End " (counted(sessions, "session", "sessions")) }
            a href=(visit.link_with("principal", "name", name)) { "Leave them" }
        }
    };
    Ok(Page::new("End all of their sessions?", main))
}

/// `POST /principal/revoke`.
pub(crate) async fn end(visit: &Visit<'_>, by: Arc<str>) -> Result<Page> {
    let name = visit.field("name");
    let ended = visit.console.sessions.of(name).by(by).revoke_all().await?;
    let ended = counted(ended, "session was", "sessions were");
    let main = html! {
        h1 { (ended) " ended" }
        p class="lead" role="status" { strong { (printable(name)) } " is signed out everywhere." }
        p { a href=(visit.link(FIRST)) { "Overview" } }
    };
    Ok(Page::new("Sessions were ended", main))
}

/// The store has no index of principals.
fn no_index(visit: &Visit<'_>, error: &Error) -> Page {
    let main = html! {
        h1 { "Not with this store" }
        p class="lead" { "The sessions of a principal cannot be found here: " (printable(&error.to_string())) "." }
        (searches(visit, ""))
    };
    Page::new("Not with this store", main).status(StatusCode::NOT_IMPLEMENTED)
}
