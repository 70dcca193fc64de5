//! What an operator asks of a store, as a program: on files, Redis, PostgreSQL, and over `cloakroom serve`.
// Clippy's leave for tests reaches test functions alone, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod backup;
mod console;
mod doctor;
mod keys;
mod killed;
mod migrate;
mod sessions;
mod shells;
mod support;
mod verify;
mod verify_beside;
mod watched;
mod wrong;
