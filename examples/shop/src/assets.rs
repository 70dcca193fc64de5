//! The style sheet, the script and the pictures: embedded in the program, cached for ever.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::catalogue::CATALOGUE;

/// The shop's only style sheet.
pub static STYLE: Asset =
    Asset::new("shop.css", "text/css; charset=utf-8", include_bytes!("../assets/shop.css"));
/// The script that makes adding to the cart a `fetch`. Every page works without it.
pub static SCRIPT: Asset =
    Asset::new("shop.js", "text/javascript; charset=utf-8", include_bytes!("../assets/shop.js"));
/// The icon in the browser's tab.
pub static ICON: Asset = Asset::svg("peg.svg", include_bytes!("../assets/peg.svg"));

/// A file that is part of the program. Its address carries a hash of its content, so a browser may keep it for
/// ever: a changed file has another address.
#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    hash: u64,
}

impl Asset {
    /// A file of any type.
    pub const fn new(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        Self { name, content_type, bytes, hash: fnv1a(bytes) }
    }

    /// A picture.
    pub const fn svg(name: &'static str, bytes: &'static [u8]) -> Self {
        Self::new(name, "image/svg+xml", bytes)
    }

    /// Where [`serve`] answers with this file.
    pub fn url(&self) -> String {
        format!("/assets/{:016x}/{}", self.hash, self.name)
    }
}

/// `GET /assets/{hash}/{name}`.
pub async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let mut all = [&STYLE, &SCRIPT, &ICON].into_iter().chain(CATALOGUE.iter().map(|p| &p.picture));
    match all.find(|asset| asset.name == name && format!("{:016x}", asset.hash) == hash) {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, asset.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// FNV-1a (Fowler, Noll, Vo), 64 bits: enough to tell two versions of a file apart, and computed by the compiler.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}
