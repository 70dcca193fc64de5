//! IDs are credentials: the store decides which are valid, and nothing that ends up in a log shows one.

use std::error::Error;

use crate::common::Site;
use crate::common::log::Log;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, CookieHeaders, ErrorKind, Sessions};
use http::HeaderValue;

#[tokio::test]
async fn no_debug_output_shows_the_id() {
    let site = Site::new().await;
    let session = site.visitor();
    session.set("a", "1").unwrap();
    let finished = session.finish().await.unwrap();
    let id = session.id().unwrap();
    let cookie = HeaderValue::try_from(format!("astro-session={id}")).unwrap();
    let headers = CookieHeaders::from(cookie);
    let shown = format!("{finished:?} {session:?} {id:?} {headers:?} {:?}", site.sessions);
    assert!(!shown.contains(&id.to_string()), "{shown}");
}

#[tokio::test]
async fn no_error_shows_the_id_and_neither_does_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("sessions");
    let config = Config::new("fs-lite").option("base", base.to_str().unwrap());
    let sessions = Sessions::from_config(config).await.unwrap();
    let session = sessions.session(CookieHeaders::default());
    session.set("a", "1").unwrap();
    session.finish().await.unwrap();
    let id = &session.id().unwrap().to_string();

    std::fs::write(base.join(id), "broken").unwrap();
    let cookie = HeaderValue::try_from(format!("astro-session={id}")).unwrap();
    let corrupt = sessions.session(cookie).get::<String>("a").await.unwrap_err();
    assert_eq!(corrupt.kind(), ErrorKind::Corrupt);

    std::fs::remove_dir_all(&base).unwrap();
    std::fs::write(&base, "a file where the folder was").unwrap();
    session.set("a", "2").unwrap();
    let refused = session.save().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Storage);
    for error in [corrupt, refused] {
        let shown = told(&error);
        assert!(!shown.contains(id.as_str()), "{shown}");
    }
}

/// All that a program could print of an error, and of what is behind it.
fn told(error: &dyn Error) -> String {
    let mut told = format!("{error} {error:?} {error:#?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        told += &format!(" {error} {error:?}");
        cause = error.source();
    }
    told
}

/// A type that a new version of a program has changed finds the values of the old one, of every visitor.
#[tokio::test]
async fn a_value_of_another_type_is_neither_told_nor_logged() {
    #[derive(Debug, serde::Deserialize)]
    enum Choice {
        #[allow(dead_code)]
        One,
    }
    const MARKER: &str = "hunter2";
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let site = Site::new().await;
    let id = site.stored(&[("a", MARKER)]).await;
    let session = site.request(id);
    let mut told_all = String::new();
    for error in [
        session.get::<Vec<String>>("a").await.map(drop).unwrap_err(),
        session.get::<u32>("a").await.map(drop).unwrap_err(),
        session.get::<Choice>("a").await.map(drop).unwrap_err(),
        session.get::<std::net::IpAddr>("a").await.map(drop).unwrap_err(),
        session.update("a", |numbers: &mut Vec<u32>| numbers.push(1)).await.map(drop).unwrap_err(),
        session.take::<bool>("a").await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::WrongType);
        told_all += &told(&error);
    }
    session.set(MARKER, &vec![MARKER]).unwrap();
    session.finish().await.unwrap();
    for text in [format!("[[\"Map\",1,2],\"a\",\"{MARKER}\"]"), MARKER.to_owned()] {
        site.write_raw(id, &text).await;
        told_all += &told(&site.request(id).get::<u32>("a").await.unwrap_err());
    }
    assert!(!told_all.contains(MARKER), "{told_all}");
    assert!(!log.text().contains(MARKER), "{}", log.text());
}

#[tokio::test]
async fn a_message_is_never_as_long_as_a_key_or_a_value() {
    let site = Site::new().await;
    let session = site.visitor();
    let (key, value) = ("k".repeat(60_000), "v".repeat(1_000_000));
    session.set(&key, &value).unwrap();
    let error = session.get::<u32>(&key).await.unwrap_err();
    assert!(told(&error).len() < 5_000);
    let refused = session.set(&key, &"v".repeat(5 << 20)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TooLarge);
    assert!(told(&refused).len() < 5_000);
}

#[tokio::test]
async fn an_unknown_id_makes_no_record_whatever_is_asked_of_it() {
    let site = Site::new().await;
    let unknown = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
    for cookie in [unknown, "not-an-id", ""] {
        for task in 0..6 {
            let session = site.request(cookie);
            match task {
                0 => drop(session.get::<String>("a").await.unwrap()),
                1 => drop(session.keys().await.unwrap()),
                2 => drop(session.take::<String>("a").await.unwrap()),
                3 => session.delete("a"),
                4 => session.destroy(),
                _ => session.save().await.unwrap(),
            }
            session.finish().await.unwrap();
            assert_eq!(site.records().await, 0, "{cookie:?}, task {task}");
        }
    }
}

#[tokio::test]
async fn the_deletion_of_a_cookie_repeats_its_path_and_domain() {
    let mut config = Config::new("memory");
    config.cookie.path = "/shop".into();
    config.cookie.domain = Some("example.com".into());
    config.cookie.max_age = Some(60);
    let site = Site::with(config).await;
    let id = site.stored(&[("user", "Ann")]).await;
    let session = site.request(id);
    session.destroy();
    assert_eq!(
        session.finish().await.unwrap().set_cookie.unwrap(),
        "astro-session=deleted; Domain=example.com; Path=/shop; \
         Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_read_goes_only_with_a_destroy() {
    let site = Site::new().await;
    let id = site.stored(&[("user", "Ann")]).await;
    site.write_raw(id, "broken").await;
    let session = site.request(id);
    assert_eq!(session.regenerate().await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(session.take::<String>("user").await.unwrap_err().kind(), ErrorKind::Corrupt);
    session.finish().await.unwrap();
    assert_eq!(site.raw(id).await.as_deref(), Some("broken"));
    session.destroy();
    session.finish().await.unwrap();
    assert_eq!(site.raw(id).await, None, "a logout is a logout");
}
