//! The `fs-lite` driver on file systems that do less than a disk's: it finds out, and says so.
//!
//! The test binary starts itself again with one of the `child_` tests, among system calls that do nothing.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloakroom_drivers::fs_lite::{FsLite, Options};
use cloakroom_storage::{Capabilities, Driver, ItemKey, SetOutcome, When};
use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

const PATIENCE: Duration = Duration::from_secs(60);
const FOLDER: &str = "CLOAKROOM_TEST_FOLDER";

/// Times that are set are dropped, as by a file system over objects.
const NO_TIMES: &str = "
    int futimens(int file, const void *times) { return 0; }
    int utimensat(int folder, const char *path, const void *times, int flags) { return 0; }
";

/// Times are rounded down to the second, as by a network's protocols and older formats of disks.
const SECONDS: &str = "
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>
    #include <sys/stat.h>
    int futimens(int file, const struct timespec times[2]) {
        struct timespec rounded[2] = { times[0], { times[1].tv_sec, 0 } };
        return syscall(SYS_utimensat, file, 0, rounded, 0);
    }
";

/// Everybody gets every lock, as on some mounts over a network: the kernel answers so, since not every library calls C's
/// function for it.
const NO_LOCKS: &str = "
    #include <stddef.h>
    #include <stdlib.h>
    #include <linux/filter.h>
    #include <linux/seccomp.h>
    #include <sys/prctl.h>
    #include <sys/syscall.h>
    __attribute__((constructor)) static void grant(void) {
        struct sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) abort();
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) abort();
    }
";

