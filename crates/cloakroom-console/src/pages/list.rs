//! The sessions of the latest walk, some at a time.

use axum::http::StatusCode;
use cloakroom_session::{Result, StoredHandle, StoredName, StoredSession, printable};
use futures_util::future::try_join_all;
use maud::{Markup, html};

use super::search::searches;
use super::{Page, Visit, problem};
use crate::text::{ago, counted, moment, size};
use crate::watch::Prefix;

/// How many a page has, which are read for it at once.
const ROWS: usize = 25;

/// `GET /sessions`, `?handle=` and how they begin, `?after=` and the last one of the page before.
pub(crate) async fn show(visit: &Visit<'_>) -> Result<Page> {
    let text = visit.field("handle").trim();
    let Some(prefix) = Prefix::parse(text) else { return Ok(no_handle(visit, text)) };
    if let Ok(handle) = text.parse::<StoredHandle>() {
        return super::session::of(visit, handle).await;
    }
    let known = visit.console.watch.known().await;
    let Some(snapshot) = known.snapshot else {
        return Ok(known.trouble.map_or_else(unknown, |error| problem::of(&error)));
    };
    let after = visit.field("after").parse().ok();
    let all = snapshot.range(prefix, None).len();
    let rest = snapshot.range(prefix, after);
    let names = rest.get(..ROWS.min(rest.len())).unwrap_or_default();
    let rows = read(visit, names).await?;
    let next = names.last().filter(|_| rest.len() > names.len());
    let main = html! {
        h1 { "Sessions" }
        p class="quiet" {
            (counted(all, "session", "sessions"))
            @if !text.is_empty() { " whose handle begins with " code { (text) } }
            ", as of " (ago(snapshot.at)) "; in the order of their handles, which is none of time."
        }
        @if rows.is_empty() {
            p class="lead" { @if names.is_empty() { "There are none." } @else { "These have ended since." } }
        } @else {
            (table(visit, &rows))
        }
        @let gone = names.len() - rows.len();
        @if gone > 0 && !rows.is_empty() {
            p class="quiet" { (counted(gone, "other has", "others have")) " ended since." }
        }
        nav class="pages" aria-label="Pages" {
            @if after.is_some() { a href=(visit.link_with("sessions", "handle", text)) { "The first ones" } }
            @if let Some(next) = next {
                a href={ (visit.link_with("sessions", "handle", text)) "&after=" (next.handle()) } rel="next" { "The next ones" }
            }
        }
        (searches(visit, text))
    };
    Ok(Page::new("Sessions", main))
}

/// What is alive of these, in their order.
pub(super) async fn read(visit: &Visit<'_>, names: &[StoredName]) -> Result<Vec<StoredSession>> {
    let all = visit.console.sessions.all();
    let mut sessions = Vec::with_capacity(names.len());
    for names in names.chunks(ROWS) {
        let read = try_join_all(names.iter().map(|name| all.get(name))).await?;
        sessions.extend(read.into_iter().flatten());
    }
    Ok(sessions)
}

fn no_handle(visit: &Visit<'_>, text: &str) -> Page {
    let main = html! {
        h1 { "No handle" }
        p class="lead" { code { (printable(text)) } " is no handle: that has up to 16 hexadecimal digits, 0 to 9 and a to f." }
        (searches(visit, ""))
    };
    Page::new("No handle", main).status(StatusCode::BAD_REQUEST)
}

fn unknown() -> Page {
    let main = html! {
        h1 { "Sessions" }
        p class="lead" { "The store is looked at for the first time. Come again in a moment." }
    };
    Page::new("Sessions", main).status(StatusCode::SERVICE_UNAVAILABLE)
}

/// Sessions as rows, each with a link to its page.
pub(super) fn table(visit: &Visit<'_>, rows: &[StoredSession]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Sessions" {
            table {
                thead { tr {
                    th scope="col" { "Handle" } th scope="col" { "Principal" } th scope="col" { "Created" }
                    th scope="col" { "Last used" } th scope="col" { "Expires" }
                    th scope="col" class="number" { "Entries" } th scope="col" class="number" { "Size" }
                } }
                tbody { @for row in rows { (line(visit, row)) } }
            }
        }
    }
}

fn line(visit: &Visit<'_>, session: &StoredSession) -> Markup {
    let handle = session.handle().to_string();
    html! {
        tr {
            th scope="row" { a class="handle" href=(visit.link(&format!("sessions/{handle}"))) { (handle) } }
            @if session.unreadable().is_some() {
                td colspan="5" { span class="error" { "cannot be read" } }
            } @else {
                td class="principal" { (principal(session.principal())) }
                td { (moment(session.created_at())) }
                td { (moment(session.last_used_at())) }
                td { (moment(session.expires_at())) }
                td class="number" { (session.keys().map_or_else(|_| "–".to_owned(), |keys| keys.len().to_string())) }
            }
            td class="number" { (size(session.size())) }
        }
    }
}

/// Whose it is.
pub(super) fn principal(name: Option<&str>) -> Markup {
    html! {
        @match name {
            Some(name) => (printable(name)),
            None => span class="quiet" { "nobody’s" },
        }
    }
}
