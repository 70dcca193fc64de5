//! The console as a browser meets it.
// Clippy's leave for tests reaches test functions alone, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod pages;
mod revoke;
mod support;
mod trouble;
