//! unstorage's other drivers, so that choosing one gives a clear answer.

use crate::{Error, ErrorKind};

/// A driver of unstorage that is not one of ours.
pub(super) struct Unavailable {
    pub(super) name: &'static str,
    reason: Reason,
}

enum Reason {
    /// It could be here one day.
    NotYet,
    /// It cannot hold sessions, or not from Rust.
    Never(&'static str),
}

/// unstorage's drivers that no version will have, by name, and why.
///
/// They cannot hold sessions, or not from Rust. [`open`](crate::open) says so too.
pub fn left_out() -> impl Iterator<Item = (&'static str, &'static str)> {
    DRIVERS.iter().filter_map(|driver| match driver.reason {
        Reason::NotYet => None,
        Reason::Never(reason) => Some((driver.name, reason)),
    })
}

impl Unavailable {
    pub(super) fn error(&self) -> Error {
        let name = self.name;
        let message = match self.reason {
            Reason::NotYet => {
                format!("unstorage's driver `{name}` is not available in this version of Cloakroom")
            }
            Reason::Never(reason) => {
                format!("unstorage's driver `{name}` cannot hold sessions here: {reason}")
            }
        };
        Error::new(ErrorKind::Unsupported, message).with_driver(name)
    }
}

const fn not_yet(name: &'static str) -> Unavailable {
    Unavailable { name, reason: Reason::NotYet }
}

const fn never(name: &'static str, reason: &'static str) -> Unavailable {
    Unavailable { name, reason: Reason::Never(reason) }
}

const BROWSER: &str = "it lives in a browser";
const PLATFORM: &str = "it is reached only from JavaScript on its vendor's platform";

/// In unstorage's order. A row goes when its driver comes.
pub(super) static DRIVERS: &[Unavailable] = &[
    not_yet("azure-app-configuration"),
    not_yet("azure-cosmos"),
    not_yet("azure-key-vault"),
    not_yet("azure-storage-blob"),
    not_yet("azure-storage-table"),
    never("capacitor-preferences", BROWSER),
    never("cloudflare-cache-binding", "it is a cache that may drop a session at any time"),
    not_yet("deno-kv"),
    not_yet("deno-kv-node"),
    never("github", "it is read-only"),
    never("indexedb", BROWSER),
    never("localstorage", BROWSER),
    not_yet("mongodb"),
    not_yet("planetscale"),
    not_yet("s3"),
    never("session-storage", BROWSER),
    never("uploadthing", PLATFORM),
    never("vercel-blob", "it refuses a second write to the same key"),
    never("vercel-runtime-cache", PLATFORM),
];
