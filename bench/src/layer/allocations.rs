//! How many allocations this program makes.

use figures::allocations::{Counting, counted};

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many are made meanwhile.
pub(super) fn count(operation: impl FnOnce()) -> u64 {
    let before = counted();
    operation();
    counted() - before
}
