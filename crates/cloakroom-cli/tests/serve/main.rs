//! `cloakroom serve`, as a program: between real clients and real stores.
// Clippy's leave for tests reaches test functions alone, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod clients;
mod conditions;
mod connections;
mod gateway;
mod lifetimes;
mod limits;
mod outages;
mod program;
mod protocol;
mod support;
