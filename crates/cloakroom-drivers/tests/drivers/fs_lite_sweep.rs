//! How the `fs-lite` driver sweeps: by an index of what expires when.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cloakroom_drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{Driver, ErrorKind, ItemKey, SetOutcome, Swept, When};
use tempfile::TempDir;

const SOON: Option<Duration> = Some(Duration::from_millis(300));
const LATER: Option<Duration> = Some(Duration::from_secs(3600));
const PATIENCE: Duration = Duration::from_secs(60);

/// A store whose index is complete, as it is after the first sweep.
async fn store() -> (TempDir, FsLite) {
    let folder = tempfile::tempdir().unwrap();
    let files = FsLite::new(Options::new(folder.path())).unwrap();
    assert!(files.sweep(1).await.unwrap().finished);
    (folder, files)
}

fn key(name: impl ToString) -> ItemKey {
    ItemKey::new(&name.to_string()).unwrap()
}

async fn set(files: &FsLite, name: impl ToString, ttl: Option<Duration>) {
    let outcome = files.set(&key(name), "value".into(), When::Always, ttl).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

async fn is_there(files: &FsLite, name: &str) -> bool {
    files.get(&key(name)).await.unwrap().is_some()
}

fn own(folder: &Path) -> PathBuf {
    folder.join(".cloakroom")
}

/// The files of the index and when their time has passed, in seconds since 1970.
fn buckets(folder: &Path) -> Vec<(PathBuf, u64)> {
    let paths = fs::read_dir(own(folder)).unwrap().map(|entry| entry.unwrap().path());
    let end = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".expires$")?.parse().ok();
    paths.filter_map(|path| end(&path).map(|end| (path, end))).collect()
}

fn lines(folder: &Path) -> usize {
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().skip(1).count();
    buckets(folder).iter().map(|(path, _)| lines(path)).sum()
}

