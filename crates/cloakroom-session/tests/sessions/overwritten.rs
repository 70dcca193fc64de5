//! Beside a plain Astro site, which overwrites whole records: what is noticed of that, what the operator is told, and that
//! nobody else is taken for one.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::common::Site;
use crate::common::log::Log;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind, SessionId, Sessions, SetOptions};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tracing::instrument::WithSubscriber as _;

const IDLE: Duration = Duration::from_secs(1800);
const REMEDY: &str = "@cloakroom/astro";

/// What `run` has the operator told of, of each kind that was noticed, as often as it was.
async fn noticed(run: impl Future<Output = ()>) -> Vec<String> {
    let log = Log::default();
    run.with_subscriber(log.clone()).await;
    let kinds = log.text();
    let kinds = kinds.lines().filter_map(|line| line.strip_prefix("kind=\""));
    kinds.map(|kind| kind.trim_end_matches('"').to_owned()).collect()
}

fn limited() -> Config {
    let mut config = Config::new("memory");
    config.idle = Some(IDLE);
    config
}

/// Sessions whose version is what the store has of them, to the byte, as in Redis.
fn in_files() -> (TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
    (folder, config)
}

/// A plain Astro site, in a request that has loaded the session.
struct Astro {
    site: Site,
    id: SessionId,
    loaded: String,
}

impl Astro {
    async fn loads(site: &Site, id: SessionId) -> Astro {
        Astro { site: site.clone(), id, loaded: site.raw(id).await.unwrap() }
    }

    /// It stores all that it has loaded, with a change of its own.
    async fn stores(self, value: &str, other: &str) {
        assert!(self.loaded.contains(value));
        self.site.write_raw(self.id, &self.loaded.replace(value, other)).await;
    }

    /// It stores what it has loaded, to the byte.
    async fn stores_the_same(self) {
        self.site.write_raw(self.id, &self.loaded).await;
    }
}

/// Another server in Rust on the same store.
fn another(site: &Site, mut config: Config) -> Site {
    config.sweep_interval = None;
    let driver = Arc::new(site.recorder.clone());
    let sessions = Sessions::with_driver(driver, &config).unwrap();
    Site { sessions, recorder: site.recorder.clone() }
}

#[tokio::test]
async fn a_session_that_comes_back_after_its_logout_is_served_to_nobody_and_ended_again() {
    let (_folder, files) = in_files();
    for config in [Config::new("memory"), files] {
        let kinds = noticed(async {
            let site = Site::with(config).await;
            let id = site.stored(&[("user", "Ann")]).await;
            let astro = Astro::loads(&site, id).await;
            site.log_out(id).await;
            astro.stores("Ann", "Ann Lee").await;
            site.calls();

            let session = site.request(id);
            assert_eq!(session.get::<String>("user").await.unwrap(), None);
            session.set("lastVisit", "today").unwrap();
            assert_eq!(session.finish().await.unwrap().set_cookie, None);
            assert_eq!(site.fate(id).await, Some("destroyed"));
            assert_eq!(site.read(id, "user").await, None);
        });
        assert_eq!(kinds.await, ["revived"]);
    }
}

#[tokio::test]
async fn nor_is_one_that_comes_back_under_the_id_that_a_login_has_left() {
    let site = Site::new().await;
    let old = site.stored(&[("theme", "dark")]).await;
    let astro = Astro::loads(&site, old).await;
    let login = site.request(old);
    login.regenerate().await.unwrap();
    login.finish().await.unwrap();
    astro.stores("dark", "light").await;
    let visit = site.request(old);
    assert_eq!(visit.get::<String>("theme").await.unwrap(), None);
    let saved = visit.update("hits", |hits: &mut u32| *hits += 1).await;
    assert_eq!(saved.unwrap_err().kind(), ErrorKind::Destroyed);
    assert_eq!(site.fate(old).await, Some("moved"));
    assert_eq!(site.read(login.id().unwrap(), "theme").await.as_deref(), Some("dark"));
}

#[tokio::test]
async fn a_request_from_before_the_logout_does_not_take_what_is_back_for_what_it_has_loaded() {
    let (_folder, files) = in_files();
    let site = Site::with(files).await;
    let id = site.stored(&[("user", "Ann")]).await;
    let visit = site.request(id);
    visit.get::<String>("user").await.unwrap();
    let astro = Astro::loads(&site, id).await;
    site.log_out(id).await;
    astro.stores_the_same().await;
    visit.set("lastVisit", "today").unwrap();
    assert_eq!(visit.finish().await.unwrap().set_cookie, None);
    assert_eq!(site.fate(id).await, Some("destroyed"));
}

