//! Numbers to spread work with.

use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::platform::RandomState;

/// A number from 0 to 1. Good enough to spread work in time, and for nothing else.
pub(crate) fn fraction() -> f64 {
    static SALT: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let hash = SALT.hash_one(CALLS.fetch_add(1, Ordering::Relaxed));
    f64::from((hash >> 32) as u32) / f64::from(u32::MAX)
}
