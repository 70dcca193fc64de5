//! All sessions of a store, as those who run it see them.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_drivers::memory::Memory;
use cloakroom_session::adapter::Commit as _;
use cloakroom_session::devalue::{Url, UrlSearchParams};
use cloakroom_session::storage::{
    self, BoxStream, Bytes, Capabilities, Driver, Item, ItemKey, KeyHasher, RemoveOutcome,
    SetOutcome, When, async_trait,
};
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, CookieHeaders, Secrets, SessionId, Sessions, StoredSession};
use futures_util::TryStreamExt as _;
use tokio::sync::Semaphore;

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

#[tokio::test]
async fn names_are_listed_without_a_session_being_read_and_each_is_got_by_its_own() {
    for config in [Config::new("memory"), hashing()] {
        let site = TestSite::with(config);
        browser(&site, "Firefox", "ann").await;
        let calls = site.store().calls();
        let all = site.sessions().all();
        let names: Vec<_> = all.names().unwrap().try_collect().await.unwrap();
        assert!(site.store().calls() <= calls + 1);
        let mut found = Vec::new();
        for name in &names {
            found.extend(all.get(name).await.unwrap());
        }
        // Under hashed IDs a page of the index has such a name too, and is no session.
        let [session] = &found[..] else { panic!("{found:?}") };
        let name = names.iter().find(|name| name.handle() == session.handle()).unwrap();
        let listed = site.sessions().of("ann").list().await.unwrap();
        assert_eq!(listed[0].names(), std::slice::from_ref(name));
        assert!(all.revoke(session).await.unwrap());
        assert!(all.get(name).await.unwrap().is_none());
        assert_eq!(format!("{name:?}"), format!("StoredName({})", session.handle()));
    }
}

#[tokio::test]
async fn what_looks_like_a_secret_is_shown_only_where_that_is_asked_for() {
    let site = TestSite::new();
    let session = site.session();
    session.set("theme", "dark").unwrap();
    session.set("apiToken", "hunter2").unwrap();
    session.set("paid", "4111 1111 1111 1111").unwrap();
    session.set("profile", &std::collections::BTreeMap::from([("jwt", "hunter2")])).unwrap();
    for (key, url) in [
        ("home", "https://shop.example/a@b?page=2&q=token#top"),
        ("back", "https://shop.example/?page=2&access%5Ftoken=hunter2"),
        ("hook", "https://ann:hunter2@shop.example/"),
    ] {
        session.set(key, &Url::parse(url).unwrap()).unwrap();
    }
    session.set("search", &UrlSearchParams::new("q=1&password=hunter2")).unwrap();
    session.set("next", "https://shop.example/reset?token=hunter2").unwrap();
    session.set("inside", "see https://shop.example/ for more").unwrap();
    session.set("connect.sid", "hunter2").unwrap();
    site.commit(&session).await.unwrap();
    let sessions = listed(&site).await;
    let shown = |secrets| {
        let shown = sessions[0].shown(secrets).unwrap().into_iter();
        shown.map(|entry| (entry.key, entry.type_name, entry.text)).collect::<Vec<_>>()
    };
    let entry = |key: &str, type_name, text: Option<&str>| {
        (key.to_owned(), type_name, text.map(str::to_owned))
    };
    let hidden = [
        entry("theme", "string", Some("\"dark\"")),
        entry("apiToken", "string", None),
        entry("paid", "string", None),
        entry("profile", "object", Some("{ jwt: (hidden) }")),
        entry("home", "URL", Some("URL https://shop.example/a@b?page=2&q=token#top")),
        entry("back", "URL", None),
        entry("hook", "URL", None),
        entry("search", "URLSearchParams", None),
        entry("next", "string", None),
        entry("inside", "string", Some("\"see https://shop.example/ for more\"")),
        entry("connect.sid", "string", None),
    ];
    assert_eq!(shown(Secrets::Hide), hidden);
    let revealed = shown(Secrets::Reveal);
    assert_eq!(revealed[1], entry("apiToken", "string", Some("\"hunter2\"")));
    assert_eq!(revealed[3], entry("profile", "object", Some("{ jwt: \"hunter2\" }")));
}

/// A store that has a few connections, each of which answers one call at a time.
#[derive(Debug)]
struct Pooled {
    store: Memory,
    connections: Semaphore,
}

#[async_trait]
impl Driver for Pooled {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn get_with_ttl(
        &self,
        key: &ItemKey,
    ) -> storage::Result<Option<(Item, Option<Duration>)>> {
        let _connection = self.connections.acquire().await.unwrap();
        tokio::task::yield_now().await;
        self.store.get_with_ttl(key).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> storage::Result<SetOutcome> {
        let _connection = self.connections.acquire().await.unwrap();
        self.store.set(key, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> storage::Result<RemoveOutcome> {
        let _connection = self.connections.acquire().await.unwrap();
        self.store.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> storage::Result<bool> {
        let _connection = self.connections.acquire().await.unwrap();
        self.store.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, storage::Result<ItemKey>> {
        self.store.keys(prefix)
    }
}

/// `revoke --all` waited on SQLite for connections that the list had, which waited for it.
#[tokio::test]
async fn who_ends_sessions_while_they_are_listed_waits_for_no_connection_of_the_list() {
    let store = Pooled { store: Memory::new(), connections: Semaphore::new(2) };
    let sessions = Sessions::with_driver(Arc::new(store), &Config::new("memory")).unwrap();
    for number in 0..100 {
        let session = sessions.session(CookieHeaders::default());
        session.sign_in(format!("principal {number}")).await.unwrap();
        session.finish().await.unwrap();
    }
    let all = sessions.all();
    let one_by_one = async {
        let mut listed = all.list().unwrap();
        for _ in 0..50 {
            let session = listed.try_next().await.unwrap().unwrap();
            assert!(all.revoke(&session).await.unwrap());
        }
    };
    let many_at_once = async {
        let listed = all.list().unwrap();
        let ended = listed
            .try_for_each_concurrent(32, async |session| all.revoke(&session).await.map(drop));
        ended.await.unwrap();
    };
    let repaired = async {
        let verified = all.verify().unwrap();
        let mended = verified.try_for_each_concurrent(4, async |verified| {
            for fault in &verified.faults {
                all.repair(fault).await?;
            }
            Ok(())
        });
        mended.await.unwrap();
    };
    let ended = async {
        one_by_one.await;
        many_at_once.await;
        repaired.await;
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("they wait for each other");
    assert!(all.list().unwrap().try_next().await.unwrap().is_none());
}
