//! What is set is what one gets.

use std::time::Duration;

use bytes::Bytes;

use super::suite::{LONG, Suite, written};
use crate::{ErrorKind, ItemKey, RemoveOutcome, When};

pub(super) async fn a_missing_item_reads_as_none(suite: &Suite) {
    assert_eq!(suite.get(&suite.key("missing")).await, None);
}

pub(super) async fn removing_a_missing_item_is_no_error(suite: &Suite) {
    if suite.driver.capabilities().read_only {
        return;
    }
    let outcome = suite.driver.remove(&suite.key("missing"), When::Always).await.expect("remove");
    assert_eq!(outcome, RemoveOutcome::Missing);
}

pub(super) async fn touching_a_missing_item_says_that_it_is_not_there(suite: &Suite) {
    if suite.driver.capabilities().read_only {
        return;
    }
    assert!(!suite.driver.touch(&suite.key("missing"), Some(LONG)).await.expect("touch"));
    assert_eq!(suite.get(&suite.key("missing")).await, None, "touch created an item");
}

pub(super) async fn removing_on_condition_of_absence_is_refused(suite: &Suite) {
    let error =
        suite.driver.remove(&suite.key("missing"), When::Absent).await.expect_err("no condition");
    assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::ReadOnly), "{error}");
}

pub(super) async fn keys_that_would_leave_the_namespace_cannot_be_made(suite: &Suite) {
    for escape in ["..", "../x", "a/../../x", "a:..:x", "..\\x", "a/./x", "nul\0", "line\n"] {
        let key = ItemKey::new(&format!("{}:{escape}", suite.namespace));
        assert!(key.is_err(), "{escape:?} is a key");
    }
}

pub(super) async fn a_read_only_store_refuses_every_write(suite: &Suite) {
    let key = suite.key("read-only");
    let set = suite.driver.set(&key, "value".into(), When::Always, None).await.map(|_| ());
    let remove = suite.driver.remove(&key, When::Always).await.map(|_| ());
    let touch = suite.driver.touch(&key, None).await.map(|_| ());
    for (name, result) in [("set", set), ("remove", remove), ("touch", touch)] {
        assert_eq!(result.expect_err(name).kind(), ErrorKind::ReadOnly, "{name}");
    }
}

pub(super) async fn a_store_that_retains_nothing_is_always_empty(suite: &Suite) {
    let key = suite.key("forgotten");
    suite.set(&key, "value", None).await;
    assert_eq!(suite.get(&key).await, None);
    assert!(!suite.driver.touch(&key, None).await.expect("touch"));
    assert_eq!(
        suite.driver.remove(&key, When::Always).await.expect("remove"),
        RemoveOutcome::Missing
    );
}

pub(super) async fn bytes_come_back_as_they_were_set(suite: &Suite) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for (name, value) in [
        ("text", Bytes::from_static(b"[{\"cart\":1}]")),
        ("unicode", Bytes::from("grüße 🛒")),
        ("binary", Bytes::from(every_byte)),
        ("one byte", Bytes::from_static(b"\0")),
        ("white space", Bytes::from_static(b" \r\n\t ")),
    ] {
        let key = suite.key(&format!("bytes:{name}"));
        suite.set(&key, value.clone(), None).await;
        assert_eq!(suite.get(&key).await.map(|item| item.value), Some(value), "{name}");
    }
}

pub(super) async fn large_values_come_back_whole(suite: &Suite) {
    let key = suite.key("large");
    let length = suite.driver.capabilities().longest_value.unwrap_or(5_000_000);
    for value in [bytes(length), "x".repeat(length).into()] {
        suite.set(&key, value.clone(), None).await;
        let found = suite.get(&key).await.expect("the item").value;
        assert!(found == value, "{} bytes came back, or not the same", found.len());
    }
}

