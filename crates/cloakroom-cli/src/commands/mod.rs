//! What an operator asks of a store, one command a file.

mod backup;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod count;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod migrate;
mod nothing;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod sweep;
mod target;
pub(crate) mod verify;
pub(crate) mod watch;
