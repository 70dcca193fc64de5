//! IDs are credentials: nothing that ends up in a log shows one.

#![allow(clippy::unwrap_used)]

mod common;

use std::error::Error;

use cloakroom_session::{Config, CookieHeaders, ErrorKind, Sessions};
use common::Site;
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
    let config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
    let sessions = Sessions::from_config(config).await.unwrap();
    let id = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
    let cookie = HeaderValue::try_from(format!("astro-session={id}")).unwrap();

    std::fs::write(folder.path().join(id), "broken").unwrap();
    let corrupt = sessions.session(cookie.clone()).get::<String>("a").await.unwrap_err();
    assert_eq!(corrupt.kind(), ErrorKind::Corrupt);
    std::fs::remove_file(folder.path().join(id)).unwrap();
    std::fs::create_dir_all(folder.path().join(id).join("in the way")).unwrap();
    let session = sessions.session(cookie);
    session.destroy();
    let mut errors = vec![corrupt];
    errors.extend(session.finish().await.err());
    for error in errors {
        let mut shown = format!("{error} {error:?}");
        let mut cause = error.source();
        while let Some(error) = cause {
            shown += &format!(" {error} {error:?}");
            cause = error.source();
        }
        assert!(!shown.contains(id), "{shown}");
    }
}
