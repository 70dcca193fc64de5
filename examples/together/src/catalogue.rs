//! `GET /api/catalogue`: what there is to buy, for the pages of the other half.

use axum::Json;
use serde::Serialize;
use shop::assets::{ICON, STYLE};
use shop::catalogue::{CATALOGUE, Product, euros};

/// What Astro's pages are made of.
#[derive(Debug, Serialize)]
pub struct Catalogue {
    /// Where the style sheet is.
    style: String,
    /// Where the icon is.
    icon: String,
    products: Vec<Card>,
}

/// A product, as pages show it.
#[derive(Debug, Serialize)]
struct Card {
    slug: &'static str,
    name: &'static str,
    price: String,
    summary: &'static str,
    text: &'static str,
    details: &'static [&'static str],
    picture: String,
    alt: &'static str,
}

impl From<&'static Product> for Card {
    fn from(product: &'static Product) -> Self {
        Self {
            slug: product.slug,
            name: product.name,
            price: euros(product.price),
            summary: product.summary,
            text: product.text,
            details: product.details,
            picture: product.picture.url(),
            alt: product.alt,
        }
    }
}

/// `GET /api/catalogue`.
pub async fn show() -> Json<Catalogue> {
    let products = CATALOGUE.iter().map(Card::from).collect();
    Json(Catalogue { style: STYLE.url(), icon: ICON.url(), products })
}
