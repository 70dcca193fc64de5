//! Killed at any moment, it goes on where it was.

use std::process::Stdio;
use std::time::Duration;

use cloakroom_storage::{Driver as _, When};
use futures_util::StreamExt as _;

use super::support::{Pair, assert_alike, contents, driver, key, plain, put, text};
use crate::support::Site;

const ITEMS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_many_moments_it_ends_with_all_that_the_source_has_by_then() {
    for with_state in [true, false] {
        for (store, to) in Site::on_each().await {
            let from = plain();
            let (source, target) = (driver(&from.config).await, driver(&to.config).await);
            for number in 0..ITEMS {
                put(&source, &key(number), &format!("item {number}"), Some(3600)).await;
            }
            let pair = Pair::of(&from.config, &to.config);
            let (mut killed, mut wanted) = (0, 1);
            while wanted < ITEMS {
                let mut child = pair
                    .command(with_state, &[])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                // As soon as there is a little more than the last time.
                while target.keys("").count().await < wanted && child.try_wait().unwrap().is_none()
                {
                }
                child.kill().unwrap();
                killed += usize::from(!child.wait().unwrap().success());
                if with_state {
                    // What it had copied changes and goes in the meantime.
                    put(&source, &key(killed), "changed", Some(3600)).await;
                    source.remove(&key(ITEMS - killed), When::Always).await.unwrap();
                }
                wanted = target.keys("").count().await + 20;
            }
            let report = pair.migrated(with_state);
            assert_eq!(
                (&report["newer"], &report["onlyInTarget"]),
                (&0.into(), &0.into()),
                "{store}: {report}"
            );
            assert_alike(&source, &target, &format!("{store}, killed {killed} times")).await;
            assert!(killed > 2, "{store}: killed {killed} times");
        }
    }
}

/// Where it dies between what it notes and what it writes, and the other way about, another run does the same.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_changes_what_it_has_copied_it_knows_both() {
    let (from, to) = (plain(), plain());
    let (source, target) = (driver(&from.config).await, driver(&to.config).await);
    for number in 0..ITEMS {
        put(&source, &key(number), "first", None).await;
    }
    let pair = Pair::of(&from.config, &to.config);
    pair.migrated(true);
    let second = async || {
        let values: Vec<String> = contents(&target)
            .await
            .into_values()
            .map(|(value, _)| String::from_utf8(value.to_vec()).unwrap())
            .collect();
        values.iter().filter(|value| *value != "first").count()
    };
    for round in 1..8 {
        for number in 0..ITEMS {
            put(&source, &key(number), &format!("round {round}"), None).await;
        }
        let before = second().await;
        let mut child =
            pair.command(true, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while second().await < (before + 1).min(ITEMS) && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(round)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    source.remove(&key(0), When::Always).await.unwrap();
    let report = pair.migrated(true);
    assert_eq!((&report["newer"], &report["same"]), (&0.into(), &(ITEMS - 1).into()), "{report}");
    assert_alike(&source, &target, "files").await;
    assert_eq!(text(&target, &key(0)).await, None);
}
