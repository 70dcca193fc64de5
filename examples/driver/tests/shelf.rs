//! A driver that is no crate of Cloakroom's keeps the same rules, and is opened in the same way.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use cloakroom::{Config, CookieHeaders, Sessions};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, ItemKey, When, conformance};
use example_driver::{Options, Shelf};

#[tokio::test(flavor = "multi_thread")]
async fn a_shelf_obeys_every_rule() {
    let shelf: DynDriver = Arc::new(Shelf::new(Options::default()));
    assert!(conformance::run(|| async { shelf.clone() }).await > 25);
}

#[tokio::test]
async fn a_full_shelf_takes_nothing_more() {
    let shelf = Shelf::new(Options { max_items: 1 });
    let set =
        async |key| shelf.set(&ItemKey::new(key).unwrap(), "coat".into(), When::Always, None).await;
    assert!(set("one").await.is_ok() && set("one").await.is_ok());
    assert_eq!(set("two").await.unwrap_err().kind(), ErrorKind::StorageFull);
}

#[tokio::test]
async fn a_configuration_opens_it_by_its_name() {
    let config = Config::from_toml("driver = \"shelf\"\n[options]\nmaxItems = 1\n").unwrap();
    let open = async |config: Config| {
        Sessions::builder(config)
            .driver("shelf", |options| async move { Shelf::open(&options) })
            .open()
            .await
    };
    let sessions = open(config).await.unwrap();
    let session = sessions.session(CookieHeaders::default());
    session.set("coat", "red").unwrap();
    session.save().await.unwrap();
    assert_eq!(sessions.driver().name(), "shelf");

    let error = open(Config::new("shelff")).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `shelf`?"), "{error}");
    let typo = Config::from_toml("driver = \"shelf\"\n[options]\nmaxItem = 1\n").unwrap();
    let error = open(typo).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `maxItems`?"), "{error}");
}