#[tokio::test]
async fn a_session_that_comes_back_where_nothing_expires_is_removed_again() {
    let kinds = noticed(async {
        let site = Site::that_cannot_expire(Config::new("memory")).await.unwrap();
        let id = site.stored(&[("user", "Ann")]).await;
        let astro = Astro::loads(&site, id).await;
        site.log_out(id).await;
        astro.stores_the_same().await;
        assert_eq!(site.read(id, "user").await, None);
        assert_eq!(site.records().await, 0);
    });
    assert_eq!(kinds.await, ["revived"]);
}

#[tokio::test]
async fn what_is_back_is_not_served_either_where_it_cannot_be_ended() {
    let kinds = noticed(async {
        let site = Site::new().await;
        let id = site.stored(&[("user", "Ann")]).await;
        let astro = Astro::loads(&site, id).await;
        site.log_out(id).await;
        astro.stores_the_same().await;
        site.set_fail_removals(true);
        assert_eq!(site.read(id, "user").await, None);
        site.set_fail_removals(false);
        assert_eq!(site.read(id, "user").await, None);
        assert_eq!(site.fate(id).await, Some("destroyed"));
    });
    assert_eq!(kinds.await, ["revived"]);
}

#[tokio::test]
async fn a_deadline_that_was_taken_away_is_noticed_and_put_back() {
    let absolute = |config: &mut Config| (config.idle, config.absolute) = (None, config.idle);
    for configure in [|_: &mut Config| {}, absolute] {
        let kinds = noticed(async {
            let mut config = limited();
            configure(&mut config);
            let site = Site::with(config).await;
            let id = site.stored(&[("theme", "dark")]).await;
            Astro::loads(&site, id).await.stores("dark", "light").await;
            let session = site.request(id);
            assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("light"));
            session.finish().await.unwrap();
            assert!(site.last_ttl().is_some_and(|ttl| ttl <= IDLE));
        });
        assert_eq!(kinds.await, ["lost_deadline"]);
    }
}

#[tokio::test]
async fn a_session_that_never_had_a_deadline_has_lost_none() {
    let kinds = noticed(async {
        // Begun by Astro.
        let site = Site::with(limited()).await;
        let id = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
        site.write_raw(id, r#"[["Map",1,2],"theme",{"data":3,"expires":-1},"dark"]"#).await;
        let session = site.request(id);
        session.get::<String>("theme").await.unwrap();
        session.finish().await.unwrap();

        // From before the timeout was configured.
        let unlimited = another(&site, Config::new("memory"));
        let id = unlimited.stored(&[("theme", "dark")]).await;
        let session = site.request(id);
        session.set("theme", "light").unwrap();
        session.finish().await.unwrap();
    });
    assert!(kinds.await.is_empty());
}

#[tokio::test]
async fn a_change_that_was_undone_is_noticed_by_the_end_of_the_entry() {
    let kinds = noticed(async {
        let site = Site::new().await;
        let set = async |id: Option<SessionId>, code: &str, seconds| {
            let session = id.map_or_else(|| site.visitor(), |id| site.request(id));
            let ttl = SetOptions::new().ttl(Duration::from_secs(seconds));
            session.set_with("code", code, ttl).unwrap();
            session.set("theme", "dark").unwrap();
            session.finish().await.unwrap();
            session.id().unwrap()
        };
        let id = set(None, "1234", 60).await;
        let astro = Astro::loads(&site, id).await;
        set(Some(id), "5678", 600).await;
        astro.stores("dark", "light").await;
        set(Some(id), "9012", 600).await;
    });
    assert_eq!(kinds.await, ["lost_key"]);
}

#[tokio::test]
async fn a_note_of_our_own_that_is_gone_is_noticed() {
    let kinds = noticed(async {
        let bare = r#"[["Map",1,2],"theme",{"data":3,"expires":-1},"dark"]"#;
        let mut config = Config::new("memory");
        config.absolute = Some(IDLE);
        let site = Site::with(config).await;
        let id = site.stored(&[("theme", "dark")]).await;
        // Of what it has loaded before the session was noted.
        site.write_raw_for(id, bare, IDLE).await;
        site.read(id, "theme").await;
        let session = site.request(id);
        session.set("theme", "light").unwrap();
        session.finish().await.unwrap();
        assert!(site.raw(id).await.unwrap().contains("cloakroom.created"));
    });
    assert_eq!(kinds.await, ["lost_key"]);
}

#[tokio::test]
async fn a_deadline_that_is_only_that_of_the_entries_is_not_missed() {
    // Whoever sets an entry that stays longer takes it away by right, and knows of no other.
    let kinds = noticed(async {
        let mut config = limited();
        config.ttl = Some(IDLE / 2);
        let site = Site::with(config).await;
        let id = site.stored(&[("theme", "dark")]).await;
        Astro::loads(&site, id).await.stores("dark", "light").await;
        site.request(id).save().await.unwrap();
    });
    assert!(kinds.await.is_empty());
}

#[tokio::test]
async fn the_operator_is_told_once_of_each_kind_and_what_to_do() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let site = Site::with(limited()).await;
    for _ in 0..3 {
        let id = site.stored(&[("user", "Ann")]).await;
        Astro::loads(&site, id).await.stores("Ann", "Eve").await;
        site.request(id).save().await.unwrap();
        let astro = Astro::loads(&site, id).await;
        site.log_out(id).await;
        astro.stores_the_same().await;
        site.read(id, "user").await;
        for secret in [&id.to_string(), "Ann", "Eve"] {
            assert!(!log.text().contains(secret), "{}", log.text());
        }
    }
    let count = |what: &str| log.text().matches(what).count();
    let kinds = [count("kind=\"lost_deadline\""), count("kind=\"revived\"")];
    assert_eq!((kinds, count(REMEDY)), ([3, 3], 2));
}

