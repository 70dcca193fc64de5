//! `/devices`: where the visitor is logged in, and buttons that end it.

use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::axum::{Result, Session};
use cloakroom::{ListedSession, SessionHandle};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::account;
use crate::actions::{END_DEVICE, END_OTHER_DEVICES, address};
use crate::components::{layout, moment};
use crate::session::DEVICE;
use crate::visitor::Visitor;

/// A device as the page shows it.
#[derive(Debug)]
struct Row {
    handle: SessionHandle,
    browser: String,
    since: Option<Timestamp>,
    last_used: Option<Timestamp>,
    is_current: bool,
}

/// `GET /devices`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Response> {
    let Some(devices) = account::devices(&session).await? else {
        return Ok(Redirect::to("/login").into_response());
    };
    let mut rows = Vec::new();
    for listed in devices.list().await? {
        rows.push(row(&listed, &session).await?);
    }
    // This one first, then as they are listed: the newest log-in before the others.
    rows.sort_by_key(|row| !row.is_current);
    Ok(layout("Your devices", Some(&visitor), &list(&rows)).into_response())
}

async fn row(listed: &ListedSession, session: &Session) -> Result<Row> {
    // An Astro site that shares the session notes no device.
    let device = listed.get(DEVICE)?;
    let since = device.as_ref().and_then(|device| device.since.millis());
    let noted = since.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let is_current = listed.is_current(session).await?;
    // This one is in use now.
    let last_used = listed.last_used_at().filter(|_| !is_current);
    Ok(Row {
        handle: listed.handle(),
        browser: device.map_or_else(|| "A browser elsewhere".to_owned(), |device| device.browser),
        since: noted.or_else(|| listed.created_at().try_into().ok()),
        last_used: last_used.and_then(|time| time.try_into().ok()),
        is_current,
    })
}

fn list(rows: &[Row]) -> Markup {
    html! {
        h1 { "Your devices" }
        p class="lead" { "Where you are logged in. If you do not know one of them, log it out." }
        ul class="devices" { @for row in rows { (device(row)) } }
        @if rows.len() > 1 {
            form method="post" action=(address("/devices", END_OTHER_DEVICES)) {
                button type="submit" { "Log out everywhere else" }
            }
        }
    }
}

fn device(row: &Row) -> Markup {
    html! {
        li {
            div {
                p class="device-name" { (row.browser) }
                @if let Some(since) = row.since { p class="hint" { "Logged in " (moment(since)) } }
                @if let Some(used) = row.last_used { p class="hint" { "Last used " (moment(used)) } }
            }
            @if row.is_current {
                p class="eyebrow" { "This device" }
            } @else {
                form method="post" action=(address("/devices", END_DEVICE)) {
                    input type="hidden" name="device" value=(row.handle);
                    // The name is for those who hear a list of buttons.
                    button class="quiet" type="submit" aria-label={ "Log out " (row.browser) } { "Log out" }
                }
            }
        }
    }
}
