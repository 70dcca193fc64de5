//! What a server has done in the target stands, whatever the source says.

use std::time::Duration;

use cloakroom_storage::{Driver as _, When};

use super::support::{Pair, assert_alike, driver, key, left, plain, put, text};
use crate::support::Site;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_the_target_stays_with_a_state_and_without() {
    for with_state in [true, false] {
        for (store, to) in Site::on_each().await {
            let from = plain();
            let (source, target) = (driver(&from.config).await, driver(&to.config).await);
            for number in 1..=4 {
                put(&source, &key(number), "before", Some(3600)).await;
            }
            let pair = Pair::of(&from.config, &to.config);
            pair.migrated(with_state);

            put(&target, &key(1), "a server's", Some(3600)).await;
            target.touch(&key(2), Some(Duration::from_secs(7200))).await.unwrap();
            // The source changes, or ends, what a server has changed: it is no longer its own.
            put(&target, &key(3), "a server's", Some(3600)).await;
            put(&source, &key(3), "the source's", Some(3600)).await;
            put(&target, &key(4), "a server's", Some(3600)).await;
            source.remove(&key(4), When::Always).await.unwrap();
            for _ in 0..2 {
                let report = pair.migrated(with_state);
                assert_eq!(
                    (&report["newer"], &report["removed"]),
                    (&2.into(), &0.into()),
                    "{store}: {report}"
                );
                for number in [1, 3, 4] {
                    let value = text(&target, &key(number)).await;
                    assert_eq!(value.as_deref(), Some("a server's"), "{store}: {number}");
                }
                assert!(left(&target, &key(2)).await > 7100, "{store}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_in_the_target_stands_while_it_is_remembered_and_after() {
    for (store, to) in Site::on_each().await {
        let from = plain();
        let id = from.signed_in("ann").await;
        let pair = Pair::of(&from.config, &to.config);
        pair.migrated(true);
        assert_eq!(to.sessions().await.of("ann").revoke_all().await.unwrap(), 1, "{store}");
        assert_eq!(pair.migrated(true)["copied"], 0, "{store}");
        assert!(!to.is_alive(id).await, "{store}");
        // As when its time is over.
        let target = driver(&to.config).await;
        let id = cloakroom_storage::ItemKey::new(&id.to_string()).unwrap();
        target.remove(&id, When::Always).await.unwrap();
        for _ in 0..2 {
            let report = pair.migrated(true);
            assert_eq!(
                (&report["copied"], &report["ended"]),
                (&0.into(), &2.into()),
                "{store}, with the index: {report}"
            );
        }
        assert_eq!(text(&target, &id).await, None, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_in_the_source_is_one_in_the_target_while_it_is_remembered_and_after() {
    for (store, to) in Site::on_each().await {
        let from = plain();
        let ids = [from.signed_in("ann").await, from.signed_in("bob").await];
        let pair = Pair::of(&from.config, &to.config);
        pair.migrated(true);
        assert_eq!(from.sessions().await.of("ann").revoke_all().await.unwrap(), 1);
        assert_eq!(from.sessions().await.of("bob").revoke_all().await.unwrap(), 1);
        let source = driver(&from.config).await;
        let gone = cloakroom_storage::ItemKey::new(&ids[1].to_string()).unwrap();
        source.remove(&gone, When::Always).await.unwrap();
        pair.migrated(true);
        assert!(!to.is_alive(ids[0]).await && !to.is_alive(ids[1]).await, "{store}");
        assert_alike(&source, &driver(&to.config).await, store).await;
    }
}
