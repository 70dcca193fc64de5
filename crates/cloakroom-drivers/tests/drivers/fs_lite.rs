//! The `fs-lite` driver: its layout, its times, and its neighbours.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::conformance;
use cloakroom_drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{
    Driver, DriverExt, DynDriver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, When,
};
use futures_util::StreamExt;
use tempfile::TempDir;

fn store() -> (TempDir, FsLite) {
    let folder = tempfile::tempdir().unwrap();
    let files = FsLite::new(Options::new(folder.path().join("base"))).unwrap();
    (folder, files)
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn set(files: &FsLite, name: &str, value: &str, ttl: Option<Duration>) {
    let outcome = files.set(&key(name), value.to_owned().into(), When::Always, ttl).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

async fn get(files: &FsLite, name: &str) -> Option<String> {
    let value = files.get_bytes(&key(name)).await.unwrap();
    value.map(|value| String::from_utf8(value.to_vec()).unwrap())
}

/// Every file and folder below `base`, with what `stat` calls its mode.
fn tree(base: &Path) -> Vec<(String, u32)> {
    fn visit(base: &Path, folder: &Path, found: &mut Vec<(String, u32)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
            found.push((path.strip_prefix(base).unwrap().to_str().unwrap().to_owned(), mode));
            if path.is_dir() {
                visit(base, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    visit(base, base, &mut found);
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fs_lite_conforms() {
    let folder = tempfile::tempdir().unwrap();
    conformance::run(|| async {
        Arc::new(FsLite::new(Options::new(folder.path())).unwrap()) as DynDriver
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fs_lite_conforms_with_sync() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path().join("made/on/demand"));
    options.sync = true;
    conformance::run(|| async { Arc::new(FsLite::new(options.clone()).unwrap()) as DynDriver })
        .await;
}

#[tokio::test]
async fn fs_lite_conforms_when_read_only() {
    let (_folder, files) = store();
    set(&files, "there", "value", None).await;
    let mut options = Options::new(_folder.path().join("base"));
    options.read_only = true;
    let files = Arc::new(FsLite::new(options).unwrap());
    conformance::run(|| async { files.clone() as DynDriver }).await;
    assert_eq!(get(&files, "there").await.as_deref(), Some("value"));
}

#[tokio::test]
async fn the_layout_is_unstorages_and_closed_to_others() {
    let (folder, files) = store();
    set(&files, "sess:6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d", "[]", Some(Duration::from_secs(9)))
        .await;
    set(&files, "plain", "[1]", None).await;
    let base = folder.path().join("base");
    assert_eq!(
        fs::read_to_string(base.join("sess/6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d")).unwrap(),
        "[]"
    );
    assert_eq!(base.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let found = tree(&base);
    let (own, items): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(name, _)| name.starts_with(".cloakroom/"));
    let expected = [
        (".cloakroom".to_owned(), 0o700),
        ("plain".to_owned(), 0o600),
        ("sess".to_owned(), 0o700),
        ("sess/6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d".to_owned(), 0o600),
    ];
    assert_eq!(items, expected);
    // unstorage takes what ends in `$` for metadata and does not list it.
    assert!(own.iter().all(|(name, mode)| name.ends_with('$') && *mode == 0o600), "{own:?}");
}

#[tokio::test]
async fn no_key_leads_into_the_drivers_own_folder() {
    let (_folder, files) = store();
    for name in [".cloakroom", ".cloakroom:00.lock$", ".CLOAKROOM:x", "deep:.cloakroom:00.lock$"] {
        let key = key(name);
        let kinds = [
            files.get(&key).await.unwrap_err().kind(),
            files.set(&key, "x".into(), When::Always, None).await.unwrap_err().kind(),
            files.remove(&key, When::Always).await.unwrap_err().kind(),
            files.touch(&key, None).await.unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::InvalidKey; 4], "{name}");
    }
    set(&files, "deep:.cloakrooms", "allowed", None).await;
    assert_eq!(get(&files, "deep:.cloakrooms").await.as_deref(), Some("allowed"));
}

#[tokio::test]
async fn a_write_in_place_takes_the_deadline_away() {
    let (folder, files) = store();
    set(&files, "a", "ours", Some(Duration::from_millis(500))).await;
    let deadline = SystemTime::now() + Duration::from_millis(500);
    fs::write(folder.path().join("base/a"), "theirs").unwrap();
    while SystemTime::now() <= deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(get(&files, "a").await.as_deref(), Some("theirs"));
}

#[tokio::test]
async fn a_foreign_change_is_a_conflict() {
    let (folder, files) = store();
    set(&files, "a", "ours", None).await;
    let read = files.get(&key("a")).await.unwrap().unwrap().version;
    fs::write(folder.path().join("base/a"), "them").unwrap();
    let outcome =
        files.set(&key("a"), "late".into(), When::Version(read.clone()), None).await.unwrap();
    assert_eq!(outcome, SetOutcome::Conflict);
    assert_eq!(
        files.remove(&key("a"), When::Version(read)).await.unwrap(),
        RemoveOutcome::Conflict
    );
    assert_eq!(get(&files, "a").await.as_deref(), Some("them"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_whole_values_of_a_writer_that_writes_in_place() {
    // What a reader takes for the longest time between two parts of a value, less what the measuring takes.
    const LONGEST_PAUSE: Duration = Duration::from_millis(15);
    // For how long it waits until it takes what is there.
    const PATIENCE: Duration = Duration::from_millis(100);
    let (folder, files) = store();
    set(&files, "a", &"0".repeat(6000), None).await;
    let path = folder.path().join("base/a");
    let writer = std::thread::spawn(move || {
        use std::io::Write;
        let mut slow = HashSet::new();
        for round in 1..=20 {
            let digit = (round % 10).to_string();
            let value = digit.repeat(6000);
            // As Node's `writeFile` does it: truncate, and write a little later, in parts.
            let mut file = fs::File::create(&path).unwrap();
            std::thread::sleep(Duration::from_millis(2));
            let begin = Instant::now();
            file.write_all(&value.as_bytes()[..4096]).unwrap();
            std::thread::sleep(Duration::from_millis(2));
            file.write_all(&value.as_bytes()[4096..]).unwrap();
            if begin.elapsed() > LONGEST_PAUSE {
                slow.insert(digit);
            }
            drop(file);
            std::thread::sleep(Duration::from_millis(60));
        }
        slow
    });
    let (mut reads, mut torn) = (0, HashSet::new());
    while !writer.is_finished() {
        let begin = Instant::now();
        let value = get(&files, "a").await.expect("an item that is being rewritten is not missing");
        let is_whole = value.len() == 6000 && value.bytes().all(|byte| byte == value.as_bytes()[0]);
        if !is_whole && begin.elapsed() < PATIENCE {
            torn.insert(value[..1].to_owned());
        }
        assert_eq!(files.keys("").count().await, 1, "it is not listed while it is being rewritten");
        reads += 1;
    }
    // A machine can be so busy that it keeps the writer from writing for longer than any reader waits.
    let slow = writer.join().unwrap();
    assert!(slow.len() < 10, "too busy a machine to learn anything");
    let torn: Vec<_> = torn.difference(&slow).collect();
    assert!(torn.is_empty(), "torn: {torn:?}");
    assert!(reads > 20, "only {reads} reads");
}

#[tokio::test]
async fn a_file_that_stays_empty_is_a_missing_item() {
    let (folder, files) = store();
    set(&files, "other", "value", None).await;
    fs::write(folder.path().join("base/a"), "").unwrap();
    assert_eq!(get(&files, "a").await, None);
    assert!(!files.touch(&key("a"), None).await.unwrap());
    let outcome = files.set(&key("a"), "value".into(), When::Absent, None).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
    assert_eq!(get(&files, "a").await.as_deref(), Some("value"));
}

#[tokio::test]
async fn a_symbolic_link_is_not_followed() {
    let (folder, files) = store();
    set(&files, "other", "value", None).await;
    let outside = folder.path().join("outside");
    fs::write(&outside, "secret").unwrap();
    let before = outside.metadata().unwrap().modified().unwrap();
    symlink(&outside, folder.path().join("base/a")).unwrap();

    assert_eq!(files.get(&key("a")).await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(
        files.touch(&key("a"), Some(Duration::from_secs(9))).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(files.keys("").count().await, 1);
    set(&files, "a", "ours", None).await;
    assert_eq!(get(&files, "a").await.as_deref(), Some("ours"));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "secret");
    assert_eq!(outside.metadata().unwrap().modified().unwrap(), before);
}

#[tokio::test]
async fn a_sweep_clears_up_after_killed_processes() {
    let (folder, files) = store();
    set(&files, "a", "value", None).await;
    let own = folder.path().join("base/.cloakroom");
    fs::write(own.join("07-0123456789abcdef.tmp$"), "half a val").unwrap();
    fs::write(own.join("63-0123456789abcdef.tmp$"), "").unwrap();
    while !files.sweep(10).await.unwrap().finished {}
    assert!(!tree(&own).iter().any(|(name, _)| name.ends_with(".tmp$")), "{:?}", tree(&own));
    assert_eq!(get(&files, "a").await.as_deref(), Some("value"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_was_replaced_is_closed_and_thereby_freed() {
    let (folder, files) = store();
    let key = key("a");
    let mut when = When::Absent;
    for value in ["one", "two", "three"] {
        match files.set(&key, value.into(), when, None).await.unwrap() {
            SetOutcome::Written { version } => when = When::Version(version),
            SetOutcome::Conflict => panic!("nobody else writes"),
        }
    }
    let is_replaced = |file: &Path| {
        file.starts_with(folder.path()) && file.to_string_lossy().ends_with(" (deleted)")
    };
    let is_open = || {
        let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
        open.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| is_replaced(&file))
    };
    let begin = std::time::Instant::now();
    while is_open() {
        assert!(begin.elapsed() < Duration::from_secs(60), "a replaced file is still open");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn names_that_no_key_leads_to_are_left_alone() {
    let (folder, files) = store();
    set(&files, "a", "value", None).await;
    for name in ["with:colon", "with?question", "with\\backslash"] {
        fs::write(folder.path().join("base").join(name), "foreign").unwrap();
    }
    let keys: Vec<_> = files.keys("").map(Result::unwrap).collect().await;
    assert_eq!(keys, [key("a")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_item_by_two_bases_is_under_one_lock() {
    const EACH: usize = 150;
    let folder = tempfile::tempdir().unwrap();
    let open = |base: &str| FsLite::new(Options::new(folder.path().join(base))).unwrap();
    let names = [(open("data"), "sess:id"), (open("data/sess"), "id")];
    // The folder of the inner one is made by the first write through it.
    for (files, name) in &names {
        set(files, name, "0", Some(Duration::from_secs(9))).await;
    }
    let count = async |(files, name): (FsLite, &str)| {
        let mut done = 0;
        while done < EACH {
            let item = files.get(&key(name)).await.unwrap().unwrap();
            let count: usize = std::str::from_utf8(&item.value).unwrap().parse().unwrap();
            let next = (count + 1).to_string().into();
            let when = When::Version(item.version);
            let outcome = files.set(&key(name), next, when, None).await.unwrap();
            done += usize::from(outcome != SetOutcome::Conflict);
        }
    };
    let [outer, inner] = names;
    tokio::join!(count(outer), count(inner));
    assert_eq!(get(&open("data/sess"), "id").await, Some((2 * EACH).to_string()));
    // What is the inner one's own is no item of the outer one.
    let keys: Vec<_> = open("data").keys("").map(Result::unwrap).collect().await;
    assert_eq!(keys, [key("sess:id")]);
}

#[tokio::test]
async fn removing_the_lock_files_does_no_harm() {
    // unstorage's `clear` removes them with everything else.
    let (folder, files) = store();
    set(&files, "a", "one", None).await;
    fs::remove_dir_all(folder.path().join("base")).unwrap();
    assert_eq!(get(&files, "a").await, None);
    assert!(!files.touch(&key("a"), None).await.unwrap());
    assert_eq!(files.remove(&key("a"), When::Always).await.unwrap(), RemoveOutcome::Missing);
    assert!(files.sweep(10).await.unwrap().finished);
    set(&files, "a", "two", None).await;
    assert_eq!(get(&files, "a").await.as_deref(), Some("two"));
}

#[test]
fn a_call_that_the_runtime_gives_up_is_cancelled_and_did_not_time_out() {
    let (_folder, files) = store();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let error = handle.block_on(files.get(&key("a"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(!error.is_timeout());
}
