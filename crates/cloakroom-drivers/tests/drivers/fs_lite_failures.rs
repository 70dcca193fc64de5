//! The `fs-lite` driver on a disk that is full, read-only or not what it should be.
//!
//! The test binary starts itself again with one of the `child_` tests, on a file system of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom_drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{Driver, ErrorKind, ItemKey, RemoveOutcome, When};

const FOLDER: &str = "CLOAKROOM_TEST_FOLDER";

fn store(folder: &Path) -> FsLite {
    FsLite::new(Options::new(folder)).unwrap()
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

fn folder_of_parent() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn run(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Runs a child test after a shell command, which finds the folder in `$CLOAKROOM_TEST_FOLDER`.
fn shell(wrapper: &[&str], setup: &str, child: &str, folder: &Path) -> Command {
    let mut command = Command::new(wrapper.first().unwrap_or(&"sh"));
    if let [_, arguments @ ..] = wrapper {
        command.args(arguments).arg("sh");
    }
    let child = crate::part(module_path!(), child);
    let script = format!("{setup}; exec \"$0\" --exact {child} --ignored --nocapture");
    command.args(["-ec", &script]).arg(std::env::current_exe().unwrap()).env(FOLDER, folder);
    // Its result line would count as a test of its own.
    command.stdout(Stdio::null());
    command
}

/// Runs a child test where it may mount: as root, or in a user namespace of its own.
fn run_with_mount(mount: &str, child: &str, folder: &Path) {
    for namespace in [&["unshare", "--mount"][..], &["unshare", "--mount", "--map-root-user"]] {
        if run(Command::new(namespace[0])
            .args(&namespace[1..])
            .args(["mount", "-t", "tmpfs", "tmpfs"])
            .arg(folder))
        {
            assert!(run(&mut shell(namespace, mount, child, folder)), "{child} failed");
            return;
        }
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "this machine lets nobody mount, which {child} needs"
    );
    println!("skipped: {child} needs a machine that lets it mount");
}

#[test]
fn a_full_disk_is_a_clear_error_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size=400k tmpfs \"${FOLDER}\"");
    run_with_mount(&mount, "child_fills_the_disk", folder.path());
}

#[tokio::test]
#[ignore = "a part of `a_full_disk_is_a_clear_error_and_loses_nothing`"]
async fn child_fills_the_disk() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    let (first, large) = (Bytes::from(vec![b'1'; 100_000]), Bytes::from(vec![b'2'; 350_000]));
    let _ = files.set(&key("a"), first.clone(), When::Absent, None).await.unwrap();
    let version = files.get(&key("a")).await.unwrap().unwrap().version;
    for when in [When::Always, When::Version(version)] {
        let error = files.set(&key("a"), large.clone(), when, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error:?}");
        assert!(error.to_string().contains("is full; make room"), "{error}");
    }
    assert_eq!(files.get(&key("a")).await.unwrap().unwrap().value, first);
    // The failed writes left nothing behind that takes up room.
    let _ = files.set(&key("b"), first.clone(), When::Absent, None).await.unwrap();
    assert_eq!(files.remove(&key("a"), When::Always).await.unwrap(), RemoveOutcome::Removed);
}

#[test]
fn a_disk_without_a_file_left_can_be_swept_and_logged_out_of() {
    let mount = |files| format!("mount -t tmpfs -o nr_inodes={files} tmpfs \"${FOLDER}\"");
    for child in ["child_sweeps_a_full_store", "child_removes_from_a_full_folder"] {
        let folder = tempfile::tempdir().unwrap();
        run_with_mount(&mount(40), child, folder.path());
    }
}

#[tokio::test]
#[ignore = "a part of `a_disk_without_a_file_left_can_be_swept_and_logged_out_of`"]
async fn child_sweeps_a_full_store() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    let mut written = Vec::new();
    loop {
        let name = format!("{}", written.len());
        let ttl = Some(Duration::from_millis(300));
        match files.set(&key(&name), "value".into(), When::Absent, ttl).await {
            Ok(_) => written.push(folder.join(name)),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull, "{error:?}");
                break;
            }
        }
    }
    // As many as there are, none is left for a lock.
    while fs::write(folder.join(format!("more-{}", written.len())), "value").is_ok() {
        written.push(folder.join("no item of ours"));
    }
    let begin = Instant::now();
    while written.iter().any(|path| path.exists()) {
        assert!(begin.elapsed() < Duration::from_secs(20), "it cannot be swept");
        files.sweep(100).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let _ = files.set(&key("new"), "value".into(), When::Absent, None).await.unwrap();
}

#[tokio::test]
#[ignore = "a part of `a_disk_without_a_file_left_can_be_swept_and_logged_out_of`"]
async fn child_removes_from_a_full_folder() {
    let Some(folder) = folder_of_parent() else { return };
    // As JavaScript leaves it.
    let mut items = 0;
    while fs::write(folder.join(items.to_string()), "value").is_ok() {
        items += 1;
    }
    let files = store(&folder);
    assert!(files.sweep(100).await.unwrap().finished);
    let version = files.get(&key("0")).await.unwrap().unwrap().version;
    let removed = files.remove(&key("0"), When::Version(version)).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    assert!(!folder.join("0").exists());
    let _ = files.set(&key("new"), "value".into(), When::Always, None).await.unwrap_err();
    for item in 1..items {
        let removed = files.remove(&key(&item.to_string()), When::Always).await.unwrap();
        assert_eq!(removed, RemoveOutcome::Removed);
    }
    let _ = files.set(&key("new"), "value".into(), When::Always, None).await.unwrap();
}

