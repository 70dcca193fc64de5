//! The `fs-lite` driver's deadlines, whatever becomes of the files.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use cloakroom_drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{Driver, ItemKey, RemoveOutcome, SetOutcome, Version, When};
use futures_util::StreamExt;
use tempfile::TempDir;

const SOON: Option<Duration> = Some(Duration::from_millis(300));
const LATER: Option<Duration> = Some(Duration::from_secs(3600));
const PATIENCE: Duration = Duration::from_secs(20);

fn store() -> (TempDir, FsLite) {
    let folder = tempfile::tempdir().unwrap();
    let files = open(&folder.path().join("base"));
    (folder, files)
}

fn open(base: &Path) -> FsLite {
    FsLite::new(Options::new(base)).unwrap()
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn set(files: &FsLite, name: &str, value: &str, ttl: Option<Duration>) -> Version {
    match files.set(&key(name), value.to_owned().into(), When::Always, ttl).await.unwrap() {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("{name}: a conflict without a condition"),
    }
}

/// The item's bytes and whether it has a deadline.
async fn get(files: &FsLite, name: &str) -> Option<(String, bool)> {
    let (item, ttl) = files.get_with_ttl(&key(name)).await.unwrap()?;
    Some((String::from_utf8(item.value.to_vec()).unwrap(), ttl.is_some()))
}

async fn until_gone(files: &FsLite, name: &str) {
    let begin = Instant::now();
    while get(files, name).await.is_some() {
        assert!(begin.elapsed() < PATIENCE, "{name} does not expire");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sweeps until this many items were removed, which may be a little after they have expired.
async fn until_swept(files: &FsLite, count: usize) {
    let (begin, mut removed) = (Instant::now(), 0);
    while removed < count {
        assert!(begin.elapsed() < PATIENCE, "{removed} of {count} were swept");
        removed += files.sweep(100).await.unwrap().removed;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(removed, count);
}

/// What owners, entry points of images, volumes and backups do to the folder `base`.
const CHANGES: [(&str, &str); 9] = [
    ("the owner", "chown -R $(id -u):$(id -g) base"),
    ("the mode", "chmod -R u+rw base"),
    ("each name", "for file in base/*; do mv $file $file.moved; mv $file.moved $file; done"),
    ("the folder's name", "mv base moved; mv moved base"),
    ("a name more", "for file in base/*; do ln $file link; rm link; done"),
    ("a copy of links", "cp -al base copy; rm -r base; mv copy base"),
    ("a copy", "cp -a base copy; rm -r base; mv copy base"),
    ("a backup that knows seconds", "tar -c -f tar --format=ustar base; rm -r base; tar -x -f tar"),
    ("attributes", "command -v setfacl && setfacl -R -m u:root:rw base || true"),
];

#[tokio::test]
async fn nothing_that_becomes_of_its_file_brings_back_what_has_expired() {
    let (folder, files) = store();
    let version = set(&files, "ended", "logged in", SOON).await;
    set(&files, "living", "logged in", LATER).await;
    set(&files, "unlimited", "logged in", None).await;
    fs::write(folder.path().join("base/theirs"), "logged in").unwrap();
    until_gone(&files, "ended").await;
    for (change, script) in CHANGES {
        let mut shell = Command::new("sh");
        let done = shell.args(["-ec", script]).current_dir(folder.path()).status().unwrap();
        assert!(done.success(), "{change}");
        // A process that begins now sees the same.
        for files in [&files, &open(&folder.path().join("base"))] {
            assert_eq!(get(files, "ended").await, None, "{change}");
            assert!(!files.touch(&key("ended"), LATER).await.unwrap(), "{change}");
            let when = When::Version(version.clone());
            let written = files.set(&key("ended"), "more".into(), when.clone(), None).await;
            assert_eq!(written.unwrap(), SetOutcome::Conflict, "{change}");
            let removed = files.remove(&key("ended"), when).await.unwrap();
            assert_eq!(removed, RemoveOutcome::Missing, "{change}");
            assert_eq!(files.keys("").count().await, 3, "{change}");
            for (name, has_deadline) in [("living", true), ("unlimited", false), ("theirs", false)]
            {
                let found = get(files, name).await;
                assert_eq!(found, Some(("logged in".to_owned(), has_deadline)), "{change}, {name}");
            }
        }
    }
    until_swept(&files, 1).await;
    assert!(!folder.path().join("base/ended").exists());
}

#[tokio::test]
async fn what_was_expired_when_the_backup_was_made_stays_so_without_the_index() {
    let (folder, files) = store();
    set(&files, "ended", "logged in", SOON).await;
    until_gone(&files, "ended").await;
    // Of the base alone, to another one.
    let script = "mkdir other; cp -a base/* other; rm -r base";
    assert!(
        Command::new("sh").args(["-ec", script]).current_dir(&folder).status().unwrap().success()
    );
    let files = open(&folder.path().join("other"));
    assert_eq!(get(&files, "ended").await, None);
    until_swept(&files, 1).await;
}

/// What loses all times.
const LOSSES: [(&str, &str); 5] = [
    ("a day that has passed as a deadline", "find base -exec touch -d 1980-01-01 {} +"),
    ("a day that is to come as a deadline", "find base -exec touch -d 2000-01-01 {} +"),
    ("a copy without times", "cp -r base copy; rm -r base; mv copy base"),
    ("everything touched", "find base -exec touch {} +"),
    ("a backup without times", "tar -c -f tar base; rm -r base; tar -x -m -f tar"),
];

#[tokio::test]
async fn where_all_files_lost_their_times_the_index_tells_when_they_end() {
    for (loss, script) in LOSSES {
        for is_open in [false, true] {
            let (folder, files) = store();
            assert!(files.sweep(1).await.unwrap().finished);
            set(&files, "first", "value", None).await;
            assert!(files.sweep(1).await.unwrap().finished);
            set(&files, "ended", "logged in", SOON).await;
            set(&files, "living", "logged in", LATER).await;
            // Noted twice: the later end counts.
            set(&files, "touched", "logged in", Some(PATIENCE)).await;
            assert!(files.touch(&key("touched"), LATER).await.unwrap());
            fs::write(folder.path().join("base/theirs"), "logged in").unwrap();
            until_gone(&files, "ended").await;
            let mut shell = Command::new("sh");
            let done = shell.args(["-ec", script]).current_dir(folder.path()).status().unwrap();
            assert!(done.success(), "{loss}");
            let files = if is_open { files } else { open(&folder.path().join("base")) };
            if is_open {
                until_swept(&files, 1).await;
            }
            until_gone(&files, "ended").await;
            for (name, has_deadline) in
                [("living", true), ("touched", true), ("first", false), ("theirs", false)]
            {
                let found = get(&files, name).await.map(|(_, has_deadline)| has_deadline);
                assert_eq!(found, Some(has_deadline), "{loss}, {name}");
            }
            for name in ["living", "touched"] {
                let ttl = files.get_with_ttl(&key(name)).await.unwrap().unwrap().1.unwrap();
                let longest = LATER.unwrap() * 17 / 16;
                assert!((PATIENCE * 2..longest).contains(&ttl), "{loss}, {name}: {ttl:?}");
            }
        }
    }
}

/// As it is in the first minutes of a site, and where nobody sweeps.
#[tokio::test]
async fn a_store_that_was_never_swept_knows_when_its_files_have_lost_their_times() {
    for (loss, script) in LOSSES {
        let (folder, files) = store();
        set(&files, "ended", "logged in", SOON).await;
        set(&files, "living", "logged in", LATER).await;
        until_gone(&files, "ended").await;
        let mut shell = Command::new("sh");
        assert!(shell.args(["-ec", script]).current_dir(folder.path()).status().unwrap().success());
        let files = open(&folder.path().join("base"));
        until_gone(&files, "ended").await;
        assert_eq!(get(&files, "living").await, Some(("logged in".to_owned(), true)), "{loss}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_gives_nothing_a_deadline() {
    let (folder, files) = store();
    set(&files, "ours", "value", None).await;
    let theirs = folder.path().join("base/theirs");
    fs::write(&theirs, "value").unwrap();
    // Written in what is the future now, and changed after that.
    for name in ["ours", "theirs"] {
        let file = File::open(folder.path().join("base").join(name)).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        assert_eq!(get(&files, name).await, Some(("value".to_owned(), false)), "{name}");
    }
}

#[tokio::test]
async fn a_second_name_that_a_killed_process_left_makes_no_item_immortal() {
    let (folder, files) = store();
    assert!(files.sweep(1).await.unwrap().finished);
    set(&files, "ended", "logged in", SOON).await;
    let own = folder.path().join("base/.cloakroom");
    let left = own.join("00-0123456789abcdef.tmp$");
    fs::hard_link(folder.path().join("base/ended"), &left).unwrap();
    until_gone(&files, "ended").await;
    until_swept(&files, 1).await;
    while !files.sweep(100).await.unwrap().finished {}
    assert!(!left.exists());
    assert_eq!(get(&files, "ended").await, None);
}

#[tokio::test]
async fn a_file_is_dated_46_years_before_its_items_end() {
    // Kept for ever: a process of another version must read the same deadline.
    const EARLY: Duration = Duration::from_secs(16_801 * 24 * 60 * 60);
    let (folder, files) = store();
    let path = folder.path().join("base/a");
    let near = |one: SystemTime, other: SystemTime| {
        one.duration_since(other).unwrap_or_else(|error| error.duration()) < PATIENCE
    };
    set(&files, "a", "value", LATER).await;
    let dated = path.metadata().unwrap().modified().unwrap();
    assert!(near(dated + EARLY, SystemTime::now() + LATER.unwrap()), "{dated:?}");
    // 9 September 2001, which is 9 September 2047.
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::open(&path).unwrap().set_modified(date).unwrap();
    let (_, ttl) = files.get_with_ttl(&key("a")).await.unwrap().unwrap();
    assert!(near(SystemTime::now() + ttl.unwrap(), date + EARLY), "{ttl:?}");
}

#[tokio::test]
async fn a_deadline_later_than_files_can_tell_is_none() {
    let (_folder, files) = store();
    let years = |years: u64| Some(Duration::from_secs(years * 365 * 24 * 60 * 60));
    set(&files, "a", "value", years(20)).await;
    assert_eq!(get(&files, "a").await, Some(("value".to_owned(), true)));
    assert!(files.touch(&key("a"), years(60)).await.unwrap());
    assert_eq!(get(&files, "a").await, Some(("value".to_owned(), false)));
}

#[tokio::test]
async fn an_old_version_serves_for_nothing_that_was_written_since() {
    let (folder, files) = store();
    let old = set(&files, "a", "one", LATER).await;
    set(&files, "a", "two", LATER).await;
    std::os::unix::fs::symlink(folder.path().join("base"), folder.path().join("name")).unwrap();
    drop(files);
    // After a restart, and by another name of the place.
    for base in ["base", "name"] {
        let files = open(&folder.path().join(base));
        let when = When::Version(old.clone());
        let written = files.set(&key("a"), "three".into(), when.clone(), None).await.unwrap();
        assert_eq!(written, SetOutcome::Conflict, "{base}");
        let removed = files.remove(&key("a"), when.clone()).await.unwrap();
        assert_eq!(removed, RemoveOutcome::Conflict, "{base}");
        assert_eq!(get(&files, "a").await, Some(("two".to_owned(), true)), "{base}");
        let _ = files.remove(&key("a"), When::Always).await.unwrap();
        let written = files.set(&key("a"), "three".into(), when, None).await.unwrap();
        assert_eq!(written, SetOutcome::Conflict, "{base}, after it was removed");
        set(&files, "a", "two", LATER).await;
    }
}

#[tokio::test]
async fn a_touch_or_removal_beside_a_writer_that_truncated_the_file_finds_the_item() {
    let (folder, files) = store();
    set(&files, "other", "value", None).await;
    let path = folder.path().join("base/a");
    let rewrite = async || {
        // As Node's `writeFile` does it: truncate, and write a little later.
        let mut file = File::create(&path).unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        file.write_all(b"theirs").unwrap();
    };
    fs::write(&path, "before").unwrap();
    let (touched, ()) =
        tokio::join!(biased; async { files.touch(&key("a"), LATER).await.unwrap() }, rewrite());
    assert!(touched);
    assert_eq!(get(&files, "a").await.unwrap().0, "theirs");
    let (removed, ()) =
        tokio::join!(async { files.remove(&key("a"), When::Always).await.unwrap() }, rewrite());
    assert_eq!(removed, RemoveOutcome::Removed);
}

#[tokio::test]
async fn a_touch_between_two_parts_of_a_write_shows_nobody_half_of_it() {
    // What a reader takes for the longest time between two parts of a value, less what the measuring takes.
    const LONGEST_PAUSE: Duration = Duration::from_millis(15);
    let (folder, files) = store();
    set(&files, "other", "value", None).await;
    let path = folder.path().join("base/a");
    let mut learned = 0;
    for _ in 0..40 {
        let mut file = File::create(&path).unwrap();
        file.write_all(b"first half, ").unwrap();
        let begin = Instant::now();
        let write = async {
            tokio::time::sleep(Duration::from_millis(8)).await;
            file.write_all(b"second half").unwrap();
            begin.elapsed()
        };
        let touch = async {
            assert!(files.touch(&key("a"), LATER).await.unwrap());
            get(&files, "a").await.unwrap().0
        };
        let (pause, found) = tokio::join!(write, touch);
        if pause < LONGEST_PAUSE {
            assert_eq!(found, "first half, second half");
            learned += 1;
        }
        if learned == 3 {
            return;
        }
    }
    panic!("too busy a machine to learn anything");
}
