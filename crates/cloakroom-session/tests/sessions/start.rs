//! What a program says of its store when it starts.

use std::time::Duration;

use crate::common::Site;
use crate::common::log::Log;
use cloakroom_session::{Config, ErrorKind, Sessions};

#[tokio::test]
async fn the_store_its_place_and_the_source_of_each_setting_are_said_without_secrets() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    let base = folder.path().join("sessions");
    std::fs::write(&file, format!("driver = 'fs-lite'\noptions = {{ base = {base:?} }}\nttl = 60"))
        .unwrap();
    let config = Config::from_file(&file).unwrap();
    Sessions::from_config(config).await.unwrap();
    let text = log.text();
    assert!(text.contains("store=\"fs-lite\""), "{text}");
    assert!(text.contains(&format!("base={}", base.display())), "{text}");
    let source = file.display();
    assert!(
        text.contains(&format!("driver: {source}, options.base: {source}, ttl: {source}")),
        "{text}"
    );
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_found_by_whoever_asks() {
    let site = Site::new().await;
    site.sessions.check().await.unwrap();
    site.set_down(true);
    let error = site.sessions.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    site.set_down(false);
    site.sessions.check().await.unwrap();
}

#[tokio::test]
async fn a_store_that_takes_no_writes_is_found_by_whoever_asks_and_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("sessions");
    let config = Config::new("fs-lite").option("base", base.to_str().unwrap());
    let sessions = Sessions::from_config(config).await.unwrap();
    sessions.check().await.unwrap();
    let is_item = |name: &std::ffi::OsStr| name != ".cloakroom";
    let files = std::fs::read_dir(&base).unwrap().map(|file| file.unwrap().file_name());
    assert_eq!(files.filter(|name| is_item(name)).count(), 0);
    // Nobody can make a folder where a file is.
    std::fs::remove_dir_all(&base).unwrap();
    std::fs::write(&base, "").unwrap();
    assert_eq!(sessions.check().await.unwrap_err().kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn a_store_that_does_not_answer_at_start_is_said_with_its_place() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("sessions");
    let config = Config::new("fs-lite").option("base", base.to_str().unwrap());
    // A loop of links is neither a folder nor nothing.
    std::os::unix::fs::symlink(&base, &base).unwrap();
    match Sessions::from_config(config).await {
        Err(error) => assert!(error.to_string().contains(&*base.to_string_lossy()), "{error}"),
        Ok(sessions) => {
            let said = async {
                while !log.text().contains("does not answer as it should") {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), said).await.unwrap();
            drop(sessions);
            let text = log.text();
            assert!(text.contains(&*base.to_string_lossy()), "{text}");
        }
    }
}

#[tokio::test]
async fn what_is_unsafe_is_warned_of_once_for_each_store() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let folder = tempfile::tempdir().unwrap();
    let open = async |name: &str| {
        let base = folder.path().join(name);
        let config = Config::new("fs-lite").option("base", base.to_str().unwrap());
        Sessions::from_config(config).await.unwrap()
    };
    let often = || log.text().matches("no session will ever end by itself").count();
    let _first = [open("one").await, open("one").await];
    assert_eq!(often(), 1);
    let _second = open("two").await;
    assert_eq!(often(), 2);
}

#[tokio::test]
async fn a_folder_that_everybody_may_read_and_a_cookie_for_localhost_are_named_to_who_asks_and_usual_where_sites_are_written()
 {
    use std::os::unix::fs::PermissionsExt as _;

    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = Config::new("fs-lite").option("base", folder.path().to_str().unwrap());
    config.idle = Some(Duration::from_secs(60));
    config.cookie.secure = false;
    let sessions = Sessions::from_config(config).await.unwrap();
    let advice = sessions.advice().await;
    let codes: Vec<_> = advice.iter().map(|advice| advice.code()).collect();
    assert_eq!(codes, ["cookie-not-secure", "open-to-others"]);
    assert!(advice.iter().all(|advice| advice.is_usual_in_development()));
    assert!(!log.text().contains("cookie-not-secure"), "{}", log.text());
}
