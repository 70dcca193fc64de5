//! What an operator's log says, and does not.

use std::time::Duration;

use crate::common::Site;
use crate::common::log::Log;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, Sessions};

#[tokio::test]
async fn a_change_that_nobody_will_save_is_not_silent() {
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let session = site.request(id);
    session.get::<String>("a").await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(log.text(), "");
    session.set("a", "2").unwrap();
    drop(session);
    assert!(log.text().contains("never saved"), "{}", log.text());
}

#[tokio::test]
async fn lost_races_and_broken_records_are_logged_without_the_id() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    site.before_set(move |site| async move { site.log_out(id).await });
    let session = site.request(id);
    session.set("a", "2").unwrap();
    session.finish().await.unwrap();
    site.write_raw(id, "broken").await;
    site.request(id).get::<String>("a").await.unwrap_err();
    let text = log.text();
    assert!(text.contains("destroyed by another request") && text.contains("cannot be read"));
    assert!(!text.contains(&id.to_string()), "{text}");
}

#[tokio::test]
async fn a_cookie_that_gives_way_is_named_in_the_log_without_its_value() {
    let session = Site::new().await.visitor();
    session.set("a", "1").unwrap();
    let finished = session.finish().await.unwrap();
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let mut headers = http::HeaderMap::new();
    finished.apply(&mut headers);
    assert_eq!(log.text(), "");
    let ours = headers.remove(http::header::SET_COOKIE).unwrap();
    headers.insert(http::header::SET_COOKIE, "astro-session=theirs".parse().unwrap());
    finished.apply(&mut headers);
    assert_eq!(headers.get_all(http::header::SET_COOKIE).iter().collect::<Vec<_>>(), [ours]);
    let text = log.text();
    assert!(text.contains("astro-session") && text.contains("another name"), "{text}");
    assert!(!text.contains("theirs"), "{text}");
}

#[tokio::test]
async fn sessions_that_nothing_ever_ends_are_warned_of_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let said = async |configure: fn(&mut Config)| {
        let log = Log::default();
        let _log = tracing::subscriber::set_default(log.clone());
        let mut config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
        configure(&mut config);
        Sessions::from_config(config).await.unwrap();
        log.text().contains("no session will ever end by itself")
    };
    assert!(said(|_| {}).await);
    assert!(!said(|config| config.ttl = Some(Duration::from_secs(3600))).await);
    assert!(!said(|config| config.idle = Some(Duration::from_secs(3600))).await);
    assert!(!said(|config| config.absolute = Some(Duration::from_secs(3600))).await);

    // Nor where everything ends with the process.
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    Sessions::from_config(Config::new("memory")).await.unwrap();
    assert!(!log.text().contains("no session will ever end by itself"), "{}", log.text());
}
