//! Keys are changed, and a plain store is sealed, with nobody logged out.

use serde_json::json;

use crate::support::Site;

pub(crate) const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const NEW: &str = "f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f1011121314151617";

#[tokio::test(flavor = "multi_thread")]
async fn after_rotate_nothing_needs_the_old_key() {
    for (store, mut site) in Site::on_each().await {
        for hashes in [false, true] {
            site.config["hashIds"] = hashes.into();
            site.config["encryption"] = json!({ "keys": [OLD] });
            let id = site.signed_in("ann").await;
            site.config["encryption"] = json!({ "keys": [NEW, OLD] });
            let rotated = site.run(&["rotate", "--json"]);
            assert_eq!(rotated.code, 0, "{store}: {}", rotated.errors);
            // The session and the index.
            assert_eq!(rotated.json()[0]["sealed"], 2, "{store}: {}", rotated.output);
            assert_eq!(site.run(&["rotate", "--json"]).json()[0]["sealed"], 0, "{store}");

            site.config["encryption"] = json!({ "keys": [NEW] });
            assert!(site.is_alive(id).await, "{store}");
            assert_eq!(site.sessions().await.of("ann").revoke_all().await.unwrap(), 1, "{store}");
            site.signed_in("ann").await;
            assert_eq!(site.run(&["list", "--json"]).json().len(), 1, "{store}, hashed: {hashes}");
            assert_eq!(
                site.run(&["revoke", "--all", "--yes"]).output,
                "1 session was ended\n",
                "{store}"
            );
            // The tombstones and the index, which the next round would find sealed with the new key.
            let driver = site.sessions().await.driver().clone();
            clear(&driver).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_key_opens_is_named_and_left_as_it_is() {
    let mut site = Site::on_files();
    site.config["encryption"] = json!({ "keys": [OLD] });
    let id = site.signed_in("ann").await;
    site.config["encryption"] = json!({ "keys": [NEW] });
    let rotated = site.run(&["rotate", "--json"]);
    assert_eq!(
        (rotated.code, &rotated.json()[0]["unreadable"]),
        (4, &2.into()),
        "{}",
        rotated.errors
    );
    site.config["encryption"] = json!({ "keys": [OLD] });
    assert!(site.is_alive(id).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_store_is_sealed_and_what_is_not_ours_is_not() {
    let mut site = Site::on_files();
    let id = site.signed_in("ann").await;
    let folder = site.config["options"]["base"].as_str().unwrap().to_owned();
    std::fs::write(format!("{folder}/notes"), "somebody else's").unwrap();
    site.config["encryption"] = json!({ "keys": [NEW], "acceptPlain": true });
    assert_eq!(site.run(&["encrypt", "--json"]).json()[0]["sealed"], 2);
    site.config["encryption"] = json!({ "keys": [NEW] });
    assert!(site.is_alive(id).await);
    assert_eq!(site.sessions().await.of("ann").count().await.unwrap(), 1);
    assert_eq!(std::fs::read_to_string(format!("{folder}/notes")).unwrap(), "somebody else's");
}

/// Takes everything out of a store.
async fn clear(driver: &cloakroom_storage::DynDriver) {
    use cloakroom_storage::{Driver as _, When};
    use futures_util::TryStreamExt as _;

    let keys: Vec<_> = driver.keys("").try_collect().await.unwrap();
    for key in keys {
        driver.remove(&key, When::Always).await.unwrap();
    }
}
