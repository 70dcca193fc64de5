//! `/settings`: a URL, a Set and a Map in the session.

use cloakroom::actions::Submitted;
use cloakroom::axum::{Result, Session};
use indexmap::{IndexMap, IndexSet};
use maud::{Markup, html};

use crate::actions::{SAVE_SETTINGS, address, web_address};
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
    let submitted = Submitted::take(&session, SAVE_SETTINGS).await?;
    let settings = match submitted.error() {
        Some(_) => typed(&submitted),
        None => saved(&session).await?,
    };
    let error = submitted.field_errors("homepage").next();
    Ok(layout("Settings", Some(&visitor), &form(&settings, error)))
}

async fn saved(session: &Session) -> Result<Settings> {
    Ok(Settings {
        homepage: session.get(HOMEPAGE).await?.map(|url| url.to_string()).unwrap_or_default(),
        interests: session.get_or_default(INTERESTS).await?.0,
        sizes: session.get_or_default(SIZES).await?.0,
    })
}

/// What a form held that was refused.
fn typed(submitted: &Submitted) -> Settings {
    let input = &submitted.input;
    let sizes = input.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix("sizes.")?.to_owned(), value.parse().ok()?))
    });
    Settings {
        homepage: input.value("homepage").to_owned(),
        interests: input.values("interest").map(str::to_owned).collect(),
        sizes: sizes.collect(),
    }
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
        form class="stack" method="post" action=(address("/settings", SAVE_SETTINGS)) {
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
                        select name={ "sizes." (sizes.name) } {
                            option value="" { "—" }
                            (options(sizes, settings.sizes.get(sizes.name).copied()))
                        }
                    }
                }
                @for (name, size) in foreign_sizes(&settings.sizes) {
                    label { (name) input name={ "sizes." (name) } value=(size) inputmode="decimal"; }
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
