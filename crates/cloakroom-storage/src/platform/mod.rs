//! What an operating system gives and a JavaScript host gives otherwise: clocks, timers, tasks and randomness.
//!
//! The same names in both files. For the crates of this workspace, and no part of the public interface.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod javascript;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod native;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use javascript::*;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use native::*;
