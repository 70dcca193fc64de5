//! Listing keys.

use super::suite::{LONG, SHORT, Suite};
use crate::{ItemKey, When};

async fn fill(suite: &Suite, names: &[&str]) -> Vec<ItemKey> {
    let mut keys: Vec<_> = names.iter().map(|name| suite.key(name)).collect();
    for key in &keys {
        suite.set(key, "value", Some(LONG)).await;
    }
    keys.sort();
    keys
}

pub(super) async fn keys_lists_each_item_under_the_prefix_once(suite: &Suite) {
    let keys = fill(suite, &["list:a", "list:b", "list:deep:er:c", "list:.d", "list:e e"]).await;
    assert_eq!(suite.list(&format!("{}:list:", suite.namespace)).await, keys);
    let deep = suite.list(&format!("{}:list:deep:", suite.namespace)).await;
    assert_eq!(deep, [suite.key("list:deep:er:c")]);
    assert_eq!(suite.list(&format!("{}:list:nowhere:", suite.namespace)).await, []);
}

pub(super) async fn one_base_does_not_see_the_items_of_another(suite: &Suite) {
    let one = fill(suite, &["base:a", "base:b"]).await;
    let other = fill(suite, &["base2:a", "bas:a", "other:base:a"]).await;
    assert_eq!(suite.list(&format!("{}:base:", suite.namespace)).await, one);
    for key in &one {
        suite.driver.remove(key, When::Always).await.expect("remove");
    }
    for key in &other {
        assert!(suite.get(key).await.is_some(), "an item of another base went too");
    }
}

pub(super) async fn removed_items_are_not_listed(suite: &Suite) {
    let keys = fill(suite, &["gone:a", "gone:b"]).await;
    suite.driver.remove(&keys[0], When::Always).await.expect("remove");
    assert_eq!(suite.list(&format!("{}:gone:", suite.namespace)).await, keys[1..]);
}

pub(super) async fn expired_items_are_not_listed(suite: &Suite) {
    let stays = fill(suite, &["past:stays"]).await;
    suite.set(&suite.key("past:expires"), "value", Some(SHORT)).await;
    suite.let_short_pass("listing").await;
    assert_eq!(suite.list(&format!("{}:past:", suite.namespace)).await, stays);
}
