//! What an operating system gives and a JavaScript host gives otherwise: clocks, timers, tasks and randomness.
//!
//! The same names in each file. For the crates of this workspace, and no part of the public interface.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod javascript;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[cfg_attr(feature = "simulation", allow(unreachable_pub))]
mod native;
pub mod random;
#[cfg(all(feature = "simulation", not(all(target_family = "wasm", target_os = "unknown"))))]
mod simulated;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use javascript::*;
#[cfg(not(any(feature = "simulation", all(target_family = "wasm", target_os = "unknown"))))]
pub use native::*;
#[cfg(all(feature = "simulation", not(all(target_family = "wasm", target_os = "unknown"))))]
pub use simulated::*;