/// A file that is replaced while somebody has it open gets another name beside, as on mounts over a network.
const ANOTHER_NAME: &str = "
    #define _GNU_SOURCE
    #include <dirent.h>
    #include <fcntl.h>
    #include <stdio.h>
    #include <sys/stat.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int rename(const char *from, const char *to) {
        struct stat target, open;
        DIR *files = stat(to, &target) ? NULL : opendir(\"/proc/self/fd\");
        for (struct dirent *file; files && (file = readdir(files));) {
            if (fstatat(dirfd(files), file->d_name, &open, 0)) continue;
            if (open.st_ino != target.st_ino || open.st_dev != target.st_dev) continue;
            char other[4096];
            snprintf(other, sizeof other, \"%s.open\", to);
            link(to, other);
        }
        if (files) closedir(files);
        return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    }
";

/// Runs a child test with these in the place of what the system does.
fn run_with(functions: &str, child: &str, folder: &Path) {
    let work = TempDir::new().unwrap();
    let (source, library) = (work.path().join("less.c"), work.path().join("less.so"));
    std::fs::write(&source, functions).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-w", "-o"]).arg(&library).arg(&source);
    assert!(compiler.status().unwrap().success());
    let mut test = crate::part_command(module_path!(), child);
    crate::run_part(test.env("LD_PRELOAD", &library).env(FOLDER, folder));
}

fn folder_of_parent() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// What is logged as a warning.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    fn count(&self, part: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|warning| warning.contains(part)).count()
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{}={value:?} ", field.name());
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Opens a base that is there and one that is not, and answers what both can do once they were written to.
async fn capabilities(folder: &Path, warning: &str) -> Capabilities {
    let warnings = Warnings::default();
    // For all threads, since a folder that is not there is made where writes are.
    tracing::subscriber::set_global_default(warnings.clone()).unwrap();
    let (there, missing) = (folder.join("there"), folder.join("missing"));
    std::fs::create_dir(&there).unwrap();
    let open = |base| FsLite::new(Options::new(base)).unwrap();
    let there = open(&there);
    let expected = there.capabilities();
    assert_eq!(warnings.count(warning), 1, "when it is opened: {:?}", warnings.0);
    let missing = open(&missing);
    for files in [&there, &missing] {
        for _ in 0..2 {
            let key = ItemKey::new("a").unwrap();
            let ttl = Some(Duration::from_secs(3600));
            let written = files.set(&key, "value".into(), When::Always, ttl).await.unwrap();
            assert!(matches!(written, SetOutcome::Written { .. }));
            let (_, ttl) = files.get_with_ttl(&key).await.unwrap().unwrap();
            assert_eq!(ttl.is_some(), expected.expiry);
        }
        assert_eq!(files.capabilities(), expected);
    }
    assert_eq!(warnings.count(warning), 2, "one for each store: {:?}", warnings.0);
    expected
}

#[test]
fn where_files_drop_their_times_nothing_is_said_to_expire() {
    let folder = TempDir::new().unwrap();
    run_with(NO_TIMES, "child_without_times", folder.path());
}

#[tokio::test]
#[ignore = "a part of `where_files_drop_their_times_nothing_is_said_to_expire`"]
async fn child_without_times() {
    let Some(folder) = folder_of_parent() else { return };
    let found = capabilities(&folder, "nothing expires").await;
    assert!(!found.expiry && found.shared && found.compare_and_swap);
}

#[test]
fn where_times_are_rounded_nothing_ends_before_its_time() {
    let folder = TempDir::new().unwrap();
    run_with(SECONDS, "child_with_seconds", folder.path());
}

#[tokio::test]
#[ignore = "a part of `where_times_are_rounded_nothing_ends_before_its_time`"]
async fn child_with_seconds() {
    const TTL: Duration = Duration::from_millis(300);
    let Some(folder) = folder_of_parent() else { return };
    let files = FsLite::new(Options::new(&folder)).unwrap();
    assert!(files.capabilities().expiry);
    assert!(files.sweep(1).await.unwrap().finished);
    let key = ItemKey::new("a").unwrap();
    let begin = Instant::now();
    let written = files.set(&key, "value".into(), When::Always, Some(TTL)).await.unwrap();
    assert!(matches!(written, SetOutcome::Written { .. }));
    while files.get(&key).await.unwrap().is_some() {
        assert!(begin.elapsed() < PATIENCE, "it does not expire");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(begin.elapsed() >= TTL, "gone after {:?}", begin.elapsed());
    while files.sweep(1).await.unwrap().removed == 0 {
        assert!(begin.elapsed() < PATIENCE, "it is not swept");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn where_locks_exclude_nobody_the_folder_is_said_to_be_one_processes() {
    let folder = TempDir::new().unwrap();
    run_with(NO_LOCKS, "child_without_locks", folder.path());
}

#[tokio::test]
#[ignore = "a part of `where_locks_exclude_nobody_the_folder_is_said_to_be_one_processes`"]
async fn child_without_locks() {
    let Some(folder) = folder_of_parent() else { return };
    let found = capabilities(&folder, "only one process may use it").await;
    assert!(found.expiry && !found.shared && found.compare_and_swap);
}

#[test]
fn where_an_open_file_that_is_replaced_gets_another_name_it_is_closed_before() {
    let folder = TempDir::new().unwrap();
    run_with(ANOTHER_NAME, "child_with_another_name", folder.path());
}

#[tokio::test]
#[ignore = "a part of `where_an_open_file_that_is_replaced_gets_another_name_it_is_closed_before`"]
async fn child_with_another_name() {
    let Some(folder) = folder_of_parent() else { return };
    let files = FsLite::new(Options::new(&folder)).unwrap();
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    assert!(names(&folder.join(".cloakroom")).iter().any(|name| name.ends_with(".open")), "tried");
    let key = ItemKey::new("a").unwrap();
    let mut when = When::Absent;
    for value in ["one", "two", "three"] {
        match files.set(&key, value.into(), when, None).await.unwrap() {
            SetOutcome::Written { version } => when = When::Version(version),
            SetOutcome::Conflict => panic!("nobody else writes"),
        }
    }
    let mut found = names(&folder);
    found.sort();
    assert_eq!(found, [".cloakroom", "a"]);
}

#[test]
fn a_disk_of_an_operating_system_has_it_all_and_nothing_is_logged() {
    let folder = TempDir::new().unwrap();
    run_with("", "child_with_it_all", folder.path());
}

#[tokio::test]
#[ignore = "a part of `a_disk_of_an_operating_system_has_it_all_and_nothing_is_logged`"]
async fn child_with_it_all() {
    let Some(folder) = folder_of_parent() else { return };
    let warnings = Warnings::default();
    tracing::subscriber::set_global_default(warnings.clone()).unwrap();
    let files = FsLite::new(Options::new(&folder)).unwrap();
    let found = files.capabilities();
    assert!(found.expiry && found.shared && found.compare_and_swap);
    assert_eq!(warnings.count(""), 0, "{:?}", warnings.0);
    // What was tried has left nothing but a lock, and what shows whether times are kept.
    let left = std::fs::read_dir(folder.join(".cloakroom")).unwrap();
    let mut names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["00.lock$", "dated$"]);
}
