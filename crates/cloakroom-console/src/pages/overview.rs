//! The first page: how the store is, and where to look for a session.

use axum::http::StatusCode;
use cloakroom_session::printable;
use maud::{Markup, html};

use super::plot::{Kind, Line, plot};
use super::search::searches;
use super::{FIRST, Page, Visit};
use crate::text::{ago, count, figure, long, milliseconds};
use crate::watch::{Known, Look};

/// After how many seconds the page comes again, where that is wished.
const REFRESH: u32 = 10;

/// How many looks the table has.
const ROWS: usize = 20;

/// `GET /`, and `GET /overview`.
pub(crate) async fn show(visit: &Visit<'_>) -> Page {
    let known = visit.console.watch.known().await;
    let refreshes = visit.field("refresh") == "on";
    let main = html! {
        h1 { "Sessions" }
        @if let Some(error) = &known.trouble {
            p class="notice error" role="alert" {
                strong { "The store cannot be looked at. " } (printable(&error.to_string())) ". "
                @if known.snapshot.is_some() { "What follows is from before that." }
            }
        }
        @if known.snapshot.is_some() {
            (figures(&known))
            (plots(&known))
        } @else if known.trouble.is_none() {
            p class="lead" {
                "The store is looked at for the first time: " (count(known.counted)) " sessions so far. "
                a href=(visit.link(FIRST)) { "Look again" }
            }
        }
        (searches(visit, ""))
        p class="quiet" {
            @if refreshes {
                "This page comes again every " (REFRESH) " seconds. " a href=(visit.link(FIRST)) { "Leave it as it is" }
            } @else {
                a href=(visit.link(FIRST)) { "Look again" } " · "
                a href=(visit.link_with(FIRST, "refresh", "on")) { "Let it come again every " (REFRESH) " seconds" }
            }
        }
    };
    let status = match &known.trouble {
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
        None => StatusCode::OK,
    };
    let refresh = refreshes.then_some(REFRESH);
    Page { refresh, ..Page::new("Overview", main).status(status) }
}

/// The latest numbers.
fn figures(known: &Known) -> Markup {
    let Some(look) = known.looks.back() else { return html! {} };
    let (created, ended) = look.rates().unzip();
    let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), figure);
    html! {
        p class="quiet" { "As of " (ago(look.at)) ". What has ended in the last minute, or expired, may still be counted." }
        dl class="figures" {
            div { dt { "live" } dd { (count(look.sessions)) } }
            div { dt { "begun a minute" } dd { (rate(created)) } }
            div { dt { "ended a minute" } dd { (rate(ended)) } }
            div { dt { "one read" } dd { (figure(milliseconds(look.latency))) " ms" } }
        }
    }
}

fn plots(known: &Known) -> Markup {
    let looks: Vec<&Look> = known.looks.iter().collect();
    let [Some(first), Some(last)] = [looks.first(), looks.last()] else { return html! {} };
    if looks.len() < 2 {
        return html! { p class="quiet" { "The plots begin with the second look." } };
    }
    let place = |look: &Look| look.at.duration_since(first.at).unwrap_or_default().as_secs_f64();
    let line = |name, class, value: &dyn Fn(&Look) -> Option<f64>| {
        let points = looks.iter().filter_map(|look| Some((place(look), value(look)?)));
        Line { name, class, points: points.collect() }
    };
    let live = [line("live", "first", &|look| Some(look.sessions as f64))];
    let rates = [
        line("begun", "first", &|look| look.rates().map(|(created, _)| created)),
        line("ended", "second", &|look| look.rates().map(|(_, ended)| ended)),
    ];
    let latency = [line("one read", "first", &|look| Some(milliseconds(look.latency)))];
    let since = last.at.duration_since(first.at).unwrap_or_default();
    html! {
        section class="plots" aria-label="The last hours" {
            (plot("Live sessions", "", Kind::Level, &live, since))
            (plot("In a minute", "", Kind::Steps, &rates, since))
            (plot("One read of the store", " ms", Kind::Amount, &latency, since))
        }
        details {
            summary { "The same as a table" }
            div class="scroll" tabindex="0" role="region" aria-label="Looks" {
                table {
                    thead { tr {
                        th scope="col" { "Looked" } th scope="col" class="number" { "Live" }
                        th scope="col" class="number" { "Begun" } th scope="col" class="number" { "Ended" }
                        th scope="col" class="number" { "After" } th scope="col" class="number" { "One read" }
                    } }
                    tbody { @for look in looks.iter().rev().take(ROWS) { (row(look)) } }
                }
            }
        }
    }
}

fn row(look: &Look) -> Markup {
    html! {
        tr {
            td { (ago(look.at)) }
            td class="number" { (count(look.sessions)) }
            @if let Some((changes, since)) = look.changes {
                td class="number" { (count(changes.created)) }
                td class="number" { (count(changes.ended)) }
                td class="number" { (long(since)) }
            } @else {
                td class="number" { "–" } td class="number" { "–" } td class="number" { "–" }
            }
            td class="number" { (figure(milliseconds(look.latency))) " ms" }
        }
    }
}
