//! The payloads' shape in types.

use serde::{Deserialize, Serialize};

/// A session: what JavaScript has as `Map<string, { data, expires }>`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    user: Entry<User>,
    cart: Entry<Cart>,
    flash: Entry<Vec<Flash>>,
    csrf: Entry<String>,
    return_to: Entry<String>,
    last_visit: Entry<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<Entry<Vec<Visit>>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry<T> {
    data: T,
    expires: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: u64,
    name: String,
    email: String,
    roles: Vec<String>,
    created_at: String,
    prefs: Preferences,
}

#[derive(Debug, Serialize, Deserialize)]
struct Preferences {
    theme: String,
    lang: String,
    currency: String,
    newsletter: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cart {
    currency: String,
    items: Vec<Item>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    sku: String,
    name: String,
    qty: u32,
    price: f64,
    added_at: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Flash {
    r#type: String,
    msg: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Visit {
    id: u64,
    url: String,
    title: String,
    at: String,
    meta: Meta,
}

#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    r#ref: Option<String>,
    ms: f64,
    tags: Vec<String>,
}