pub(super) async fn a_value_beyond_the_longest_is_refused(suite: &Suite) {
    let key = suite.key("too-large");
    let longest = suite.driver.capabilities().longest_value.expect("a longest value");
    for value in [bytes(longest + 1), "🧥".repeat(longest).into()] {
        let error = suite.driver.set(&key, value, When::Always, None).await.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert!(error.is_unapplied() && !error.is_retryable(), "{error}");
    }
    assert_eq!(suite.get(&key).await, None);
}

/// Bytes that are no text.
fn bytes(length: usize) -> Bytes {
    (0..length).map(|index| (index % 251) as u8).collect()
}

pub(super) async fn an_empty_value_is_an_item(suite: &Suite) {
    let key = suite.key("empty");
    suite.set(&key, "", None).await;
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some(Bytes::new()));
}

pub(super) async fn an_empty_value_is_refused_where_it_cannot_be_stored(suite: &Suite) {
    let key = suite.key("empty");
    let error =
        suite.driver.set(&key, Bytes::new(), When::Always, None).await.expect_err("an empty value");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(suite.get(&key).await, None);
}

pub(super) async fn an_item_without_ttl_tells_of_none(suite: &Suite) {
    let key = suite.key("untold");
    assert_eq!(suite.driver.get_with_ttl(&key).await.expect("get_with_ttl"), None);
    suite.set(&key, "value", None).await;
    let found = suite.driver.get_with_ttl(&key).await.expect("get_with_ttl");
    assert_eq!(found, suite.get(&key).await.map(|item| (item, None)));
}

pub(super) async fn a_second_write_replaces_the_first(suite: &Suite) {
    let key = suite.key("replaced");
    let first = suite.set(&key, "the first value, which is the longer one", None).await;
    let second = suite.set(&key, "second", None).await;
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("second".into()));
    assert!(first != second, "different bytes have the same version");
}

pub(super) async fn a_removed_item_is_gone(suite: &Suite) {
    let key = suite.key("removed");
    suite.set(&key, "value", None).await;
    assert_eq!(
        suite.driver.remove(&key, When::Always).await.expect("remove"),
        RemoveOutcome::Removed
    );
    assert_eq!(suite.get(&key).await, None);
    assert_eq!(
        suite.driver.remove(&key, When::Always).await.expect("remove"),
        RemoveOutcome::Missing
    );
}

pub(super) async fn keys_that_look_alike_are_different_items(suite: &Suite) {
    let names = [
        "a", "a b", "a%20b", "a+b", "b:a", "ba", "b.a", ".a", "a.", "a*", "a[b]", "a'b", "a\"b",
        "a;--", "a$b", "a%", "%2e%2e", "ä", "a\u{308}", "a_", "a-", "~a", "{a}", "a&b=c", "a#b",
        "|a", "<a>", "a,b", "a@b", "a!b", "a^b",
    ];
    let mut kept = Vec::new();
    for name in names {
        let key = suite.key(&format!("alike:{name}"));
        match suite.driver.set(&key, name.into(), When::Always, None).await {
            // Some stores know letters that no key may have.
            Err(error) if error.kind() == ErrorKind::InvalidKey => {
                assert!(error.is_unapplied() && !error.is_retryable(), "{name}: {error}");
            }
            outcome => {
                written(outcome.expect("set"));
                kept.push(name);
            }
        }
    }
    for name in kept {
        let item = suite.get(&suite.key(&format!("alike:{name}"))).await;
        assert_eq!(item.map(|item| item.value), Some(name.into()), "{name}");
    }
}

pub(super) async fn another_handle_on_the_store_sees_the_same_items(suite: &Suite) {
    let key = suite.key("shared");
    suite.set(&key, "one", None).await;
    assert_eq!(
        suite.other.get(&key).await.expect("get").map(|item| item.value),
        Some("one".into())
    );
    let ttl = Some(Duration::from_secs(60));
    written(suite.other.set(&key, "two".into(), When::Always, ttl).await.expect("set"));
    assert_eq!(suite.get(&key).await.map(|item| item.value), Some("two".into()));
    suite.other.remove(&key, When::Always).await.expect("remove");
    assert_eq!(suite.get(&key).await, None);
}
