//! One session, with its entries.

use cloakroom_session::{Result, Secrets, ShownEntry, StoredHandle, StoredSession, printable};
use maud::{Markup, html};

use super::list::principal;
use super::{Page, Visit, problem};
use crate::text::{moment, size};

/// How much of a value is shown.
const LONGEST_VALUE: usize = 4_000;

/// `GET /sessions/{handle}`.
pub(crate) async fn show(visit: &Visit<'_>, handle: &str) -> Result<Page> {
    match handle.parse() {
        Ok(handle) => of(visit, handle).await,
        Err(_) => Ok(problem::not_found()),
    }
}

/// The page of this session.
pub(super) async fn of(visit: &Visit<'_>, handle: StoredHandle) -> Result<Page> {
    let Some(session) = find(visit, handle).await? else { return Ok(problem::no_session()) };
    let title = format!("Session {handle}");
    let main = html! {
        h1 { "Session " span class="handle" { (handle) } }
        (facts(visit, &session))
        @match session.shown(Secrets::Hide) {
            Ok(entries) if session.unreadable().is_none() => (table(&entries)),
            Ok(_) => "",
            Err(error) => p class="notice error" { (printable(&error.to_string())) },
        }
        p { a class="button" href=(visit.link(&format!("sessions/{handle}/revoke"))) { "End this session…" } }
    };
    Ok(Page::new(title, main))
}

/// The session of a handle that a page has had.
pub(super) async fn find(visit: &Visit<'_>, handle: StoredHandle) -> Result<Option<StoredSession>> {
    match visit.console.watch.name(handle).await {
        Some(name) => visit.console.sessions.all().get(&name).await,
        None => Ok(None),
    }
}

/// What is known of it, without its entries.
pub(super) fn facts(visit: &Visit<'_>, session: &StoredSession) -> Markup {
    html! {
        @if let Some(error) = session.unreadable() {
            p class="notice error" {
                strong { "It cannot be read. " } (printable(&error.to_string())) ". It is left as it is; it can be ended."
            }
        }
        dl class="facts" {
            @if session.unreadable().is_none() {
                dt { "Principal" }
                dd {
                    (principal(session.principal()))
                    @if let Some(name) = session.principal() {
                        " · " a href=(visit.link_with("principal", "name", name)) { "all of theirs" }
                    }
                }
                dt { "Created" } dd { (moment(session.created_at())) }
                dt { "Signed in" } dd { (moment(session.authenticated_at())) }
                dt { "Last used" } dd { (moment(session.last_used_at())) }
            }
            dt { "Expires" } dd { (moment(session.expires_at())) }
            dt { "Size" } dd { (size(session.size())) }
        }
    }
}

fn table(entries: &[ShownEntry]) -> Markup {
    html! {
        h2 { "Entries" }
        @if entries.is_empty() {
            p { "It has none." }
        } @else {
            div class="scroll" tabindex="0" role="region" aria-label="Entries" {
                table class="entries" {
                    thead { tr { th scope="col" { "Key" } th scope="col" { "Type" } th scope="col" { "Value" } } }
                    tbody {
                        @for entry in entries {
                            tr {
                                th scope="row" { (printable(&entry.key)) }
                                td { (entry.type_name) }
                                td class="value" { (value(entry)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn value(entry: &ShownEntry) -> Markup {
    let text = entry.text.as_deref().map(printable);
    let end = text.as_deref().and_then(|text| text.char_indices().nth(LONGEST_VALUE));
    html! {
        @match (&text, end) {
            (None, _) => span class="quiet" { "hidden: it looks like a secret" },
            (Some(text), None) => (text),
            (Some(text), Some((end, _))) => {
                (text.get(..end).unwrap_or_default()) "… "
                span class="quiet" { "and " (size(text.len() - end)) " more" }
            }
        }
    }
}
