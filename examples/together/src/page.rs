//! The frame of this half's pages, which looks as that of the other half does (`site/src/layouts/Page.astro`).

use maud::{DOCTYPE, Markup, html};
use shop::assets::{ICON, STYLE};

/// What a page's header shows of the session.
#[derive(Debug)]
pub struct Visitor {
    /// Their name, as Astro's sign-in has noted it.
    pub name: Option<String>,
    /// How many things are in the cart.
    pub items: usize,
}

/// A whole page.
pub fn page(title: &str, visitor: &Visitor, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Hook & Peg" }
                link rel="stylesheet" href=(STYLE.url());
                // A file of the other half's.
                link rel="stylesheet" href="/together.css";
                link rel="icon" type="image/svg+xml" href=(ICON.url());
            }
            body {
                (by_rust(&header(visitor)))
                main id="main" { (by_rust(main)) }
            }
        }
    }
}

fn header(visitor: &Visitor) -> Markup {
    html! {
        header class="top" {
            a class="brand" href="/" { "Hook " span class="amp" { "&" } " Peg" }
            nav aria-label="Shop" {
                a href="/" { "Shop" }
                @match &visitor.name {
                    Some(name) => {
                        a class="user" href="/login" { (name) }
                        form method="post" action="/logout" { button class="plain" type="submit" { "Log out" } }
                    }
                    None => a href="/login" { "Log in" },
                }
            }
            a href="/checkout" class="cart-button" { "🛒 " (visitor.items) " items" }
        }
    }
}

/// Says that axum has rendered this part.
pub fn by_rust(part: &Markup) -> Markup {
    html! { div class="part" data-by="axum" { (part) } }
}
