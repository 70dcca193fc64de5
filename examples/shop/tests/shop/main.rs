//! The shop as its visitors meet it.

// Clippy's leave for tests reaches test functions alone, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod command_line;
mod concurrency;
mod configurations;
mod confirmation;
mod devices;
mod pages;
mod protection;
mod support;
mod visit;
