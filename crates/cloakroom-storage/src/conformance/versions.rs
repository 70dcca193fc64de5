//! Versions never come again.

use bytes::Bytes;

use super::suite::{SHORT, Suite, written};
use crate::{ItemKey, RemoveOutcome, SetOutcome, Version, When};

/// What the item under a key was, one after the other, and what it was then.
const VALUES: [&str; 4] = ["first", "second", "third", "fourth"];

/// Writes the values, and gives the version of each.
async fn write_all(suite: &Suite, key: &ItemKey) -> Vec<Version> {
    let mut versions = Vec::new();
    for value in VALUES {
        versions.push(suite.set(key, value, None).await);
        // A store may have another word for it when it is read.
        versions.push(suite.get(key).await.expect("the item").version);
    }
    versions
}

/// Looks that none of the versions is the item's.
async fn match_nothing(suite: &Suite, key: &ItemKey, versions: &[Version]) {
    let before = suite.get(key).await.expect("the item").value;
    for (index, version) in versions.iter().enumerate() {
        let when = When::Version(version.clone());
        let set = suite.driver.set(key, "late".into(), when.clone(), None).await.expect("set");
        assert_eq!(set, SetOutcome::Conflict, "number {index} is that of {before:?}");
        let removed = suite.driver.remove(key, when).await.expect("remove");
        assert_eq!(removed, RemoveOutcome::Conflict, "number {index} is that of {before:?}");
    }
    assert_eq!(suite.get(key).await.map(|item| item.value), Some(before));
}

pub(super) async fn an_old_version_never_matches_other_bytes(suite: &Suite) {
    let key = suite.key("old-version");
    let mut versions = write_all(suite, &key).await;
    suite.set(&key, "fifth", None).await;
    match_nothing(suite, &key, &versions).await;
    versions.push(suite.get(&key).await.expect("the item").version);
    for value in ["sixth", "seventh", "eighth"] {
        suite.driver.remove(&key, When::Always).await.expect("remove");
        versions.push(written(
            suite.driver.set(&key, value.into(), When::Absent, None).await.expect("set"),
        ));
        match_nothing(suite, &key, &versions[..versions.len() - 1]).await;
    }
}

pub(super) async fn a_version_of_what_expired_never_matches_other_bytes(suite: &Suite) {
    let key = suite.key("expired-version");
    let version = suite.set(&key, "first", Some(SHORT)).await;
    suite.let_short_pass("expired-version").await;
    written(suite.driver.set(&key, "second".into(), When::Absent, None).await.expect("set"));
    match_nothing(suite, &key, &[version]).await;
}

pub(super) async fn the_same_bytes_written_again_are_another_version(suite: &Suite) {
    let key = suite.key("same-bytes");
    let version = suite.set(&key, "value", None).await;
    suite.set(&key, "value", None).await;
    match_nothing(suite, &key, &[version]).await;
}

pub(super) async fn an_old_version_does_not_match_when_its_bytes_come_back(suite: &Suite) {
    let key = suite.key("bytes-come-back");
    let versions = write_all(suite, &key).await;
    for value in VALUES {
        suite.set(&key, value, None).await;
        match_nothing(suite, &key, &versions).await;
    }
}

pub(super) async fn what_was_removed_and_made_anew_is_another_version(suite: &Suite) {
    let key = suite.key("made-anew");
    let versions = write_all(suite, &key).await;
    for value in VALUES {
        suite.driver.remove(&key, When::Always).await.expect("remove");
        written(suite.driver.set(&key, value.into(), When::Absent, None).await.expect("set"));
        match_nothing(suite, &key, &versions).await;
    }
}

pub(super) async fn what_expired_and_was_made_anew_is_another_version(suite: &Suite) {
    let key = suite.key("expired-anew");
    let version = suite.set(&key, "value", Some(SHORT)).await;
    suite.let_short_pass("expired-anew").await;
    written(suite.driver.set(&key, "value".into(), When::Absent, None).await.expect("set"));
    match_nothing(suite, &key, &[version]).await;
}

/// Versions that a store gave before it was restarted.
pub(super) struct BeforeRestart {
    kept: (ItemKey, Vec<Version>),
    gone: (ItemKey, Vec<Version>),
}

impl BeforeRestart {
    pub(super) async fn prepare(suite: &Suite) -> BeforeRestart {
        let (kept, gone) = (suite.key("restart-kept"), suite.key("restart-gone"));
        if !suite.driver.capabilities().compare_and_swap {
            return BeforeRestart { kept: (kept, Vec::new()), gone: (gone, Vec::new()) };
        }
        let of_gone = write_all(suite, &gone).await;
        suite.driver.remove(&gone, When::Always).await.expect("remove");
        let of_kept = write_all(suite, &kept).await;
        BeforeRestart { kept: (kept, of_kept), gone: (gone, of_gone) }
    }

    /// Looks, after the restart, that none of the versions comes again.
    pub(super) async fn check_after(self, suite: &Suite) {
        let BeforeRestart { kept, gone } = self;
        let capabilities = suite.driver.capabilities();
        if !capabilities.compare_and_swap {
            return;
        }
        if capabilities.durable {
            let last = VALUES.last().map(|value| Bytes::from(*value));
            assert_eq!(suite.get(&kept.0).await.map(|item| item.value), last, "it did not last");
        }
        // As many as before, so that whoever counts from the beginning comes by the same numbers.
        let others = ["fifth", "sixth", "seventh", "eighth", "ninth"];
        let same = VALUES.into_iter().filter(|_| capabilities.version_per_write);
        for value in others.into_iter().chain(same) {
            for (key, versions) in [&kept, &gone] {
                suite.set(key, value, None).await;
                match_nothing(suite, key, versions).await;
            }
        }
    }
}
