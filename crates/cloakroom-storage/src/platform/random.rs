//! Numbers to spread work with, to tell one thing from the next, and to begin to count from.

use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::RandomState;

/// A number from 0 to 1. Good enough to spread work in time, and for nothing else.
pub fn fraction() -> f64 {
    #[cfg(all(feature = "simulation", not(target_family = "wasm")))]
    if let Some(bytes) = super::simulated_bytes() {
        return f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX);
    }
    f64::from((hash() >> 32) as u32) / f64::from(u32::MAX)
}

/// A number that hardly comes again, in this process or in another. No secret.
pub fn number() -> u64 {
    #[cfg(all(feature = "simulation", not(target_family = "wasm")))]
    if let Some(bytes) = super::simulated_bytes() {
        return u64::from_ne_bytes(bytes);
    }
    hash()
}

/// The next hash under a salt that the operating system gave to this process.
fn hash() -> u64 {
    static SALT: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static CALLS: AtomicU64 = AtomicU64::new(0);
    SALT.hash_one(CALLS.fetch_add(1, Ordering::Relaxed))
}
