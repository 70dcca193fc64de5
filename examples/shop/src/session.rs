//! The session's keys and their types. An Astro site that shares the store declares the same in
//! `App.SessionData`.
//!
//! `Date`, `Map`, `Set` and `Url` are JavaScript's, for what Rust and serde have no word for. The collections
//! inside keep the order of insertion, as JavaScript's do.

use cloakroom::devalue::{Date, Map, Set, Url};
use cloakroom::{Flash, Key};
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

/// The slugs in the cart, in the order they were added. JavaScript: `string[]`.
pub const CART: Key<Vec<String>> = Key::new("cart");
/// Who is logged in. JavaScript: `{ name: string }`.
pub const USER: Key<User> = Key::new("user");
/// Where a session says whose it is, for the configuration: a log-in on an Astro site that shares the session says so too.
pub const PRINCIPAL: &str = "user.name";
/// Where somebody has logged in. JavaScript: `{ browser: string, since: Date }`.
pub const DEVICE: Key<Device> = Key::new("device");
/// Where orders are sent. JavaScript: `{ street: string, town: string }`.
pub const ADDRESS: Key<Address> = Key::new("address");
/// When the latest page was shown. JavaScript: `Date`.
pub const LAST_VISIT: Key<Date> = Key::new("lastVisit");
/// The visitor's own page. JavaScript: `URL`.
pub const HOMEPAGE: Key<Url> = Key::new("settings:homepage");
/// Departments of interest. JavaScript: `Set<string>`.
pub const INTERESTS: Key<Set<IndexSet<String>>> = Key::new("settings:interests");
/// Sizes by their name. JavaScript: `Map<string, number>`.
pub const SIZES: Key<Map<IndexMap<String, f64>>> = Key::new("settings:sizes");

/// Somebody who is logged in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// What they are called.
    pub name: String,
}

/// The device that somebody has logged in on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Which browser, in a few words.
    pub browser: String,
    /// Since when.
    pub since: Date,
}

/// A delivery address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    /// The street, with the number.
    pub street: String,
    /// The town, with its postcode.
    pub town: String,
}

/// What the next page says once. JavaScript: `string`, as `flash:notice`.
pub const NOTICE: Flash<String> = Flash::new("notice");
/// An address that waits for the password. JavaScript: `{ street: string, town: string }`.
pub const DRAFT: Flash<Address> = Flash::new("address");
/// What was ordered, for the page that says thank you. JavaScript: `{ name: string, items: string[] }`.
pub const ORDER: Flash<Order> = Flash::new("order");

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Whose it is.
    pub name: String,
    /// The slugs that were in the cart.
    pub items: Vec<String>,
}
