//! How items lie in Redis's keyspace, and what replaces them in one step, whatever carries the commands there.

mod layout;
mod recent;
mod refusal;
mod script;

pub(crate) use layout::{Expiry, Layout};
pub(crate) use recent::Recent;
pub(crate) use refusal::refusal;
pub(crate) use script::{Replacement, Swapped, arguments, hash, text};
