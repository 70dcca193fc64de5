use cloakroom::actions::Submitted;
use maud::{Markup, html};

/// A line of a form that has to be filled in, with what is wrong with it if the form was refused.
pub fn text_field(
    label: &str,
    name: &str,
    autocomplete: &str,
    value: &str,
    submitted: &Submitted,
) -> Markup {
    let error = submitted.field_errors(name).next();
    let id = format!("{name}-error");
    html! {
        label {
            (label)
            input name=(name) autocomplete=(autocomplete) value=(value) required
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| &id)];
        }
        @if let Some(error) = error { p class="error" id=(id) { (error) } }
    }
}
