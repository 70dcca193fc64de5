//! unstorage's other drivers, so that choosing one gives a clear answer.

use cloakroom_storage::{Error, ErrorKind};

/// A driver of unstorage that is not one of ours: it cannot hold sessions, or not from Rust.
pub(super) struct Unavailable {
    pub(super) name: &'static str,
    reason: &'static str,
}

impl Unavailable {
    pub(super) fn error(&self) -> Error {
        let Unavailable { name, reason } = self;
        let message = format!("unstorage's driver `{name}` cannot hold sessions here: {reason}");
        Error::new(ErrorKind::Unsupported, message).with_driver(name)
    }
}

/// unstorage's drivers that are left out, by name, and why. [`open`](crate::open) says so too.
pub fn left_out() -> impl Iterator<Item = (&'static str, &'static str)> {
    DRIVERS.iter().map(|driver| (driver.name, driver.reason))
}

const fn never(name: &'static str, reason: &'static str) -> Unavailable {
    Unavailable { name, reason }
}

const BROWSER: &str = "it lives in a browser";
const PLATFORM: &str = "it is reached only from JavaScript on its vendor's platform";

/// In unstorage's order.
pub(super) static DRIVERS: &[Unavailable] = &[
    never(
        "azure-app-configuration",
        "it is made for settings: requests have an hourly quota, a value has room for 10 KB, and revisions are kept",
    ),
    never(
        "azure-key-vault",
        "it is made for secrets: every write leaves a version that stays, and what is deleted can be recovered",
    ),
    never("capacitor-preferences", BROWSER),
    never("cloudflare-cache-binding", "it is a cache that may drop a session at any time"),
    never("github", "it is read-only"),
    never("indexedb", BROWSER),
    never("localstorage", BROWSER),
    never("session-storage", BROWSER),
    never("uploadthing", PLATFORM),
    never("vercel-blob", "it refuses a second write to the same key"),
    never("vercel-runtime-cache", PLATFORM),
];