/// Waits until everything with a deadline about now is due.
async fn let_soon_pass(folder: &Path) {
    let begin = Instant::now();
    let soon = SystemTime::now() + Duration::from_secs(2);
    let soon = soon.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let last = buckets(folder).into_iter().map(|(_, end)| end).filter(|end| *end <= soon).max();
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(last.expect("something expires"));
    while SystemTime::now() < last {
        assert!(begin.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sweeps to the end, and answers what it came to and how many calls it took.
async fn sweep(files: &FsLite, budget: usize) -> (Swept, usize) {
    let (mut sum, mut calls) = (Swept::default(), 0);
    while !sum.finished {
        let swept = files.sweep(budget).await.unwrap();
        assert!(swept.removed <= budget, "{swept:?} with a budget of {budget}");
        sum.removed += swept.removed;
        sum.examined += swept.examined;
        sum.finished = swept.finished;
        calls += 1;
    }
    (sum, calls)
}

fn swept(removed: usize, examined: usize) -> Swept {
    Swept { removed, examined, finished: true }
}

#[tokio::test]
async fn a_sweep_looks_at_what_expired_and_not_at_what_lives() {
    const LIVE: usize = 20_000;
    let (folder, files) = store().await;
    for index in 0..LIVE {
        let ttl = Duration::from_secs(3600 + index as u64 * 30);
        set(&files, format!("live:{index}"), Some(ttl)).await;
    }
    for index in 0..20 {
        set(&files, format!("dead:{index}"), SOON).await;
    }
    let_soon_pass(folder.path()).await;
    let (sum, calls) = sweep(&files, 8).await;
    assert_eq!(sum, swept(20, 20));
    assert_eq!(calls, 3, "eight, eight, and four");
    assert_eq!(fs::read_dir(folder.path().join("dead")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(folder.path().join("live")).unwrap().count(), LIVE);
    assert!(buckets(folder.path()).len() < 200, "{} buckets", buckets(folder.path()).len());
    // A round that finds nothing looks at nothing.
    assert_eq!(sweep(&files, 8).await, (swept(0, 0), 1));
}

#[tokio::test]
async fn an_item_whose_deadline_was_moved_or_taken_away_stays() {
    let (folder, files) = store().await;
    for name in ["touched", "kept", "rewritten", "unlimited", "foreign", "removed", "gone"] {
        set(&files, name, SOON).await;
    }
    assert!(files.touch(&key("touched"), LATER).await.unwrap());
    assert!(files.touch(&key("kept"), None).await.unwrap());
    set(&files, "rewritten", LATER).await;
    set(&files, "unlimited", None).await;
    // As JavaScript writes.
    fs::write(folder.path().join("foreign"), "theirs").unwrap();
    let _ = files.remove(&key("removed"), When::Always).await.unwrap();
    let_soon_pass(folder.path()).await;
    assert_eq!(sweep(&files, 100).await.0, swept(1, 7));
    for name in ["touched", "kept", "rewritten", "unlimited", "foreign"] {
        assert!(is_there(&files, name).await, "{name}");
    }
    assert!(!folder.path().join("gone").exists());
}

#[tokio::test]
async fn a_touched_item_is_swept_at_its_last_deadline() {
    let (folder, files) = store().await;
    set(&files, "a", LATER).await;
    assert!(files.touch(&key("a"), SOON).await.unwrap());
    let_soon_pass(folder.path()).await;
    assert_eq!(sweep(&files, 100).await.0, swept(1, 1));
}

#[tokio::test]
async fn a_busy_item_has_few_lines_and_one_without_a_deadline_none() {
    let (folder, files) = store().await;
    for _ in 0..200 {
        set(&files, "busy", LATER).await;
        assert!(files.touch(&key("busy"), LATER).await.unwrap());
        set(&files, "unlimited", None).await;
        assert!(files.touch(&key("unlimited"), None).await.unwrap());
    }
    // One, or two where the test ran over the end of a bucket.
    assert!((1..=2).contains(&lines(folder.path())), "{} lines", lines(folder.path()));
}

#[tokio::test]
async fn an_item_is_noted_again_when_its_index_was_removed() {
    let (folder, files) = store().await;
    set(&files, "a", LATER).await;
    // As unstorage's `clear` does.
    fs::remove_dir_all(own(folder.path())).unwrap();
    set(&files, "a", LATER).await;
    assert_eq!(lines(folder.path()), 1);
}

#[tokio::test]
async fn each_line_of_a_large_bucket_is_looked_at_once() {
    const LINES: usize = 5000;
    let (folder, files) = store().await;
    let bucket = own(folder.path()).join("01000000000.expires$");
    for budget in [1, 7, 1000] {
        // Lines of any length, so that they begin and end anywhere in what is read at once.
        let line = |index: usize| format!("\n{index}-{}", "x".repeat(index % 90));
        fs::write(&bucket, (0..LINES).map(line).collect::<String>()).unwrap();
        assert_eq!(sweep(&files, budget).await.0, swept(0, LINES), "with a budget of {budget}");
    }
}

#[tokio::test]
async fn an_item_that_was_noted_and_never_written_is_passed_over() {
    let (folder, files) = store().await;
    set(&files, "file", None).await;
    // These are noted, and then they cannot be written.
    for name in ["file:below".to_owned(), "x".repeat(300)] {
        files.set(&key(&name), "value".into(), When::Always, SOON).await.unwrap_err();
    }
    assert_eq!(lines(folder.path()), 2);
    set(&files, "dead", SOON).await;
    let_soon_pass(folder.path()).await;
    let (sum, _) = sweep(&files, 100).await;
    assert_eq!(sum.removed, 1);
    assert_eq!(sweep(&files, 100).await, (swept(0, 0), 1));
    assert!(is_there(&files, "file").await);
}

#[tokio::test]
async fn a_deadline_that_cannot_be_noted_is_not_given() {
    const WIDTH: u64 = 128;
    let (folder, files) = store().await;
    set(&files, "a", LATER).await;
    set(&files, "b", None).await;
    let (_, end) = buckets(folder.path()).pop().unwrap();
    for end in [end, end + WIDTH] {
        let path = own(folder.path()).join(format!("{end:011}.expires$"));
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).unwrap();
    }
    files.touch(&key("b"), LATER).await.unwrap_err();
    files.set(&key("b"), "other".into(), When::Always, LATER).await.unwrap_err();
    files.set(&key("c"), "other".into(), When::Absent, LATER).await.unwrap_err();
    let (item, ttl) = files.get_with_ttl(&key("b")).await.unwrap().unwrap();
    assert_eq!((&item.value[..], ttl), (&b"value"[..], None));
    assert!(!is_there(&files, "c").await);
}

#[tokio::test]
async fn a_line_that_was_cut_short_hides_no_other() {
    let (folder, files) = store().await;
    let bucket = own(folder.path()).join("01000000000.expires$");
    set(&files, "dead", SOON).await;
    set(&files, "live", LATER).await;
    let_soon_pass(folder.path()).await;
    // Cut short between two whole lines and within a letter, and what is no line at all.
    let mut text = b"liv\ndead\n\xc3\nli\n../dead\n.cloakroom:01.lock$\n\n".to_vec();
    text.extend(vec![b'x'; 200_000]);
    text.extend(b"\nlive");
    fs::write(&bucket, text).unwrap();
    assert_eq!(sweep(&files, 100).await.0.removed, 1);
    assert!(!bucket.exists() && !folder.path().join("dead").exists());
    assert!(is_there(&files, "live").await);
}

#[tokio::test]
async fn a_folder_without_an_index_is_walked_once() {
    let (folder, files) = store().await;
    for index in 0..100 {
        set(&files, format!("live:{index}"), LATER).await;
        set(&files, format!("unlimited:{index}"), None).await;
    }
    for name in ["dead:a", "dead:b"] {
        set(&files, name, SOON).await;
    }
    let_soon_pass(folder.path()).await;
    // As an earlier version leaves it, and unstorage's `clear`.
    fs::remove_dir_all(own(folder.path())).unwrap();
    let (sum, calls) = sweep(&files, 2).await;
    assert_eq!(sum, swept(2, 202));
    assert!(calls > 3, "it was walked at one go");
    assert_eq!(lines(folder.path()), 100, "now the index knows what lives");
    let other = FsLite::new(Options::new(folder.path())).unwrap();
    assert_eq!(sweep(&other, 2).await, (swept(0, 0), 1));
}

#[tokio::test]
async fn a_sweep_that_is_given_up_is_taken_over_where_it_stopped() {
    let (folder, files) = store().await;
    for index in 0..50 {
        set(&files, index, SOON).await;
    }
    let_soon_pass(folder.path()).await;
    let first = files.sweep(20).await.unwrap();
    assert_eq!(first, Swept { removed: 20, examined: 20, finished: false });
    drop(files);
    let other = FsLite::new(Options::new(folder.path())).unwrap();
    assert_eq!(sweep(&other, 100).await.0, swept(30, 30));
}

#[tokio::test]
async fn while_one_sweeps_others_have_nothing_to_do() {
    let (folder, files) = store().await;
    set(&files, "dead", SOON).await;
    let_soon_pass(folder.path()).await;
    let lock = File::open(own(folder.path()).join("sweep.lock$")).unwrap();
    lock.lock().unwrap();
    assert_eq!(sweep(&files, 100).await, (swept(0, 0), 1));
    // Nor do they keep anybody from writing.
    set(&files, "other", LATER).await;
    drop(lock);
    assert_eq!(sweep(&files, 100).await.0, swept(1, 1));
}

#[tokio::test]
async fn a_read_only_store_is_never_written_to() {
    let (folder, files) = store().await;
    set(&files, "dead", SOON).await;
    let_soon_pass(folder.path()).await;
    let before = fs::read_dir(own(folder.path())).unwrap().count();
    let mut options = Options::new(folder.path());
    options.read_only = true;
    let reader = FsLite::new(options).unwrap();
    assert_eq!(sweep(&reader, 100).await, (swept(0, 0), 1));
    assert_eq!(fs::read_dir(own(folder.path())).unwrap().count(), before);
    assert!(folder.path().join("dead").exists());
    // A folder that was never written to is not made either.
    let missing = folder.path().join("missing");
    assert!(FsLite::new(Options::new(&missing)).unwrap().sweep(9).await.unwrap().finished);
    assert!(!missing.exists());
}

#[tokio::test]
async fn an_item_that_cannot_be_removed_is_reported_and_in_nobodys_way() {
    let (folder, files) = store().await;
    set(&files, "stuck", SOON).await;
    let is_lock = |path: &PathBuf| {
        path.to_str().unwrap().ends_with(".lock$") && !path.ends_with("sweep.lock$")
    };
    let mut paths = fs::read_dir(own(folder.path())).unwrap().map(|entry| entry.unwrap().path());
    let lock = paths.find(is_lock).unwrap();
    for index in 0..100 {
        set(&files, format!("free:{index}"), SOON).await;
    }
    let_soon_pass(folder.path()).await;
    // Nothing that needs this lock can be removed, not even by root.
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let error = files.sweep(1000).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let stuck = 1 + fs::read_dir(folder.path().join("free")).unwrap().count();
    assert!((1..20).contains(&stuck), "{stuck} of 101");
    // They are not tried again at once, and not forgotten either.
    assert_eq!(sweep(&files, 100).await, (swept(0, 0), 1));
    assert_eq!(lines(folder.path()), stuck);
}
