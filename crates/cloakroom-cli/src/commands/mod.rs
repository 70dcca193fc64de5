//! What an operator asks of a store, one command a file.

mod backup;
pub(crate) mod count;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod migrate;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod sweep;
mod target;
mod value;
