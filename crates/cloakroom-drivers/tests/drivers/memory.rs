//! The `memory` driver.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::conformance;
use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{Driver, DynDriver, ItemKey, SetOutcome, Swept, When};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_conforms() {
    let store: Mutex<DynDriver> = Mutex::new(Arc::new(Memory::new()));
    let restart = async || *store.lock().unwrap() = Arc::new(Memory::new());
    conformance::run_with_restart(async || store.lock().unwrap().clone(), restart).await;
}

#[tokio::test]
async fn a_version_is_never_used_again() {
    let memory = Memory::new();
    let key = ItemKey::new("key").unwrap();
    let SetOutcome::Written { version: old } =
        memory.set(&key, "same".into(), When::Always, None).await.unwrap()
    else {
        panic!("not written")
    };
    memory.remove(&key, When::Always).await.unwrap();
    let _ = memory.set(&key, "same".into(), When::Absent, None).await.unwrap();
    let outcome = memory.set(&key, "late".into(), When::Version(old), None).await.unwrap();
    assert_eq!(outcome, SetOutcome::Conflict);
}

#[tokio::test(start_paused = true)]
async fn expired_items_are_freed_by_later_writes_without_a_sweep() {
    let memory = Memory::new();
    let key = |index: usize| ItemKey::new(&format!("key-{index}")).unwrap();
    for index in 0..1000 {
        let _ = memory
            .set(&key(index), "value".into(), When::Always, Some(Duration::from_secs(1)))
            .await
            .unwrap();
    }
    tokio::time::advance(Duration::from_secs(2)).await;
    for index in 1000..3000 {
        let _ = memory.set(&key(index), "value".into(), When::Always, None).await.unwrap();
    }
    assert_eq!(format!("{memory:?}"), "Memory { items: 2000, .. }");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_looks_at_the_expired_items_only() {
    let memory = Memory::new();
    for index in 0..1000 {
        let key = ItemKey::new(&format!("key-{index}")).unwrap();
        let ttl = Duration::from_secs(if index % 100 == 0 { 1 } else { 1000 });
        let _ = memory.set(&key, "value".into(), When::Always, Some(ttl)).await.unwrap();
    }
    tokio::time::advance(Duration::from_secs(2)).await;
    let first = memory.sweep(6).await.unwrap();
    assert_eq!((first.removed, first.finished), (6, false));
    let second = memory.sweep(6).await.unwrap();
    assert_eq!((second.removed, second.examined, second.finished), (4, 4, true));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_written_again_is_looked_at_once_and_freed_when_it_expires() {
    let memory = Memory::new();
    let key = ItemKey::new("key").unwrap();
    let ttl = Duration::from_secs(10);
    let write = || memory.set(&key, "value".into(), When::Always, Some(ttl));
    let _ = write().await.unwrap();
    tokio::time::advance(Duration::from_secs(8)).await;
    let _ = write().await.unwrap();
    assert_eq!(memory.sweep(2).await.unwrap(), swept(0, 0));
    // Its first deadline has passed, and its second has not.
    tokio::time::advance(Duration::from_secs(4)).await;
    assert_eq!(memory.sweep(2).await.unwrap(), swept(0, 1));
    assert_eq!(memory.sweep(2).await.unwrap(), swept(0, 0));
    assert!(memory.get(&key).await.unwrap().is_some());
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(memory.sweep(2).await.unwrap(), swept(1, 1));
    assert_eq!(format!("{memory:?}"), "Memory { items: 0, .. }");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_moves_sooner_later_and_away() {
    let memory = Memory::new();
    let key = ItemKey::new("key").unwrap();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let _ = memory.set(&key, "value".into(), When::Always, seconds(10)).await.unwrap();
    assert!(memory.touch(&key, seconds(20)).await.unwrap());
    assert!(memory.touch(&key, seconds(5)).await.unwrap());
    assert!(memory.touch(&key, None).await.unwrap());
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(memory.sweep(2).await.unwrap(), swept(0, 1));
    assert!(memory.get(&key).await.unwrap().is_some());
    assert!(memory.touch(&key, seconds(5)).await.unwrap());
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(memory.sweep(2).await.unwrap(), swept(1, 1));
    assert!(!memory.touch(&key, None).await.unwrap());
}

/// A sweep that came to the end.
fn swept(removed: usize, examined: usize) -> Swept {
    Swept { removed, examined, finished: true }
}

#[tokio::test]
async fn options_are_refused_because_there_are_none() {
    let options = serde_json::from_str(r#"{"base": "x"}"#).unwrap();
    let error = cloakroom_drivers::open("memory", &options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "memory: cannot open the store: no such option `base`; there are none"
    );
}