/// Two servers that do to a few sessions all that can be done to them, as fast as they can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_in_rust_are_never_taken_for_a_plain_astro_site() {
    let kinds = noticed(async {
        let mut config = limited();
        config.absolute = Some(IDLE * 2);
        config.ttl = Some(IDLE * 2);
        let site = Site::with(config.clone()).await;
        let servers = [site.clone(), another(&site, config)];
        let mut requests = JoinSet::new();
        for _ in 0..4 {
            let id = site.stored(&[("theme", "dark"), ("flash", "saved")]).await;
            for number in 0..60_u64 {
                let server = servers[number as usize % 2].clone();
                let request = async move {
                    let session = server.request(id);
                    // No two end in the same millisecond, since that is taken for one that was put back.
                    let ttl =
                        |base: u64| SetOptions::new().ttl(Duration::from_secs(base + number * 60));
                    match number % 15 {
                        0 => session.delete("theme"),
                        1 => drop(session.take::<String>("flash").await),
                        2 => session.set_with("flash", "saved", ttl(number % 3 * 2000)).unwrap(),
                        3 => session.set_with("flash", "saved", ttl(20_000)).unwrap(),
                        4 if number > 40 => drop(session.regenerate().await),
                        5 if number > 50 => session.destroy(),
                        _ => {
                            let theme = if number % 2 == 0 { "dark" } else { "light" };
                            session.set_with("theme", theme, ttl(20_000)).unwrap();
                        }
                    }
                    if number % 7 == 0 {
                        drop(session.update("hits", |hits: &mut u64| *hits += 1).await);
                    }
                    tokio::task::yield_now().await;
                    // Of two who move or end it, one is told so.
                    drop(session.finish().await);
                };
                requests.spawn(request.with_current_subscriber());
            }
        }
        while let Some(outcome) = requests.join_next().await {
            outcome.unwrap();
        }
        // Beside all that, one of Astro's is told from the others.
        let id = site.stored(&[("theme", "dark")]).await;
        Astro::loads(&site, id).await.stores_the_same().await;
        servers[0].request(id).save().await.unwrap();
    });
    assert_eq!(kinds.await, ["lost_deadline"]);
}

#[tokio::test]
async fn where_nothing_is_compared_nobody_is_told_of_what_servers_in_rust_do_too() {
    let kinds = noticed(async {
        let site = Site::that_cannot_compare(limited()).await;
        let id = site.stored(&[("user", "Ann")]).await;
        let astro = Astro::loads(&site, id).await;
        site.log_out(id).await;
        astro.stores_the_same().await;
        assert_eq!(site.read(id, "user").await.as_deref(), Some("Ann"));
    });
    assert!(kinds.await.is_empty());
}
