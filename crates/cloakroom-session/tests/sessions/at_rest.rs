//! Sessions whose records are sealed and whose IDs are hashed, and who has the store alone.

use std::sync::Arc;

use crate::common::Site;
use crate::common::log::Log;
use cloakroom_session::adapter::Commit;
use cloakroom_session::storage::{Driver, EncryptionKey, ItemKey, KeyHasher, When, conformance};
use cloakroom_session::{
    Config, CookieHeaders, CorruptPolicy, EncryptionConfig, ErrorKind, Session, SessionHandle,
    SessionId, Sessions,
};
use http::HeaderValue;
use tokio::task::JoinSet;

fn sealed(keys: &[u8]) -> Config {
    let mut config = Config::new("memory");
    config.encryption =
        Some(EncryptionConfig::new(keys.iter().map(|it| EncryptionKey::new([*it; 32]))));
    config
}

fn sealed_and_hashed() -> Config {
    let mut config = sealed(&[1]);
    config.hash_ids = Some(KeyHasher::hmac_sha256("the secret of this site").unwrap());
    config
}

/// The same store by another configuration.
fn reopened(site: &Site, mut config: Config) -> Sessions {
    config.sweep_interval = None;
    Sessions::with_driver(Arc::new(site.store()), &config).unwrap()
}

fn request(sessions: &Sessions, id: &str) -> Session {
    sessions.session(HeaderValue::try_from(format!("astro-session={id}")).unwrap())
}

/// Every item of the store, as who reads it sees it.
async fn dump(site: &Site) -> Vec<(String, String)> {
    let store = site.store();
    let mut keys = store.keys("");
    let mut items = Vec::new();
    while let Some(key) = std::future::poll_fn(|context| keys.as_mut().poll_next(context)).await {
        let key = key.unwrap();
        let item = store.get(&key).await.unwrap().unwrap();
        items.push((key.as_str().to_owned(), String::from_utf8(item.value.to_vec()).unwrap()));
    }
    items
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_signs_in_is_busy_and_logs_out() {
    let site = Site::with(sealed_and_hashed()).await;
    let before = site.stored(&[("theme", "dark")]).await;

    let login = site.request(before);
    login.regenerate().await.unwrap();
    login.set("user", "Ann").unwrap();
    login.finish().await.unwrap();
    let id = login.id().unwrap();
    assert_ne!(id, before);

    let mut requests = JoinSet::new();
    for _ in 0..16 {
        let site = site.clone();
        requests.spawn(async move {
            let session = site.request(id);
            session.update("count", |count: &mut u32| *count += 1).await.unwrap();
            session.finish().await.unwrap();
        });
    }
    while let Some(outcome) = requests.join_next().await {
        outcome.unwrap();
    }
    let page = site.request(id);
    assert_eq!(page.get::<u32>("count").await.unwrap(), Some(16));
    assert_eq!(page.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));

    // A late save of one that is under way revives nobody.
    let late = site.request(id);
    late.get::<String>("user").await.unwrap();
    late.set("user", "Bob").unwrap();
    site.log_out(id).await;
    assert_eq!(late.save().await.unwrap_err().kind(), ErrorKind::Destroyed);
    for dead in [before, id] {
        let session = site.request(dead);
        assert_eq!(session.get::<String>("user").await.unwrap(), None);
        session.set("user", "Eve").unwrap();
        assert_eq!(session.finish().await.unwrap().set_cookie, None);
    }
}

#[tokio::test]
async fn who_reads_the_whole_store_gets_neither_in_nor_at_data() {
    let site = Site::with(sealed_and_hashed()).await;
    let id = site.stored(&[("user", "Ann"), ("card", "4111-1111")]).await.to_string();
    site.log_out(site.stored(&[("user", "Bob")]).await).await;
    let items = dump(&site).await;
    assert_eq!(items.len(), 2);
    for (key, value) in items {
        assert!(value.starts_with("sealed.1."), "{value}");
        for secret in ["Ann", "Bob", "user", "card", "4111", "Map", &id] {
            assert!(!value.contains(secret) && !key.contains(secret), "{key}: {value}");
        }
        // As an ID, cut to the form of one, or as it is.
        let cut = format!(
            "{}-{}-4{}-8{}-{}",
            &key[..8],
            &key[8..12],
            &key[13..16],
            &key[17..20],
            &key[20..32]
        );
        for cookie in [key.as_str(), cut.as_str(), &value] {
            let session = request(&site.sessions, cookie);
            assert_eq!(session.get::<String>("user").await.unwrap(), None);
            assert_eq!(session.id(), None);
        }
    }
}

