//! The forms that lead to a session.

use maud::{Markup, html};

use super::Visit;

/// By principal and by handle, of which `handle` is what was looked for.
pub(super) fn searches(visit: &Visit<'_>, handle: &str) -> Markup {
    html! {
        section class="searches" aria-label="Search" {
            form class="search" method="get" action=(visit.link("principal")) role="search" aria-label="By principal" {
                label for="principal" { "Principal" }
                div class="row" {
                    input id="principal" name="name" type="text" autocomplete="off" spellcheck="false" required;
                    button type="submit" { "Find" }
                }
                p class="hint" { "Whose they are, exactly as the application has it." }
            }
            form class="search" method="get" action=(visit.link("sessions")) role="search" aria-label="By handle" {
                label for="handle" { "Handle" }
                div class="row" {
                    input id="handle" name="handle" type="text" value=(handle) autocomplete="off" spellcheck="false"
                        maxlength="16" pattern="[0-9a-fA-F]{1,16}" title="Up to 16 hexadecimal digits" required;
                    button type="submit" { "Find" }
                }
                p class="hint" { "As " code { "cloakroom list" } " shows it, or how it begins. It is no ID." }
            }
        }
    }
}
