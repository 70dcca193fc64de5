//! The real session code in a simulated world.
//!
//! A [`History`](history::History) is made from a seed: a few requests of a few browsers to a few machines over one
//! store, and what goes wrong. It [runs](run::run) in no time, on one thread, with the clock, the timers and
//! the numbers of its world, so that the same seed gives the same history again. What happened is [checked](checks)
//! against what sessions promise, and a history that breaks a promise is [shrunk](shrink) to a few lines.
//!
//! Whether it would notice is tried on `mutants`, the session code with one fault each. What the adapters of frameworks may
//! do wrong (two layers in one request, a cookie after a failed commit) is theirs to test: they are not simulated. Nor are
//! two threads within one step of a task; a test of the session crate races them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)] // A tool of tests: what cannot be is a failure.

mod astro;
mod browser;
pub mod checks;
pub mod content;
mod executor;
pub mod generate;
pub mod history;
mod operator;
mod program;
pub mod random;
pub mod report;
mod request;
pub mod run;
pub mod shrink;
mod store;
pub mod timeline;
pub mod trace;
mod world;
