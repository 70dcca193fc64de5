//! The `fs-lite` driver among processes: several at once, and one that is killed.
//!
//! The test binary starts itself again with one of the `child_` tests, which do nothing by themselves.
#![cfg(all(feature = "fs-lite", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{Driver, ItemKey, SetOutcome, When};

const FOLDER: &str = "CLOAKROOM_TEST_FOLDER";
const PROCESSES: usize = 3;
const EACH: usize = 100;
const KEYS: usize = 10;
const WRITES: usize = 1000;
const TTL: Option<Duration> = Some(Duration::from_secs(3600));

fn start(child: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn folder_of_parent() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn store(folder: &Path) -> FsLite {
    FsLite::new(Options::new(folder)).unwrap()
}

fn key(name: impl ToString) -> ItemKey {
    ItemKey::new(&name.to_string()).unwrap()
}

#[tokio::test]
async fn processes_that_count_together_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = store(folder.path());
    let _ = files.set(&key("counter"), "0".into(), When::Absent, TTL).await.unwrap();
    let children: Vec<_> = (0..PROCESSES).map(|_| start("child_counts", folder.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let counted = files.get(&key("counter")).await.unwrap().unwrap().value;
    assert_eq!(counted, (PROCESSES * EACH).to_string());
}

#[tokio::test]
#[ignore = "a part of `processes_that_count_together_lose_nothing`"]
async fn child_counts() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    let mut done = 0;
    while done < EACH {
        let item = files.get(&key("counter")).await.unwrap().unwrap();
        let count: usize = std::str::from_utf8(&item.value).unwrap().parse().unwrap();
        let next = (count + 1).to_string().into();
        let outcome =
            files.set(&key("counter"), next, When::Version(item.version), TTL).await.unwrap();
        done += usize::from(outcome != SetOutcome::Conflict);
    }
}

/// A value that tells whether it is whole.
fn value(round: usize) -> Bytes {
    let length = [3, 700, 40_000, 300_000][round % 4];
    Bytes::from(vec![b'a' + (round % 4) as u8; length])
}

#[tokio::test]
async fn a_process_killed_in_the_middle_of_its_writes_leaves_whole_items() {
    let folder = tempfile::tempdir().unwrap();
    let files = store(folder.path());
    let mut killed = 0;
    for round in 0..12 {
        let mut child = start("child_writes", folder.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wrote = lines.map(Result::unwrap).filter(|line| line.starts_with("wrote "));
        // Let go on for a while, a different one each time, and die without a chance to clear up.
        assert!(wrote.take(1 + round * 7).count() > 0);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());

        for index in 0..KEYS {
            let path = folder.path().join(index.to_string());
            let Ok(found) = fs::read(&path) else { continue };
            let kind = usize::from(found.first().expect("a record is never empty") - b'a');
            assert!(found == value(kind), "{} bytes", found.len());
            assert_eq!(files.get(&key(index)).await.unwrap().unwrap().value, found);
        }
    }
    assert!(killed > 6, "only {killed} children were killed before their end");
    // The dead hold no locks, and what they left is cleared up.
    for index in 0..KEYS {
        let _ = files.set(&key(index), value(index), When::Always, TTL).await.unwrap();
    }
    while !files.sweep(100).await.unwrap().finished {}
    let own = fs::read_dir(folder.path().join(".cloakroom")).unwrap();
    let left = own
        .filter(|entry| entry.as_ref().unwrap().path().to_string_lossy().ends_with(".tmp$"))
        .count();
    assert_eq!(left, 0);
}

#[tokio::test]
#[ignore = "a part of `a_process_killed_in_the_middle_of_its_writes_leaves_whole_items`"]
async fn child_writes() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    for round in 0..WRITES {
        let _ = files.set(&key(round % KEYS), value(round), When::Always, TTL).await.unwrap();
        println!("wrote {round}");
    }
}
