//! Items that expire.

use std::time::Duration;

use super::suite::{LONG, SHORT, Suite, written};
use crate::platform::{Instant, sleep};
use crate::{RemoveOutcome, SetOutcome, When};

/// When sweeping is given up. It is longer than any machine is slow: an object store is asked for every object that is there.
const SWEEPING: Duration = Duration::from_secs(120);

pub(super) async fn an_item_expires_after_its_ttl_and_not_before(suite: &Suite) {
    let key = suite.key("expires");
    let begin = Instant::now();
    suite.set(&key, "value", Some(SHORT)).await;
    suite.until_missing(&key).await;
    // A store that counts milliseconds may round the deadline down by one of them.
    assert!(
        begin.elapsed() >= SHORT - Duration::from_millis(10),
        "gone after {:?}",
        begin.elapsed()
    );
}

pub(super) async fn an_item_tells_how_long_it_still_lives(suite: &Suite) {
    let key = suite.key("telling");
    let tells = async |ttl: Duration| {
        let (item, told) =
            suite.driver.get_with_ttl(&key).await.expect("get_with_ttl").expect("the item");
        assert_eq!(Some(item), suite.get(&key).await, "get and get_with_ttl differ");
        let told = told.expect("a ttl that was set is not told");
        // A store that counts seconds or milliseconds may round up by one of them.
        assert!(told <= ttl + Duration::from_secs(1), "{told:?} of {ttl:?}");
        assert!(told >= ttl - Duration::from_secs(60), "{told:?} of {ttl:?}");
    };
    suite.set(&key, "value", Some(LONG)).await;
    tells(LONG).await;
    assert!(suite.driver.touch(&key, Some(LONG * 2)).await.expect("touch"));
    tells(LONG * 2).await;
    let version = suite.set(&key, "value", Some(LONG * 3)).await;
    tells(LONG * 3).await;
    if suite.driver.capabilities().compare_and_swap {
        let when = When::Version(version);
        written(suite.driver.set(&key, "other".into(), when, Some(LONG)).await.expect("set"));
        tells(LONG).await;
    }
}

pub(super) async fn a_ttl_of_zero_leaves_no_item(suite: &Suite) {
    let key = suite.key("zero");
    suite.set(&key, "value", None).await;
    suite.set(&key, "value", Some(Duration::ZERO)).await;
    assert_eq!(suite.get(&key).await, None, "set");
    suite.set(&key, "value", None).await;
    suite.driver.touch(&key, Some(Duration::ZERO)).await.expect("touch");
    assert_eq!(suite.get(&key).await, None, "touch");
}

pub(super) async fn a_ttl_beyond_the_end_of_time_never_expires(suite: &Suite) {
    let key = suite.key("forever");
    for ttl in
        [Duration::MAX, Duration::from_secs(u64::from(u32::MAX)), Duration::from_secs(1 << 40)]
    {
        suite.set(&key, "value", Some(ttl)).await;
        assert!(suite.get(&key).await.is_some(), "set {ttl:?}");
        assert!(suite.driver.touch(&key, Some(ttl)).await.expect("touch"), "touch {ttl:?}");
        assert!(suite.get(&key).await.is_some(), "touched {ttl:?}");
    }
}

pub(super) async fn an_expired_item_cannot_be_touched_removed_or_revived(suite: &Suite) {
    let (touched, removed) = (suite.key("expired-touch"), suite.key("expired-remove"));
    suite.set(&touched, "value", Some(SHORT)).await;
    suite.set(&removed, "value", Some(SHORT)).await;
    suite.let_short_pass("expired").await;
    for ttl in [Some(LONG), None] {
        assert!(!suite.driver.touch(&touched, ttl).await.expect("touch"), "{ttl:?}");
        assert_eq!(suite.get(&touched).await, None, "revived by touch {ttl:?}");
    }
    let outcome = suite.driver.remove(&removed, When::Always).await.expect("remove");
    assert_eq!(outcome, RemoveOutcome::Missing);
}

pub(super) async fn an_expired_item_counts_as_missing_for_conditions(suite: &Suite) {
    let (updated, removed, created) =
        (suite.key("expired-update"), suite.key("expired-removal"), suite.key("expired-create"));
    let version = suite.set(&updated, "value", Some(SHORT)).await;
    let removed_version = suite.set(&removed, "value", Some(SHORT)).await;
    suite.set(&created, "old", Some(SHORT)).await;
    suite.let_short_pass("conditions").await;

    let outcome =
        suite.driver.set(&updated, "late".into(), When::Version(version), None).await.expect("set");
    assert_eq!(outcome, SetOutcome::Conflict);
    assert_eq!(suite.get(&updated).await, None);
    let outcome =
        suite.driver.remove(&removed, When::Version(removed_version)).await.expect("remove");
    assert_eq!(outcome, RemoveOutcome::Missing);
    written(suite.driver.set(&created, "new".into(), When::Absent, None).await.expect("set"));
    assert_eq!(suite.get(&created).await.map(|item| item.value), Some("new".into()));
}

