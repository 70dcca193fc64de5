//! What an operation costs on the wire, once a connection is open and knows the statements.

use cloakroom::adapter::Commit;
use cloakroom::storage::ItemKey;
use cloakroom::{Session, Sessions};
use interop_peers::{Proxy, Store};
use serde_json::{Value, json};
use std::time::Duration;

use crate::{configured, cookies, visit};

/// Sessions that reach the store through a proxy.
struct Site {
    sessions: Sessions,
    proxy: Proxy,
    cookie: String,
    // Until the end.
    _store: Store,
}

impl Site {
    /// Everything that is measured has happened once.
    async fn warm(store: Store) -> Self {
        let port = store.port().unwrap();
        let proxy = Proxy::start(port);
        let config = store.config().replace(&format!(":{port}"), &format!(":{}", proxy.port()));
        let sessions = configured(&quiet(&config)).await;
        let cookie = visit(&sessions).await;
        let site = Self { sessions, proxy, cookie, _store: store };
        let session = site.request();
        session.get::<String>("theme").await.unwrap();
        session.set("theme", "light").unwrap();
        session.finish().await.unwrap();
        assert!(site.touch(&session).await);
        site
    }

    fn request(&self) -> Session {
        self.sessions.session(cookies(&self.cookie))
    }

    async fn touch(&self, session: &Session) -> bool {
        let key = ItemKey::new(&session.id().unwrap().to_string()).unwrap();
        let hour = Duration::from_secs(3600);
        self.sessions.driver().touch(&key, Some(hour)).await.unwrap()
    }
}

/// MongoDB's client looks at the server's state by itself now and then, which would be counted too.
fn quiet(config: &str) -> String {
    let mut config: Value = serde_json::from_str(config).unwrap();
    if config["driver"] == "mongodb" {
        let client = json!({ "heartbeatFrequencyMS": 600_000, "serverMonitoringMode": "poll" });
        config["options"]["clientOptions"] = client;
    }
    config.to_string()
}

/// Expects one round trip. Where the machine stalls, a driver may look first whether its connection is still alive; so
/// one of a few tries has to show what is asked for.
async fn expect_one(round_trips: impl AsyncFn() -> u64) {
    const TRIES: usize = 10;
    let mut seen = Vec::new();
    while seen.last() != Some(&1) {
        assert!(seen.len() < TRIES, "{seen:?} round trips");
        seen.push(round_trips().await);
    }
}

async fn a_read_takes_one_round_trip(store: Store) {
    let site = Site::warm(store).await;
    expect_one(async || {
        site.proxy.reset();
        let session = site.request();
        assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("light"));
        session.finish().await.unwrap();
        site.proxy.round_trips()
    })
    .await;
}

async fn a_write_to_a_loaded_session_takes_one_round_trip(store: Store) {
    let site = Site::warm(store).await;
    expect_one(async || {
        let session = site.request();
        let theme: String = session.get("theme").await.unwrap().unwrap();
        site.proxy.reset();
        session.set("theme", &format!("{theme}er")).unwrap();
        session.finish().await.unwrap();
        site.proxy.round_trips()
    })
    .await;
}

async fn a_creation_takes_one_round_trip(store: Store) {
    let site = Site::warm(store).await;
    expect_one(async || {
        site.proxy.reset();
        visit(&site.sessions).await;
        site.proxy.round_trips()
    })
    .await;
}

async fn a_touch_takes_one_round_trip(store: Store) {
    let site = Site::warm(store).await;
    expect_one(async || {
        let session = site.request();
        session.get::<String>("theme").await.unwrap();
        site.proxy.reset();
        assert!(site.touch(&session).await);
        site.proxy.round_trips()
    })
    .await;
}

on_every_server!(a_read_takes_one_round_trip);
on_every_server!(a_write_to_a_loaded_session_takes_one_round_trip);
on_every_server!(a_creation_takes_one_round_trip);
on_every_server!(a_touch_takes_one_round_trip);