#[tokio::test]
async fn who_writes_to_the_store_makes_nobody_another() {
    let site = Site::with(sealed_and_hashed()).await;
    let ann = site.stored(&[("user", "Ann")]).await;
    let eve = site.stored(&[("user", "Eve")]).await;
    let hasher = KeyHasher::hmac_sha256("the secret of this site").unwrap();
    let place = |id: SessionId| hasher.hash(&ItemKey::new(&id.to_string()).unwrap()).unwrap();
    let store = site.store();
    // Ann's record in the place of Eve's, and one that Eve has made up.
    let stolen = store.get(&place(ann)).await.unwrap().unwrap().value;
    let made_up = r#"[["Map",1,2],"user",{"data":3},"Ann"]"#.into();
    for value in [stolen, made_up] {
        let _ = store.set(&place(eve), value.clone(), When::Always, None).await.unwrap();
        let session = site.request(eve);
        let error = session.get::<String>("user").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        session.set("user", "Eve").unwrap();
        assert_eq!(session.finish().await.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(store.get(&place(eve)).await.unwrap().unwrap().value, value, "it is kept");
    }
    // And it can be logged out of.
    site.log_out(eve).await;
    assert_eq!(site.request(eve).get::<String>("user").await.unwrap(), None);
    assert_eq!(site.request(ann).get::<String>("user").await.unwrap().as_deref(), Some("Ann"));
}

#[tokio::test]
async fn a_program_without_keys_is_told_that_records_are_sealed() {
    let site = Site::with(sealed(&[1])).await;
    let id = site.stored(&[("user", "Ann")]).await.to_string();
    let session = request(&reopened(&site, Config::new("memory")), &id);
    let error = session.get::<String>("user").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(
        error.to_string().contains("is sealed") && error.to_string().contains("set `encryption`")
    );
}

#[tokio::test]
async fn a_key_is_changed_without_anybody_being_logged_out() {
    let site = Site::with(sealed(&[1])).await;
    let id = site.stored(&[("user", "Ann")]).await.to_string();
    let user = async |keys: &[u8]| {
        let session = request(&reopened(&site, sealed(keys)), &id);
        let user = session.get::<String>("user").await;
        session.set("keys", &format!("{keys:?}")).unwrap();
        (user, session.finish().await.map(drop))
    };
    for keys in [&[1, 2][..], &[2, 1], &[2]] {
        let (user, finished) = user(keys).await;
        assert_eq!((user.unwrap().as_deref(), finished.is_ok()), (Some("Ann"), true), "{keys:?}");
    }
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let (refused, _) = user(&[3]).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Corrupt);
    let needed = EncryptionKey::new([2; 32]);
    assert!(refused.to_string().contains(&format!("the key {}", needed.id())), "{refused}");
    assert!(
        log.text().contains("its bytes are kept") && !log.text().contains(&id),
        "{}",
        log.text()
    );
}

/// Else a mistake with a key would log everybody out.
#[tokio::test]
async fn what_does_not_open_is_not_moved_aside() {
    let site = Site::with(sealed(&[1])).await;
    let id = site.stored(&[("user", "Ann")]).await.to_string();
    let before = dump(&site).await;
    let mut config = sealed(&[2]);
    config.corrupt = CorruptPolicy::Quarantine;
    let refused = request(&reopened(&site, config), &id).get::<String>("user").await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(dump(&site).await, before);
}

