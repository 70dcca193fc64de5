//! What forms and scripts call: `POST /_actions/cart.add`, or a form whose address ends in `?_action=cart.add`.

use cloakroom::actions::{ActionError, ErrorCode, Issue, Result};
use cloakroom::axum::{Actions, Input, Session, Valid};
use cloakroom::devalue::{Map, Set, Url};
use garde::Validate;
use indexmap::{IndexMap, IndexSet};
use serde::Deserialize;

use crate::cart::{self, LONGEST_ITEM};
use crate::session::{CART, HOMEPAGE, INTERESTS, NOTICE, ORDER, Order, SIZES, USER, User};

/// Puts an item into the cart, and answers with the number of items in it.
pub const CART_ADD: &str = "cart.add";
/// Takes an item out of the cart, and answers with the number of items in it.
pub const CART_REMOVE: &str = "cart.remove";
/// Orders what is in the cart.
pub const PLACE_ORDER: &str = "cart.order";
/// Logs in.
pub const LOG_IN: &str = "account.logIn";
/// Saves the settings.
pub const SAVE_SETTINGS: &str = "account.saveSettings";

/// All of them.
pub fn actions() -> Actions {
    Actions::new()
        .form(CART_ADD, add_to_cart)
        .form(CART_REMOVE, remove_from_cart)
        .form(PLACE_ORDER, place_order)
        .form(LOG_IN, log_in)
        .form(SAVE_SETTINGS, save_settings)
}

/// Where a form is sent that calls an action and then leads to this page.
pub fn address(page: &str, action: &str) -> String {
    format!("{page}?_action={action}")
}

/// What the forms of the cart send.
#[derive(Debug, Deserialize, Validate)]
struct Item {
    #[garde(length(chars, min = 1, max = LONGEST_ITEM))]
    item: String,
    #[garde(skip)]
    size: Option<f64>,
}

async fn add_to_cart(session: Session, Valid(form): Valid<Item>) -> Result<usize> {
    Ok(cart::add(&session, &form.item, form.size).await?.len())
}

async fn remove_from_cart(session: Session, Valid(form): Valid<Item>) -> Result<usize> {
    Ok(cart::remove(&session, &form.item).await?.len())
}

/// What the order form sends. A demonstration keeps no addresses.
#[derive(Debug, Deserialize)]
struct OrderForm {
    name: String,
    #[serde(rename = "street")]
    _street: String,
    #[serde(rename = "town")]
    _town: String,
}

async fn place_order(session: Session, Input(form): Input<OrderForm>) -> Result<()> {
    let mut items = Vec::new();
    // Whoever empties the cart orders what was in it, and nobody else does.
    session.update(CART, |cart| items = std::mem::take(cart)).await?;
    if items.is_empty() {
        return Err(ActionError::new(ErrorCode::Conflict, "There is nothing to pay for."));
    }
    Ok(session.flash(ORDER, &Order { name: form.name.trim().to_owned(), items })?)
}

/// The longest name that is kept, in characters.
pub const LONGEST_NAME: usize = 60;

#[derive(Debug, Deserialize)]
struct LogIn {
    name: String,
}

async fn log_in(session: Session, Input(form): Input<LogIn>) -> Result<()> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let message = format!("Please give a name of at most {LONGEST_NAME} letters.");
        return Err(ActionError::input([Issue::new(["name"], message)]));
    }
    // A new id on every change of privilege: an id that somebody planted before is worth nothing now.
    session.regenerate().await?;
    session.set(USER, &User { name: name.to_owned() })?;
    Ok(session.flash(NOTICE, &format!("Hello, {name}. Your cart came along."))?)
}

#[derive(Debug, Deserialize)]
struct Settings {
    homepage: Option<String>,
    interest: IndexSet<String>,
    #[serde(default)]
    sizes: IndexMap<String, f64>,
}

async fn save_settings(session: Session, Input(form): Input<Settings>) -> Result<()> {
    match form.homepage.as_deref().map(web_address) {
        Some(Some(url)) => session.set(HOMEPAGE, &url)?,
        Some(None) => {
            let message = "Please give a whole address, such as https://example.org/.";
            return Err(ActionError::input([Issue::new(["homepage"], message)]));
        }
        None => session.delete(HOMEPAGE.name()),
    }
    let sizes = form.sizes.into_iter().filter(|(_, size)| size.is_finite());
    session.set(INTERESTS, &Set(form.interest))?;
    session.set(SIZES, &Map(sizes.collect()))?;
    Ok(session.flash(NOTICE, &"Your settings are saved.".to_owned())?)
}

/// Only what a link may safely lead to: never `javascript:`.
pub fn web_address(text: &str) -> Option<Url> {
    let url = url::Url::parse(text.trim()).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https")).map(Url::from)
}
