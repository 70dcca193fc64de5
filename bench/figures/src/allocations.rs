//! Counts what is taken from the heap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The system's allocator, which counts. A program has it where it says so:
///
/// ```
/// use figures::allocations::{Counting, counted};
///
/// #[global_allocator]
/// static COUNTING: Counting = Counting;
///
/// let before = counted();
/// let _kept = Box::new(1);
/// assert!(counted() > before);
/// ```
pub struct Counting;

/// How many threads count for themselves, those among them that are gone. Those beyond share with others, and then some may be
/// lost.
const THREADS: usize = 1024;

/// On a line of the processor's caches of its own, so that to count costs the same however many threads there are.
#[repr(align(64))]
struct Count(AtomicU64);

static COUNTS: [Count; THREADS] = [const { Count(AtomicU64::new(0)) }; THREADS];
static STARTED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// How many allocations this process has made. To make one larger counts as one.
pub fn counted() -> u64 {
    COUNTS.iter().map(|count| count.0.load(Ordering::Relaxed)).sum()
}

fn add_one() {
    // Not where a thread ends and its place is gone already.
    _ = PLACE.try_with(|place| {
        let index = place.get().unwrap_or_else(|| {
            let index = STARTED.fetch_add(1, Ordering::Relaxed) % THREADS;
            place.set(Some(index));
            index
        });
        // Nobody else writes here, so this is no exchange, which would cost more.
        let count = &COUNTS[index].0;
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    });
}

// SAFETY: everything is left to the system's allocator; to count allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add_one();
        // SAFETY: the caller's promises are those that are asked for here, as in each of these methods.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add_one();
        // SAFETY: see above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add_one();
        // SAFETY: see above.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: see above.
        unsafe { System.dealloc(place, layout) }
    }
}
