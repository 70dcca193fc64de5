//! What an operator asks of a store, one command a file.

pub(crate) mod console;
pub(crate) mod count;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod sweep;
mod target;
