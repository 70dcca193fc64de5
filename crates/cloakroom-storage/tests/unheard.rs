//! What a store that is traced costs where nobody listens. Its own program: in another one somebody does.
#![allow(clippy::unwrap_used)]

use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{Driver, ItemKey, Traced, When};
use futures_util::{FutureExt, StreamExt};
use tracing_subscriber::filter::LevelFilter;

/// How many allocations the calls of a request make.
fn allocations(store: &dyn Driver) -> u64 {
    let key = ItemKey::new("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    let calls = || {
        let _ = store.set(&key, "hello".into(), When::Always, None).now_or_never().unwrap();
        store.get(&key).now_or_never().unwrap().unwrap();
        store.touch(&key, None).now_or_never().unwrap().unwrap();
        store.keys("").next().now_or_never().unwrap().unwrap().unwrap();
        store.sweep(1).now_or_never().unwrap().unwrap();
        store.remove(&key, When::Always).now_or_never().unwrap().unwrap();
    };
    // The first time makes what all later ones have.
    calls();
    allocation_counter::measure(calls).count_total
}

#[test]
fn a_call_takes_nothing_more_from_the_heap_where_nobody_listens() {
    let bare = allocations(&Memory::new());
    assert_eq!(allocations(&Traced::new(Memory::new())), bare);
    // Nor where somebody listens who is told of what matters alone.
    let log = tracing_subscriber::fmt().with_max_level(LevelFilter::INFO).finish();
    let _listening = tracing::subscriber::set_default(log);
    assert_eq!(allocations(&Traced::new(Memory::new())), bare);
}