#[test]
fn one_file_that_cannot_be_dated_keeps_no_other_from_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs tmpfs \"${FOLDER}\"");
    run_with_mount(&mount, "child_copies_without_times", folder.path());
}

#[tokio::test]
#[ignore = "a part of `one_file_that_cannot_be_dated_keeps_no_other_from_its_deadline`"]
async fn child_copies_without_times() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder.join("base"));
    let (soon, later) = (Duration::from_millis(300), Duration::from_secs(3600));
    // What ends last is dated first.
    for (name, ttl) in [("theirs", later * 2), ("living", later), ("ended", soon)] {
        let _ = files.set(&key(name), "logged in".into(), When::Always, Some(ttl)).await.unwrap();
    }
    let copy = "cp -r base copy; mount --bind copy/theirs copy/theirs; \
                mount -o remount,bind,ro copy/theirs";
    assert!(run(Command::new("sh").args(["-ec", copy]).current_dir(&folder)));
    let files = store(&folder.join("copy"));
    let ttl = async |name: &str| files.get_with_ttl(&key(name)).await.unwrap().map(|(_, ttl)| ttl);
    assert!(ttl("living").await.unwrap().is_some());
    assert!(ttl("theirs").await.unwrap().is_none());
    let begin = Instant::now();
    while folder.join("copy/ended").exists() {
        assert!(begin.elapsed() < Duration::from_secs(20), "nothing is swept");
        files.sweep(100).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_read_only_file_system_can_be_read_and_says_so_when_written_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "value").unwrap();
    fs::create_dir(folder.path().join(".cloakroom")).unwrap();
    let mount =
        format!("mount --bind \"${FOLDER}\" \"${FOLDER}\"; mount -o remount,bind,ro \"${FOLDER}\"");
    run_with_mount(&mount, "child_cannot_write", folder.path());
}

#[tokio::test]
#[ignore = "a part of `a_read_only_file_system_can_be_read_and_says_so_when_written_to`"]
async fn child_cannot_write() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    assert_eq!(files.get(&key("a")).await.unwrap().unwrap().value, "value");
    let ttl = Some(Duration::from_secs(9));
    let errors = [
        files.set(&key("a"), "other".into(), When::Always, ttl).await.unwrap_err(),
        files.set(&key("b"), "other".into(), When::Absent, ttl).await.unwrap_err(),
        files.remove(&key("a"), When::Always).await.unwrap_err(),
        files.touch(&key("a"), ttl).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
        assert!(error.to_string().contains("read-only file system"), "{error}");
    }
    assert_eq!(files.get(&key("a")).await.unwrap().unwrap().value, "value");
}

#[test]
fn a_write_that_is_cut_short_leaves_the_old_value() {
    let folder = tempfile::tempdir().unwrap();
    // Files may not grow beyond 16 blocks, so that a write stops in the middle. Needs no privilege.
    let setup = "trap '' XFSZ; ulimit -f 16";
    assert!(run(&mut shell(&[], setup, "child_writes_too_much", folder.path())));
}

#[tokio::test]
#[ignore = "a part of `a_write_that_is_cut_short_leaves_the_old_value`"]
async fn child_writes_too_much() {
    let Some(folder) = folder_of_parent() else { return };
    let files = store(&folder);
    let _ = files.set(&key("a"), "old".into(), When::Always, None).await.unwrap();
    let error =
        files.set(&key("a"), vec![b'x'; 1_000_000].into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
    assert_eq!(files.get(&key("a")).await.unwrap().unwrap().value, "old");
    let left = fs::read_dir(folder.join(".cloakroom")).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name.ends_with(".tmp$")).collect();
    assert!(names.is_empty(), "{names:?}");
}

#[tokio::test]
async fn an_item_below_an_item_is_refused_and_both_keep_what_they_had() {
    let folder = tempfile::tempdir().unwrap();
    let files = store(folder.path());
    let _ = files.set(&key("a"), "value".into(), When::Always, None).await.unwrap();
    let _ = files.set(&key("b:c"), "value".into(), When::Always, None).await.unwrap();
    for (name, when) in
        [("a:b", When::Always), ("a:b", When::Absent), ("b", When::Always), ("b", When::Absent)]
    {
        match files.set(&key(name), "other".into(), when, None).await {
            Ok(outcome) => panic!("{name}: {outcome:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidKey, "{name}: {error:?}"),
        }
        assert_eq!(files.get(&key(name)).await.unwrap(), None);
        assert!(!files.touch(&key(name), None).await.unwrap());
        assert_eq!(files.remove(&key(name), When::Always).await.unwrap(), RemoveOutcome::Missing);
    }
    assert_eq!(files.get(&key("a")).await.unwrap().unwrap().value, "value");
    assert_eq!(files.get(&key("b:c")).await.unwrap().unwrap().value, "value");
}

#[tokio::test]
async fn a_base_that_became_a_file_is_an_error_and_no_empty_store() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    let files = store(&base);
    fs::write(&base, "a file").unwrap();
    assert!(files.get(&key("a")).await.is_err());
    assert!(files.set(&key("a"), "value".into(), When::Always, None).await.is_err());
    assert!(files.remove(&key("a"), When::Always).await.is_err());
    assert!(files.touch(&key("a"), None).await.is_err());
}

#[tokio::test]
async fn a_name_that_is_too_long_for_a_file_is_an_invalid_key() {
    let folder = tempfile::tempdir().unwrap();
    let long = key(&"x".repeat(300));
    let error =
        store(folder.path()).set(&long, "value".into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
}
