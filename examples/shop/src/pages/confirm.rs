//! `/confirm`: the password once more, on the way to a page that asks for more than a cookie.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::actions::Submitted;
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};
use serde::Deserialize;

use crate::account::PASSWORD;
use crate::actions::{CONFIRM, address};
use crate::components::{layout, password_field};
use crate::visitor::Visitor;

/// The pages that ask for it: nothing else is led to, whatever an address says.
const PAGES: [&str; 1] = ["/address"];

/// What the address says.
#[derive(Debug, Deserialize)]
pub struct Way {
    /// Where the visitor wants to go.
    #[serde(default)]
    to: String,
}

/// To this page by way of the password.
pub fn before(page: &str) -> Redirect {
    Redirect::to(&format!("/confirm?to={page}"))
}

/// `GET /confirm?to=PAGE`.
pub async fn show(
    visitor: Visitor,
    session: Session,
    Query(Way { to }): Query<Way>,
) -> Result<Response> {
    let page = PAGES.into_iter().find(|page| *page == to);
    Ok(match (&visitor.name, page) {
        (Some(name), Some(page)) => {
            let submitted = Submitted::take(&session, CONFIRM).await?;
            layout("Is it you?", Some(&visitor), &form(name, page, &submitted)).into_response()
        }
        _ => Redirect::to("/login").into_response(),
    })
}

/// The form leads on to the page, and back to this one where the password was wrong.
fn form(name: &str, page: &str, submitted: &Submitted) -> Markup {
    html! {
        h1 { "Is it still you, " (name) "?" }
        p class="lead" {
            "It is a while since you gave your password. Please give it once more; in this demonstration it is "
            strong { (PASSWORD) } "."
        }
        form class="stack narrow" method="post" action=(address(page, CONFIRM)) {
            (password_field(submitted))
            button type="submit" { "Go on" }
        }
    }
}
