//! `/settings`: a URL, a Set and a Map in the session.

use axum::extract::RawForm;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::axum::{Result, Session};
use cloakroom::devalue::{Map, Set, Url};
use indexmap::{IndexMap, IndexSet};
use maud::{Markup, html};
use url::form_urlencoded;

use crate::catalogue::{self, Sizes};
use crate::components::layout;
use crate::session::{HOMEPAGE, INTERESTS, SIZES};
use crate::visitor::Visitor;

/// The settings as the form shows them.
#[derive(Debug, Default)]
struct Settings {
    homepage: String,
    interests: IndexSet<String>,
    sizes: IndexMap<String, f64>,
}

/// `GET /settings`.
pub async fn show(visitor: Visitor, session: Session) -> Result<Markup> {
    let settings = Settings {
        homepage: session.get(HOMEPAGE).await?.map(|url| url.to_string()).unwrap_or_default(),
        interests: session.get_or_default(INTERESTS).await?.0,
        sizes: session.get_or_default(SIZES).await?.0,
    };
    Ok(layout("Settings", Some(&visitor), &form(&settings, None)))
}

/// `POST /settings`.
pub async fn save(visitor: Visitor, session: Session, RawForm(body): RawForm) -> Result<Response> {
    let settings = read(&body);
    let homepage = match settings.homepage.as_str() {
        "" => None,
        text => match web_address(text) {
            Some(url) => Some(url),
            None => {
                let refused = form(
                    &settings,
                    Some("Please give a whole address, such as https://example.org/."),
                );
                let page = layout("Settings", Some(&visitor), &refused);
                return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
            }
        },
    };
    match homepage {
        Some(url) => session.set(HOMEPAGE, &url)?,
        None => session.delete(HOMEPAGE.name()),
    }
    session.set(INTERESTS, &Set(settings.interests))?;
    session.set(SIZES, &Map(settings.sizes))?;
    Ok(Redirect::to("/settings").into_response())
}

/// `homepage=…&interest=…&interest=…&size:hat=58&…`
fn read(body: &[u8]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in form_urlencoded::parse(body) {
        match (name.as_ref(), name.strip_prefix("size:")) {
            ("homepage", _) => settings.homepage = value.trim().to_owned(),
            ("interest", _) => _ = settings.interests.insert(value.into_owned()),
            (_, Some(size)) => {
                if let Some(number) = value.parse().ok().filter(|number: &f64| number.is_finite()) {
                    settings.sizes.insert(size.to_owned(), number);
                }
            }
            _ => {}
        }
    }
    settings
}

/// Only what a link may safely lead to: never `javascript:`.
fn web_address(text: &str) -> Option<Url> {
    url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")).map(Url::from)
}

fn form(settings: &Settings, error: Option<&str>) -> Markup {
    let foreign = settings
        .interests
        .iter()
        .map(String::as_str)
        .filter(|name| !catalogue::INTERESTS.contains(name));
    html! {
        h1 { "Settings" }
        p class="lead" { "What we should know about you. It stays in your session." }
        form class="stack" method="post" action="/settings" {
            label {
                "Your homepage"
                input type="url" name="homepage" value=(settings.homepage) placeholder="https://example.org/"
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "homepage-error")];
            }
            @if let Some(error) = error { p class="error" id="homepage-error" { (error) } }
            @if let Some(url) = web_address(&settings.homepage) {
                p class="hint" { "Leads to " a href=(url) rel="nofollow noreferrer" { (url) } }
            }
            fieldset class="interests" {
                legend { "Interests" }
                // Another program may have added interests of its own; they stay unless unchecked.
                @for name in catalogue::INTERESTS.into_iter().chain(foreign) {
                    label {
                        input type="checkbox" name="interest" value=(name) checked[settings.interests.contains(name)];
                        span { (name) }
                    }
                }
            }
            fieldset class="own-sizes" {
                legend { "Sizes" }
                @for sizes in catalogue::SIZES {
                    label {
                        (sizes.label)
                        select name={ "size:" (sizes.name) } {
                            option value="" { "—" }
                            (options(sizes, settings.sizes.get(sizes.name).copied()))
                        }
                    }
                }
                @for (name, size) in foreign_sizes(&settings.sizes) {
                    label { (name) input name={ "size:" (name) } value=(size) inputmode="decimal"; }
                }
            }
            button type="submit" { "Save" }
        }
    }
}

/// The sizes that the shop has, and the visitor's own wherever it came from, so that saving loses nothing.
fn options(sizes: &Sizes, own: Option<f64>) -> Markup {
    let foreign = own.filter(|size| !sizes.all.contains(size));
    html! {
        @for size in sizes.all.iter().copied().chain(foreign) {
            option value=(size) selected[own == Some(size)] { (size) }
        }
    }
}

/// Sizes that this shop has no row for: another program may have added them.
fn foreign_sizes(sizes: &IndexMap<String, f64>) -> impl Iterator<Item = (&String, &f64)> {
    sizes
        .iter()
        .filter(|(name, _)| catalogue::SIZES.iter().all(|known| known.name != name.as_str()))
}
