//! The session's keys and their types. An Astro site that shares the store declares the same in
//! `App.SessionData`.

use std::collections::{BTreeMap, BTreeSet};

use cloakroom::Key;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// The slugs in the cart, in the order they were added. JavaScript: `string[]`.
pub const CART: Key<Vec<String>> = Key::new("cart");
/// Who is logged in. JavaScript: `{ name: string }`.
pub const USER: Key<User> = Key::new("user");
/// When the latest page was shown. JavaScript: `Date`.
pub const LAST_VISIT: Key<Timestamp> = Key::new("lastVisit");
/// The visitor's own page. JavaScript: `URL`.
pub const HOMEPAGE: Key<Url> = Key::new("settings:homepage");
/// Departments of interest. JavaScript: `Set<string>`.
pub const INTERESTS: Key<BTreeSet<String>> = Key::new("settings:interests");
/// Sizes by their name. JavaScript: `Map<string, number>`.
pub const SIZES: Key<BTreeMap<String, f64>> = Key::new("settings:sizes");

/// Somebody who is logged in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// What they are called.
    pub name: String,
}
