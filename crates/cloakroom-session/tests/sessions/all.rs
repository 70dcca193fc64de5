//! All sessions of a store, as those who run it see them.

use cloakroom_session::storage::{Driver as _, ItemKey, KeyHasher, When};
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, SessionId, StoredSession};
use futures_util::TryStreamExt as _;

use crate::principals::browser;

async fn listed(site: &TestSite) -> Vec<StoredSession> {
    site.sessions().all().list().unwrap().try_collect().await.unwrap()
}

async fn put(site: &TestSite, key: &str, text: &str) {
    let key = ItemKey::new(key).unwrap();
    _ = site.store().set(&key, text.to_owned().into(), When::Always, None).await.unwrap();
}

fn hashing() -> Config {
    let mut config = Config::new("memory");
    config.hash_ids = Some(KeyHasher::sha256());
    config
}

#[tokio::test]
async fn sessions_alone_are_listed_and_each_is_found_by_its_handle() {
    for config in [Config::new("memory"), hashing()] {
        let site = TestSite::with(config);
        browser(&site, "Firefox", "ann").await;
        browser(&site, "Safari", "bob").await;
        put(&site, "queue:jobs", "somebody else's").await;
        let all = site.sessions().all();
        let sessions = listed(&site).await;
        assert_eq!(sessions.len(), 2);
        for session in &sessions {
            assert!(session.unreadable().is_none());
            assert_eq!(session.keys().unwrap(), ["browser"]);
            let found = all.find(session.handle()).await.unwrap().unwrap();
            assert_eq!(found.principal(), session.principal());
            assert!(all.revoke(session).await.unwrap());
            assert!(!all.revoke(session).await.unwrap());
        }
        assert!(listed(&site).await.is_empty());
        let others = site.store().get(&ItemKey::new("queue:jobs").unwrap()).await.unwrap();
        assert_eq!(others.unwrap().value, "somebody else's");
    }
}

#[tokio::test]
async fn one_that_makes_no_sense_keeps_none_of_the_others() {
    let site = TestSite::new();
    browser(&site, "Firefox", "ann").await;
    let nonsense = ["[[\"Map\",1],\"a\"]", "{}", "hunter2"];
    for (number, text) in nonsense.into_iter().enumerate() {
        put(&site, &format!("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b1{number}"), text).await;
    }
    let sessions = listed(&site).await;
    assert_eq!(sessions.len(), 4);
    let unreadable: Vec<_> = sessions.iter().filter_map(StoredSession::unreadable).collect();
    assert_eq!(unreadable.len(), 3);
    assert!(unreadable.iter().all(|error| !format!("{error:?}").contains("hunter2")));
}

#[tokio::test]
async fn one_is_found_by_its_id_too() {
    let site = TestSite::new();
    let id = browser(&site, "Firefox", "ann").await.id().unwrap();
    let all = site.sessions().all();
    let session = all.find_by_id(id).await.unwrap().unwrap();
    assert_eq!(session.get::<String>("browser").unwrap().as_deref(), Some("Firefox"));
    assert!(!format!("{session:?} {}", session.handle()).contains(&id.to_string()));
    let nobody = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    assert!(all.find_by_id(nobody).await.unwrap().is_none());
}
