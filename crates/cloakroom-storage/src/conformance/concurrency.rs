//! Many callers at once, over two handles on one store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;

use super::suite::{LONG, Suite};
use crate::platform::{JoinHandle, spawn};
use crate::{DynDriver, ItemKey, RemoveOutcome, SetOutcome, When};

const TASKS: usize = 8;

/// Starts one task for each number below [`TASKS`], the handles taking turns.
fn start<F, Fut>(suite: &Suite, task: F) -> Vec<JoinHandle<Fut::Output>>
where
    F: Fn(usize, DynDriver) -> Fut,
    Fut: Future<Output: Send> + Send + 'static,
{
    let handles = [&suite.driver, &suite.other];
    (0..TASKS).map(|index| spawn(task(index, handles[index % 2].clone()))).collect()
}

async fn finish<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    join_all(tasks).await.into_iter().map(|task| task.expect("a task failed")).collect()
}

pub(super) async fn of_many_creators_one_wins(suite: &Suite) {
    for round in 0..10 {
        let key = suite.key(&format!("creators-{round}"));
        let tasks = start(suite, |index, driver| {
            let key = key.clone();
            async move {
                driver
                    .set(&key, index.to_string().into(), When::Absent, Some(LONG))
                    .await
                    .expect("set")
            }
        });
        let outcomes = finish(tasks).await;
        let winners: Vec<_> =
            (0..TASKS).filter(|index| outcomes[*index] != SetOutcome::Conflict).collect();
        assert_eq!(winners.len(), 1, "the winners are {winners:?}");
        let item = suite.get(&key).await.expect("the item");
        assert_eq!(item.value, winners[0].to_string(), "the loser's value is stored");
    }
}

pub(super) async fn of_many_removers_of_one_version_one_wins(suite: &Suite) {
    for round in 0..10 {
        let key = suite.key(&format!("removers-{round}"));
        let version = suite.set(&key, "value", Some(LONG)).await;
        let tasks = start(suite, |_, driver| {
            let (key, when) = (key.clone(), When::Version(version.clone()));
            async move { driver.remove(&key, when).await.expect("remove") }
        });
        let outcomes = finish(tasks).await;
        let winners = outcomes.iter().filter(|outcome| **outcome == RemoveOutcome::Removed).count();
        assert_eq!(winners, 1, "{outcomes:?}");
    }
}

/// Adds one to the number under `key`, again and again until nobody came between.
async fn increment(driver: &DynDriver, key: &ItemKey) {
    loop {
        let item = driver.get(key).await.expect("get").expect("the counter");
        let count: u32 = std::str::from_utf8(&item.value).expect("text").parse().expect("a number");
        let next = Bytes::from((count + 1).to_string());
        let outcome =
            driver.set(key, next, When::Version(item.version), Some(LONG)).await.expect("set");
        if outcome != SetOutcome::Conflict {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn concurrent_counting_over_two_handles_loses_nothing(suite: &Suite) {
    const EACH: usize = 25;
    let key = suite.key("counter");
    suite.set(&key, "0", Some(LONG)).await;
    let tasks = start(suite, |index, driver| {
        let key = key.clone();
        async move {
            for _ in 0..EACH {
                increment(&driver, &key).await;
            }
            // Touching and sweeping beside it must not disturb the count.
            driver.touch(&key, Some(LONG * (1 + index as u32))).await.expect("touch");
            driver.sweep(100).await.expect("sweep");
        }
    });
    finish(tasks).await;
    assert_eq!(suite.get(&key).await.expect("the counter").value, (TASKS * EACH).to_string());
}

pub(super) async fn a_removal_is_not_undone_by_updates_under_way(suite: &Suite) {
    for round in 0..10 {
        let key = suite.key(&format!("logout-{round}"));
        suite.set(&key, "0", Some(LONG)).await;
        let tasks = start(suite, |index, driver| {
            let key = key.clone();
            async move {
                if index == TASKS / 2 {
                    driver.remove(&key, When::Always).await.expect("remove");
                }
                while let Some(item) = driver.get(&key).await.expect("get") {
                    let value = Bytes::from(format!("{}x", String::from_utf8_lossy(&item.value)));
                    let _ = driver
                        .set(&key, value, When::Version(item.version), Some(LONG))
                        .await
                        .expect("set");
                    driver.touch(&key, Some(LONG)).await.expect("touch");
                    tokio::task::yield_now().await;
                }
            }
        });
        finish(tasks).await;
        assert_eq!(suite.get(&key).await, None, "a removed item came back");
    }
}

pub(super) async fn readers_never_see_a_torn_value(suite: &Suite) {
    const LENGTHS: [usize; 3] = [10, 5_000, 200_000];
    let key = suite.key("torn");
    // A text may take more room than its bytes.
    let longest = suite.driver.capabilities().longest_value.map_or(usize::MAX, |bytes| bytes / 2);
    let value =
        move |index: usize| Bytes::from(vec![b'a' + index as u8; LENGTHS[index % 3].min(longest)]);
    suite.set(&key, value(0), Some(LONG)).await;
    let done = Arc::new(AtomicBool::new(false));
    let tasks = start(suite, |index, driver| {
        let (key, done) = (key.clone(), done.clone());
        async move {
            if index < 3 {
                for _ in 0..30 {
                    let _ = driver
                        .set(&key, value(index), When::Always, Some(LONG))
                        .await
                        .expect("set");
                }
                done.store(true, Ordering::Relaxed);
            }
            while !done.load(Ordering::Relaxed) {
                let item =
                    driver.get(&key).await.expect("get").expect("an item that nobody removed");
                let first = item.value.first().copied().expect("a value that is not empty");
                let writer = usize::from(first - b'a');
                assert!(
                    item.value == value(writer),
                    "{} bytes of the writer {writer}",
                    item.value.len()
                );
                tokio::task::yield_now().await;
            }
        }
    });
    finish(tasks).await;
}
