//! What forms and scripts call: `POST /_actions/cart.add`, or a form whose address ends in `?_action=cart.add`.

use cloakroom::actions::{ActionError, ErrorCode, Issue, Result};
use cloakroom::axum::{Actions, Input, Session, Valid};
use cloakroom::devalue::{Map, Set, Url};
use garde::Validate;
use indexmap::{IndexMap, IndexSet};
use serde::Deserialize;

use crate::account::{self, LONGEST_NAME};
use crate::cart::{self, LONGEST_ITEM};
use crate::catalogue;
use crate::session::{CART, HOMEPAGE, INTERESTS, NOTICE, ORDER, Order, SIZES};

/// Puts an item into the cart, and answers with the number of items in it.
pub const CART_ADD: &str = "cart.add";
/// Takes an item out of the cart, and answers with the number of items in it.
pub const CART_REMOVE: &str = "cart.remove";
/// Orders what is in the cart.
pub const PLACE_ORDER: &str = "cart.order";
/// Logs in.
pub const LOG_IN: &str = "account.logIn";
/// Takes the password once more.
pub const CONFIRM: &str = "account.confirm";
/// Changes the delivery address.
pub const SAVE_ADDRESS: &str = "account.saveAddress";
/// Logs out one device.
pub const END_DEVICE: &str = "account.endDevice";
/// Logs out all devices but this one.
pub const END_OTHER_DEVICES: &str = "account.endOtherDevices";
/// Saves the settings.
pub const SAVE_SETTINGS: &str = "account.saveSettings";

/// All of them.
pub fn actions() -> Actions {
    Actions::new()
        .form(CART_ADD, add_to_cart)
        .form(CART_REMOVE, remove_from_cart)
        .form(PLACE_ORDER, place_order)
        .keep_only(PLACE_ORDER, ["name", "street", "town"])
        .form(LOG_IN, account::log_in)
        .keep_only(LOG_IN, ["name"])
        .form(CONFIRM, account::confirm)
        .form(SAVE_ADDRESS, account::save_address)
        .keep_only(SAVE_ADDRESS, ["street", "town"])
        .form(END_DEVICE, account::end_device)
        .form(END_OTHER_DEVICES, account::end_other_devices)
        .form(SAVE_SETTINGS, save_settings)
        .keep_only(SAVE_SETTINGS, ["homepage", "interest", "sizes"])
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
    let name = form.name.trim();
    if name.chars().count() > LONGEST_NAME {
        let message = format!("Please give a name of at most {LONGEST_NAME} letters.");
        return Err(ActionError::input([Issue::new(["name"], message)]));
    }
    let mut items = Vec::new();
    // Whoever empties the cart orders what was in it, and nobody else does.
    session.update(CART, |cart| items = std::mem::take(cart)).await?;
    if items.is_empty() {
        return Err(ActionError::new(ErrorCode::Conflict, "There is nothing to pay for."));
    }
    Ok(session.flash(ORDER, &Order { name: name.to_owned(), items })?)
}

/// The longest address that is kept, in bytes.
const LONGEST_ADDRESS: usize = 2000;

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
    // What the shop knows, and what another program that shares the session has put there: not whatever is sent.
    let (interests, sizes) =
        (session.get_or_default(INTERESTS).await?.0, session.get_or_default(SIZES).await?.0);
    let is_interest =
        |name: &String| catalogue::INTERESTS.contains(&name.as_str()) || interests.contains(name);
    let is_size = |name: &String| {
        catalogue::SIZES.iter().any(|row| row.name == name) || sizes.contains_key(name)
    };
    let chosen = form.interest.into_iter().filter(is_interest).collect();
    let measured = form.sizes.into_iter().filter(|(name, size)| size.is_finite() && is_size(name));
    session.set(INTERESTS, &Set(chosen))?;
    session.set(SIZES, &Map(measured.collect()))?;
    Ok(session.flash(NOTICE, "Your settings are saved.")?)
}

/// Only what a link may safely lead to, never `javascript:`, and what is worth keeping.
pub fn web_address(text: &str) -> Option<Url> {
    let text = text.trim();
    let url = url::Url::parse(text).ok().filter(|_| text.len() <= LONGEST_ADDRESS);
    url.filter(|url| matches!(url.scheme(), "http" | "https")).map(Url::from)
}
