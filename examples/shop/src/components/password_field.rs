use cloakroom::actions::Submitted;
use maud::{Markup, html};

/// The line of a form for the password, which never comes back filled in.
pub fn password_field(submitted: &Submitted) -> Markup {
    let error = submitted.field_errors("password").next();
    html! {
        label {
            "Password"
            input type="password" name="password" autocomplete="current-password" required
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "password-error")];
        }
        @if let Some(error) = error { p class="error" id="password-error" { (error) } }
    }
}
