//! The tests of sessions, as one program: each one of its own takes as long to build as all of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test fails by panicking.

#[cfg(all(feature = "encryption", feature = "hash-ids"))]
mod all;
#[cfg(all(feature = "encryption", feature = "hash-ids"))]
mod at_rest;
mod clones;
mod common;
mod concurrency;
#[cfg(feature = "derive")]
mod data;
mod ended;
#[cfg(feature = "testing")]
mod events;
mod flash;
mod flaws;
mod interruptions;
mod keys;
mod lifetime;
#[cfg(feature = "metrics")]
mod measured;
mod model;
mod observed;
mod old_input;
mod outages;
mod overtaken;
mod overwritten;
mod peers;
#[cfg(feature = "testing")]
mod principal_elsewhere;
#[cfg(feature = "testing")]
mod principal_index;
#[cfg(feature = "testing")]
mod principal_limits;
mod principal_steps;
#[cfg(feature = "testing")]
mod principals;
mod promises;
mod quarantine;
mod records;
#[cfg(feature = "testing")]
mod remembered;
mod retired;
mod secrets;
mod session;
#[path = "../../../cloakroom-storage/tests/spans/mod.rs"]
mod spans;
mod start;
#[cfg(feature = "testing")]
mod testing;
mod traced;
#[cfg(all(feature = "hash-ids", feature = "testing"))]
mod watched;
