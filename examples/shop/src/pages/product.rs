//! `/products/{slug}`: one product.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use cloakroom::axum::{Result, Session};
use maud::{Markup, html};

use super::problem;
use crate::catalogue::{self, Product, euros};
use crate::components::{add_to_cart, layout};
use crate::session::SIZES;
use crate::visitor::Visitor;

/// `GET /products/{slug}`.
pub async fn show(
    visitor: Visitor,
    session: Session,
    Path(slug): Path<String>,
) -> Result<Response> {
    let Some(product) = catalogue::find(&slug) else {
        return Ok(problem::not_found().await.into_response());
    };
    let chosen = session.get_or_default(SIZES).await?;
    let own = product.sizes.and_then(|sizes| chosen.0.get(sizes.name).copied());
    Ok(layout(product.name, Some(&visitor), &article(product, own)).into_response())
}

fn article(product: &Product, own_size: Option<f64>) -> Markup {
    html! {
        article class="product" {
            img src=(product.picture.url()) alt=(product.alt) width="400" height="400";
            div {
                p class="eyebrow" { (product.department) }
                h1 { (product.name) }
                p class="price large" { (euros(product.price)) }
                p class="lead" { (product.text) }
                (add_to_cart(product, product.sizes.map(|sizes| (sizes, own_size))))
                ul class="details" { @for detail in product.details { li { (detail) } } }
                p { a href="/" { "← Everything on the pegs" } }
            }
        }
    }
}
