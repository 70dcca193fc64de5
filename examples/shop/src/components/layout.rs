use cloakroom::devalue::Date;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::cart_button;
use crate::assets::{ICON, SCRIPT, STYLE};
use crate::visitor::Visitor;

/// A whole page. `visitor` is `None` on pages without sessions.
pub fn layout(title: &str, visitor: Option<&Visitor>, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Hook & Peg" }
                link rel="stylesheet" href=(STYLE.url());
                link rel="icon" type="image/svg+xml" href=(ICON.url());
                script type="module" src=(SCRIPT.url()) {}
            }
            body {
                a class="skip" href="#main" { "Skip to the content" }
                (header(visitor))
                @if let Some(notice) = visitor.and_then(|visitor| visitor.notice.as_ref()) {
                    p role="status" class=(if notice.is_error { "notice error" } else { "notice" }) { span { (notice.text) } }
                }
                @if let Some(date) = visitor.and_then(|visitor| visitor.last_visit) { (welcome_back(date)) }
                main id="main" { (main) }
                footer {
                    p { "Hook & Peg sells things that hang in a hall. It is a demonstration: nothing is charged, nothing is sent." }
                    nav aria-label="More" { a href="/about" { "About the shop" } a href="/settings" { "Settings" } }
                }
                p class="toast" role="status" aria-live="polite" data-cart-status {}
            }
        }
    }
}

fn header(visitor: Option<&Visitor>) -> Markup {
    html! {
        header class="top" {
            a class="brand" href="/" { "Hook " span class="amp" { "&" } " Peg" }
            nav aria-label="Shop" {
                a href="/" { "Shop" }
                a href="/cart" { "Cart" }
                a href="/settings" { "Settings" }
                (account(visitor))
            }
            (cart_button(visitor.map(|visitor| visitor.items)))
        }
    }
}

fn account(visitor: Option<&Visitor>) -> Markup {
    html! {
        @match visitor {
            Some(Visitor { name: Some(name), .. }) => {
                a class="user" href="/login" { (name) }
                form method="post" action="/logout" { button class="plain" type="submit" { "Log out" } }
            }
            Some(_) => a href="/login" { "Log in" },
            None => a href="/login" { "Account" },
        }
    }
}

fn welcome_back(date: Date) -> Markup {
    // JavaScript's dates may be invalid or beyond the year 9999; nobody was here then.
    let time = date.millis().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    html! {
        @if let Some(time) = time {
            p class="welcome" {
                "Welcome back, last visit "
                time datetime=(time) { (time.strftime("%A %-d %B %Y, %H:%M:%S UTC")) }
            }
        }
    }
}
