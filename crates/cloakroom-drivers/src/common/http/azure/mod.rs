//! What the drivers of Azure have in common: accounts, and how their keys sign requests.

mod account;
mod signing;

pub(crate) use account::{Account, Given, Service};
pub(crate) use signing::{Key, date};