/// A touch changes no version; but an item that has expired has none.
pub(super) async fn a_deadline_that_is_brought_forward_ends_the_versions_from_before(
    suite: &Suite,
) {
    let (touched, ended) = (suite.key("brought-forward"), suite.key("brought-to-now"));
    let mut versions = Vec::new();
    for (key, ttl) in [(&touched, SHORT), (&ended, Duration::ZERO)] {
        let version = suite.set(key, "value", Some(LONG)).await;
        suite.driver.touch(key, Some(ttl)).await.expect("touch");
        versions.push((key, version));
    }
    suite.let_short_pass("brought-forward").await;
    for (key, version) in versions {
        let when = When::Version(version);
        let late = suite.driver.set(key, "late".into(), when.clone(), None).await.expect("set");
        assert_eq!(late, SetOutcome::Conflict, "an expired item was revived");
        assert_eq!(suite.get(key).await, None);
        let outcome = suite.driver.remove(key, when).await.expect("remove");
        assert_eq!(outcome, RemoveOutcome::Missing);
    }
}

pub(super) async fn a_write_without_ttl_ends_the_expiry_of_the_one_before(suite: &Suite) {
    let key = suite.key("kept");
    suite.set(&key, "first", Some(SHORT)).await;
    suite.set(&key, "second", None).await;
    suite.let_short_pass("kept").await;
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("second".into()));
}

pub(super) async fn touch_moves_the_expiry_and_nothing_else(suite: &Suite) {
    let key = suite.key("touched");
    suite.set(&key, "value", Some(SHORT)).await;
    let before = suite.get(&key).await;
    let is_touched = suite.driver.touch(&key, Some(LONG)).await.expect("touch");
    let (Some(before), true) = (before, is_touched) else {
        return; // So slow a machine that the item expired first: nothing was learned, nothing is wrong.
    };
    suite.let_short_pass("touched").await;
    let after = suite.get(&key).await.expect("the touched item");
    assert_eq!(after.value, before.value, "the item is not as it was");
    if suite.driver.capabilities().compare_and_swap {
        // A store may have another word for the same version now, as long as it takes the old one.
        let when = When::Version(before.version);
        written(suite.driver.set(&key, "next".into(), when, None).await.expect("set"));
    }
}

pub(super) async fn touch_can_give_and_take_away_a_deadline(suite: &Suite) {
    let (given, taken) = (suite.key("given"), suite.key("taken"));
    suite.set(&given, "value", None).await;
    assert!(suite.driver.touch(&given, Some(SHORT)).await.expect("touch"));
    suite.set(&taken, "value", Some(LONG)).await;
    assert!(suite.driver.touch(&taken, None).await.expect("touch"));
    suite.until_missing(&given).await;
    assert!(suite.get(&taken).await.is_some());
}

pub(super) async fn a_sweep_frees_the_expired_alone_and_keeps_to_its_budget(suite: &Suite) {
    const EXPIRED: usize = 7;
    const BUDGET: usize = 2;
    let (forever, later) = (suite.key("sweep:forever"), suite.key("sweep:later"));
    suite.set(&forever, "value", None).await;
    suite.set(&later, "value", Some(LONG)).await;
    for index in 0..EXPIRED {
        suite.set(&suite.key(&format!("sweep:{index}")), "value", Some(SHORT)).await;
    }
    suite.let_short_pass("sweep").await;

    let begin = Instant::now();
    let (mut removed, mut passes) = (0, 0);
    // The first pass may have begun before there was anything to free, and a store may free an item a little later
    // than it has expired.
    while removed < EXPIRED || passes < 2 {
        assert!(begin.elapsed() < SWEEPING, "after {passes} passes, only {removed} were freed");
        let swept = suite.driver.sweep(BUDGET).await.expect("sweep");
        assert!(swept.removed <= BUDGET, "{} were removed at once", swept.removed);
        removed += swept.removed;
        passes += usize::from(swept.finished);
        if swept.finished {
            sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(suite.get(&forever).await.is_some(), "an item without ttl was swept away");
    assert!(suite.get(&later).await.is_some(), "an item was swept away before its time");
}