#[tokio::test]
async fn a_plain_store_becomes_sealed_as_it_is_used() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await.to_string();
    let refused = request(&reopened(&site, sealed(&[1])), &id).get::<String>("user").await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Corrupt);
    let mut config = sealed(&[1]);
    config.encryption.as_mut().unwrap().accept_plain = true;
    let session = request(&reopened(&site, config), &id);
    assert_eq!(session.get::<String>("user").await.unwrap().as_deref(), Some("Ann"));
    session.set("seen", "1").unwrap();
    session.finish().await.unwrap();
    assert!(dump(&site).await[0].1.starts_with("sealed.1."));
    let strict = request(&reopened(&site, sealed(&[1])), &id);
    assert_eq!(strict.get::<String>("user").await.unwrap().as_deref(), Some("Ann"));
}

#[tokio::test]
async fn a_driver_of_ones_own_is_wrapped_by_the_same_configuration() {
    let site = Site::with(sealed_and_hashed()).await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    session.finish().await.unwrap();
    assert!(dump(&site).await[0].1.starts_with("sealed.1."));
    let capabilities = site.sessions.driver().capabilities();
    assert!(capabilities.compare_and_swap && !capabilities.iteration);
}

#[tokio::test]
async fn the_log_says_that_others_find_nothing_here_and_no_secret() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    _ = Sessions::from_config(sealed_and_hashed()).await.unwrap();
    let text = log.text();
    assert!(text.contains("the same `encryption` and `hashIds`"), "{text}");
    assert!(!text.contains("the Astro site") && !text.contains("secret of this site"), "{text}");
}

#[tokio::test]
async fn a_store_that_an_astro_site_shares_is_warned_about() {
    let mut config = told("");
    config.hash_ids = Some(KeyHasher::sha256());
    let text = logged(config).await;
    assert!(text.contains("the Astro site that this configuration comes from"), "{text}");
}

#[tokio::test]
async fn a_store_whose_ids_the_site_hashes_itself_is_not() {
    let text = logged(told(r#", "hashIds": true"#)).await;
    assert!(text.contains("the same `encryption` and `hashIds`"), "{text}");
    assert!(!text.contains("the Astro site"), "{text}");
    let mut config = told(r#", "hashIds": true"#);
    config.encryption = sealed(&[1]).encryption;
    let text = logged(config).await;
    assert!(text.contains("the Astro site"), "of the records it knows nothing: {text}");
}

/// What an Astro site has told, with so much more.
fn told(more: &str) -> Config {
    let site = tempfile::tempdir().unwrap();
    let file = site.path().join("cloakroom.json");
    let text = format!(r#"{{ "astroConfig": "astro.config.mjs", "driver": "memory"{more} }}"#);
    std::fs::write(&file, text).unwrap();
    Config::from_file(&file).unwrap()
}

/// What is logged where this is opened.
async fn logged(config: Config) -> String {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    _ = Sessions::from_config(config).await.unwrap();
    log.text()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_configuration_puts_together_conforms() {
    let sessions = Sessions::from_config(sealed_and_hashed()).await.unwrap();
    conformance::run(|| async { sessions.driver().clone() }).await;
}

#[tokio::test]
async fn an_index_outlives_its_sessions_and_takes_the_new_key_when_it_is_written_anew() {
    for is_written_anew in [false, true] {
        let site = Site::with(sealed(&[1])).await;
        let visitor = site.visitor();
        visitor.sign_in("ann").await.unwrap();
        visitor.finish().await.unwrap();
        site.log_out(visitor.id().unwrap()).await;

        if is_written_anew {
            let nobody: SessionHandle = "0000000000000000".parse().unwrap();
            let changing = reopened(&site, sealed(&[2, 1]));
            assert!(!changing.of("ann").revoke(nobody).await.unwrap());
        }
        let changed = reopened(&site, sealed(&[2]));
        let again = changed.session(CookieHeaders::default());
        match again.sign_in("ann").await {
            Ok(()) => assert!(is_written_anew),
            Err(error) => assert!(!is_written_anew && error.kind() == ErrorKind::Corrupt),
        }
    }
}
