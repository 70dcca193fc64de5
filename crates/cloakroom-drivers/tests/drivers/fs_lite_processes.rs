//! The `fs-lite` driver among processes: several at once, and one that is killed.
//!
//! The test binary starts itself again with one of the `child_` tests, which do nothing by themselves.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use cloakroom_drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{Driver, ItemKey, SetOutcome, When};

const FOLDER: &str = "CLOAKROOM_TEST_FOLDER";
const PROCESSES: usize = 3;
const EACH: usize = 100;
const KEYS: usize = 10;
const WRITES: usize = 1000;
const TTL: Option<Duration> = Some(Duration::from_secs(3600));

fn start(child: &str, folder: &Path) -> Child {
    crate::part_command(module_path!(), child)
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

/// The keys that an index below `folder` lists, and those whose files carry a deadline.
fn noted_and_expiring(folder: &Path) -> (HashSet<String>, HashSet<String>) {
    let (mut noted, mut expiring) = (HashSet::new(), HashSet::new());
    for entry in fs::read_dir(folder.join(".cloakroom")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with(".expires$") {
            noted.extend(fs::read_to_string(path).unwrap().lines().map(str::to_owned));
        }
    }
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        // What has no deadline is dated today.
        let today = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
        if metadata.is_file() && metadata.modified().unwrap() < today {
            expiring.insert(entry.file_name().into_string().unwrap());
        }
    }
    (noted, expiring)
}

#[tokio::test]
async fn a_process_killed_between_noting_a_deadline_and_writing_leaves_no_item_that_no_sweep_finds()
{
    let folder = tempfile::tempdir().unwrap();
    let mut found = 0;
    for round in 0..12 {
        let mut child = start("child_writes_new_items", folder.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wrote = lines.map(Result::unwrap).filter(|line| line.starts_with("wrote "));
        assert!(wrote.take(1 + round * 5).count() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        let (noted, expiring) = noted_and_expiring(folder.path());
        let lost: Vec<_> = expiring.difference(&noted).collect();
        assert!(lost.is_empty(), "{lost:?}");
        assert!(expiring.len() > found, "nothing was written");
        found = expiring.len();
    }
}

#[tokio::test]
#[ignore = "a part of `a_process_killed_between_noting_a_deadline_and_writing_leaves_no_item_that_no_sweep_finds`"]
async fn child_writes_new_items() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    for round in 0.. {
        let key = key(format!("{}-{round}", std::process::id()));
        // Half of them get their deadline later.
        let ttl = TTL.filter(|_| round % 2 == 0);
        let _ = files.set(&key, "value".into(), When::Always, ttl).await.unwrap();
        assert!(files.touch(&key, TTL).await.unwrap());
        println!("wrote {round}");
    }
}

const EXPIRED: usize = 2000;
const SOON: Option<Duration> = Some(Duration::from_millis(500));
const PATIENCE: Duration = Duration::from_secs(60);

fn expired_files(folder: &Path) -> usize {
    fs::read_dir(folder.join("dead")).map_or(0, Iterator::count)
}

/// Writes what expires, and waits until it may be swept.
async fn write_expired(files: &FsLite) {
    // The index is complete from now on.
    assert!(files.sweep(1).await.unwrap().finished);
    for index in 0..EXPIRED {
        let key = key(format!("dead:{index}"));
        let _ = files.set(&key, "old".into(), When::Always, SOON).await.unwrap();
    }
    let due = SystemTime::now() + Duration::from_secs(2);
    while SystemTime::now() < due {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn processes_that_sweep_together_remove_each_item_once_and_none_that_was_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let files = store(folder.path());
    write_expired(&files).await;
    let children: Vec<_> = (0..PROCESSES).map(|_| start("child_sweeps", folder.path())).collect();
    let mut rewritten = 0;
    for index in (0..EXPIRED).step_by(4) {
        let key = key(format!("dead:{index}"));
        let _ = files.set(&key, "new".into(), When::Always, TTL).await.unwrap();
        rewritten += 1;
    }
    let mut removed = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("removed ")).unwrap();
        removed.push(count.parse::<usize>().unwrap());
    }
    let sum: usize = removed.iter().sum();
    assert!((EXPIRED - rewritten..=EXPIRED).contains(&sum), "{removed:?}");
    assert_eq!(expired_files(folder.path()), rewritten);
    for index in (0..EXPIRED).step_by(4) {
        let item = files.get(&key(format!("dead:{index}"))).await.unwrap();
        assert_eq!(item.expect("it was rewritten").value, "new");
    }
}

#[tokio::test]
#[ignore = "a part of `processes_that_sweep_together_remove_each_item_once_and_none_that_was_rewritten`"]
async fn child_sweeps() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    let (mut removed, begin) = (0, Instant::now());
    while (1..EXPIRED)
        .any(|index| index % 4 != 0 && folder.join("dead").join(index.to_string()).exists())
    {
        assert!(begin.elapsed() < PATIENCE, "{removed} removed here");
        let swept = files.sweep(16).await.unwrap();
        removed += swept.removed;
        if swept.removed > 0 {
            println!("swept");
        }
    }
    println!("removed {removed}");
}

#[tokio::test]
async fn the_sweep_of_a_killed_process_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let files = store(folder.path());
    write_expired(&files).await;
    let mut left = EXPIRED;
    for round in 0..5 {
        let mut child = start("child_sweeps", folder.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let swept = lines.map(Result::unwrap).filter(|line| line == "swept");
        assert!(swept.take(1 + round).count() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        let now = expired_files(folder.path());
        assert!(now < left, "{now} of {left}");
        left = now;
    }
    let (mut removed, mut examined) = (0, 0);
    loop {
        let swept = files.sweep(100).await.unwrap();
        removed += swept.removed;
        examined += swept.examined;
        if swept.finished {
            break;
        }
    }
    assert_eq!(removed, left);
    assert_eq!(expired_files(folder.path()), 0);
    // The one that was killed may have removed a few that it had not yet cut off.
    assert!(examined <= left + 16, "{examined} for {left}");
}
