//! What is said of a driver in the table of drivers.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use cloakroom_storage::{Capabilities, DynDriver, Error, ErrorKind, Result};

pub(super) type Open = for<'a> fn(&'a Map<String, Value>) -> BoxFuture<'a, Result<DynDriver>>;

/// Drivers that a Worker's bindings are for, and what reaches the same data from elsewhere.
const IN_WORKERS: [(&str, &str); 2] = [
    ("cloudflare-kv-binding", "`cloudflare-kv-http`"),
    ("cloudflare-r2-binding", "`s3` with the endpoint of R2"),
];

/// Who can share a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The process that has it.
    Process,
    /// The processes of one machine.
    Machine,
    /// Any number of machines.
    Network,
}

/// A driver's row in the table of drivers.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DriverInfo {
    /// unstorage's name, and that of the feature that compiles it in.
    pub name: &'static str,
    /// Other names it goes by.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub summary: &'static str,
    /// The version that had it first.
    pub since: &'static str,
    /// Who can share a store of it.
    pub reach: Reach,
    /// What it can do; the [conformance suite](crate::conformance) compares this with what it does.
    pub capabilities: Capabilities,
    /// Whether a store of it may do less than that, as its options or its server have it.
    pub varies: bool,
    /// What else has to be known before choosing it.
    pub note: &'static str,
    /// The round trips that it takes to read an item, and to change it; `None` where nothing goes over a wire.
    pub round_trips: Option<(u8, u8)>,
    /// The real things that the tests run it against.
    pub tested_against: &'static str,
    pub(super) open: Option<Open>,
}

impl DriverInfo {
    /// Whether it goes by this name, or by its camel case, as in unstorage's `builtinDrivers`.
    pub fn is_called(&self, name: &str) -> bool {
        let mut names = self.aliases.iter().chain([&self.name]);
        names.any(|known| is_called(name, known))
    }

    /// Whether it works in this process's memory alone, so that no call can hang.
    pub fn is_in_process(&self) -> bool {
        self.reach == Reach::Process
    }

    /// Whether the driver's feature was compiled in.
    pub fn is_enabled(&self) -> bool {
        self.open.is_some()
    }

    /// Why it cannot be opened.
    pub(super) fn missing(&self) -> Error {
        let elsewhere = IN_WORKERS.iter().find(|(name, _)| *name == self.name);
        let (kind, message) = match elsewhere {
            Some((name, instead)) if !cfg!(all(target_family = "wasm", target_os = "unknown")) => (
                ErrorKind::Unsupported,
                format!(
                    "the driver `{name}` exists inside of Cloudflare Workers only (wasm32-unknown-unknown); from \
                     elsewhere use {instead}"
                ),
            ),
            _ => (
                ErrorKind::FeatureDisabled,
                format!(
                    "the driver `{0}` is not compiled in; enable the feature `{0}` of cloakroom-drivers (or of \
                     cloakroom)",
                    self.name
                ),
            ),
        };
        Error::new(kind, message).with_driver(self.name)
    }
}

/// Whether a name is this one, or this one in camel case, in which some words are written large: `vercelKV`.
pub(super) fn is_called(name: &str, known: &str) -> bool {
    let mut rest = name;
    let is_camel_case = known.split('-').enumerate().all(|(number, word)| {
        let Some((part, after)) = rest.split_at_checked(word.len()) else { return false };
        rest = after;
        match number {
            0 => part == word,
            _ => {
                part.eq_ignore_ascii_case(word)
                    && part.starts_with(|first: char| !first.is_ascii_lowercase())
            }
        }
    });
    name == known || is_camel_case && rest.is_empty()
}
