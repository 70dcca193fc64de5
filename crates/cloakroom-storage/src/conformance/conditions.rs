//! Compare and swap, one caller at a time.

use super::suite::{Suite, written};
use crate::{ErrorKind, RemoveOutcome, SetOutcome, Version, When};

pub(super) async fn creating_refuses_an_existing_item(suite: &Suite) {
    let key = suite.key("create");
    written(suite.driver.set(&key, "first".into(), When::Absent, None).await.expect("set"));
    let second = suite.driver.set(&key, "second".into(), When::Absent, None).await.expect("set");
    assert_eq!(second, SetOutcome::Conflict);
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("first".into()));
}

pub(super) async fn creating_works_again_after_a_removal(suite: &Suite) {
    let key = suite.key("create-again");
    suite.set(&key, "first", None).await;
    suite.driver.remove(&key, When::Always).await.expect("remove");
    written(suite.driver.set(&key, "second".into(), When::Absent, None).await.expect("set"));
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("second".into()));
}

pub(super) async fn an_update_of_the_version_that_was_read_is_written(suite: &Suite) {
    let key = suite.key("update");
    suite.set(&key, "first", None).await;
    let read = suite.get(&key).await.expect("the item").version;
    written(suite.driver.set(&key, "second".into(), When::Version(read), None).await.expect("set"));
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("second".into()));
}

pub(super) async fn the_version_of_a_write_serves_for_the_next(suite: &Suite) {
    let key = suite.key("chain");
    let mut version =
        written(suite.driver.set(&key, "0".into(), When::Absent, None).await.expect("set"));
    for value in ["1", "2", "3"] {
        let outcome =
            suite.driver.set(&key, value.into(), When::Version(version), None).await.expect("set");
        version = written(outcome);
    }
    let item = suite.get(&key).await.expect("the item");
    assert_eq!(item.value, "3");
    assert_eq!(item.version, version, "a write and a read give different versions");
}

pub(super) async fn an_update_of_an_older_version_is_a_conflict(suite: &Suite) {
    let key = suite.key("stale");
    let old = suite.set(&key, "first", None).await;
    suite.set(&key, "second", None).await;
    let outcome =
        suite.driver.set(&key, "third".into(), When::Version(old), None).await.expect("set");
    assert_eq!(outcome, SetOutcome::Conflict);
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("second".into()));
}

pub(super) async fn an_update_of_a_missing_item_is_a_conflict(suite: &Suite) {
    let key = suite.key("update-missing");
    for version in [Version::from(0), Version::from(1), Version::from(bytes::Bytes::new())] {
        let outcome = suite
            .driver
            .set(&key, "value".into(), When::Version(version), None)
            .await
            .expect("set");
        assert_eq!(outcome, SetOutcome::Conflict);
    }
    assert_eq!(suite.get(&key).await, None);
}

pub(super) async fn an_update_fails_when_the_item_is_removed_after_it_was_read(suite: &Suite) {
    let key = suite.key("removed-between");
    suite.set(&key, "first", None).await;
    let read = suite.get(&key).await.expect("the item").version;
    suite.other.remove(&key, When::Always).await.expect("remove");
    let outcome =
        suite.driver.set(&key, "late".into(), When::Version(read), None).await.expect("set");
    assert_eq!(outcome, SetOutcome::Conflict);
    assert_eq!(suite.get(&key).await, None, "a removed item came back");
}

pub(super) async fn a_removal_of_an_older_version_is_a_conflict(suite: &Suite) {
    let key = suite.key("stale-removal");
    let old = suite.set(&key, "first", None).await;
    suite.set(&key, "second", None).await;
    let outcome = suite.driver.remove(&key, When::Version(old)).await.expect("remove");
    assert_eq!(outcome, RemoveOutcome::Conflict);
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("second".into()));
}

pub(super) async fn a_removal_of_the_version_that_was_read_removes_it(suite: &Suite) {
    let key = suite.key("removal");
    suite.set(&key, "value", None).await;
    let read = suite.get(&key).await.expect("the item").version;
    let outcome = suite.driver.remove(&key, When::Version(read.clone())).await.expect("remove");
    assert_eq!(outcome, RemoveOutcome::Removed);
    assert_eq!(suite.get(&key).await, None);
    let again = suite.driver.remove(&key, When::Version(read)).await.expect("remove");
    assert_eq!(again, RemoveOutcome::Missing);
}

pub(super) async fn conditions_are_refused_where_they_cannot_be_kept(suite: &Suite) {
    let key = suite.key("unconditional");
    let version = suite.set(&key, "value", None).await;
    for when in [When::Absent, When::Version(version)] {
        let error =
            suite.driver.set(&key, "other".into(), when, None).await.expect_err("a condition");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("value".into()));
}
