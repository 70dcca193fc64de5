//! Flash messages: left by one request, shown by one page.

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind, Flash, OutagePolicy, SessionId};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Notice {
    level: String,
    text: String,
}

const NOTICE: Flash<Notice> = Flash::new("notice");

fn saved() -> Notice {
    Notice { level: "success".into(), text: "Saved.".into() }
}

/// A stored session with a message that nobody has read.
async fn flashed(site: &Site) -> SessionId {
    let session = site.visitor();
    session.set("theme", "dark").unwrap();
    session.flash(NOTICE, &saved()).unwrap();
    session.finish().await.unwrap();
    site.calls();
    session.id().unwrap()
}

async fn read(site: &Site, id: SessionId) -> Option<Notice> {
    let session = site.request(id);
    let notice = session.flashed(NOTICE).await.unwrap();
    session.finish().await.unwrap();
    notice
}

#[tokio::test]
async fn a_message_is_shown_by_the_next_page_that_reads_it_and_by_no_other() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    assert_eq!(read(&site, id).await, Some(saved()));
    assert_eq!(read(&site, id).await, None);
    assert_eq!(site.request(id).keys().await.unwrap(), ["theme"]);
}

#[tokio::test]
async fn a_page_that_reads_no_message_costs_nothing_and_ages_none() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    for _ in 0..3 {
        site.request(id).finish().await.unwrap();
    }
    assert!(site.calls().is_empty());
    site.read(id, "theme").await;
    assert_eq!(site.calls(), ["get"]);
    assert_eq!(read(&site, id).await, Some(saved()));
}

#[tokio::test]
async fn javascript_reads_it_by_its_name() {
    let site = Site::new().await;
    let session = site.visitor();
    session.flash(Flash::<String>::new("notice"), "Saved.").unwrap();
    session.finish().await.unwrap();
    assert_eq!(
        site.raw(session.id().unwrap()).await.unwrap(),
        r#"[["Map",1,2],"flash:notice",{"data":3,"expires":-1},"Saved."]"#
    );
    assert_eq!(NOTICE.entry(), "flash:notice");
}

#[tokio::test]
async fn a_message_that_is_shown_in_the_request_that_left_it_is_never_stored() {
    let site = Site::new().await;
    let session = site.visitor();
    session.flash(NOTICE, &saved()).unwrap();
    assert_eq!(session.flashed(NOTICE).await.unwrap(), Some(saved()));
    let finished = session.finish().await.unwrap();
    assert_eq!(finished.set_cookie, None);
    assert!(site.calls().is_empty());
    assert_eq!(site.records().await, 0, "no session is left behind without a cookie");
}

#[tokio::test]
async fn the_latest_message_replaces_one_that_nobody_read() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    let session = site.request(id);
    session.flash(NOTICE, &Notice { text: "Saved again.".into(), ..saved() }).unwrap();
    session.finish().await.unwrap();
    assert_eq!(read(&site, id).await.unwrap().text, "Saved again.");
    assert_eq!(read(&site, id).await, None);
}

#[tokio::test]
async fn a_page_may_leave_a_message_after_it_has_shown_one() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    let session = site.request(id);
    assert_eq!(session.flashed(NOTICE).await.unwrap(), Some(saved()));
    session.flash(NOTICE, &Notice { text: "Once more.".into(), ..saved() }).unwrap();
    session.finish().await.unwrap();
    assert_eq!(read(&site, id).await.unwrap().text, "Once more.");
}

#[tokio::test]
async fn messages_gather_in_a_list() {
    const NOTICES: Flash<Vec<String>> = Flash::new("notices");
    let site = Site::new().await;
    let session = site.visitor();
    for text in ["one", "two"] {
        let mut notices = session.flashed(NOTICES).await.unwrap().unwrap_or_default();
        notices.push(text.to_owned());
        session.flash(NOTICES, &notices).unwrap();
    }
    session.finish().await.unwrap();
    let session = site.request(session.id().unwrap());
    assert_eq!(session.flashed(NOTICES).await.unwrap().unwrap(), ["one", "two"]);
}

#[tokio::test]
async fn a_log_in_keeps_its_greeting_under_the_new_id() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    let session = site.request(id);
    session.regenerate().await.unwrap();
    session.flash(Flash::<String>::new("greeting"), "Hello, Ann.").unwrap();
    session.finish().await.unwrap();
    let id = session.id().unwrap();
    assert_eq!(read(&site, id).await, Some(saved()), "what was unread before came along");
    let greeting: Flash<String> = Flash::new("greeting");
    assert_eq!(site.request(id).flashed(greeting).await.unwrap().unwrap(), "Hello, Ann.");
}

#[tokio::test]
async fn a_log_out_drops_what_was_left_and_its_farewell_begins_a_new_session() {
    let site = Site::new().await;
    let old = flashed(&site).await;
    let session = site.request(old);
    session.flash(NOTICE, &saved()).unwrap();
    session.destroy();
    assert_eq!(session.flashed(NOTICE).await.unwrap(), None);
    session.flash(NOTICE, &Notice { text: "Goodbye.".into(), ..saved() }).unwrap();
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    let id = session.id().unwrap();
    assert_ne!(id, old);
    assert!(cookie.starts_with(&format!("astro-session={id};")), "{cookie}");
    assert_eq!(read(&site, id).await.unwrap().text, "Goodbye.");
    assert_eq!(site.raw(old).await, None);
}

#[tokio::test]
async fn two_pages_at_once_may_both_show_a_message_and_no_third_does() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    let (first, second) = (site.request(id), site.request(id));
    assert_eq!(first.flashed(NOTICE).await.unwrap(), Some(saved()));
    assert_eq!(second.flashed(NOTICE).await.unwrap(), Some(saved()));
    first.finish().await.unwrap();
    second.finish().await.unwrap();
    assert_eq!(read(&site, id).await, None);
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
}

#[tokio::test]
async fn a_message_of_another_type_is_an_error_once_and_not_on_every_page() {
    let site = Site::new().await;
    let id = site.stored(&[("flash:notice", "of another program"), ("theme", "dark")]).await;
    let session = site.request(id);
    let error = session.flashed(NOTICE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert!(error.to_string().contains("\"flash:notice\""), "{error}");
    session.finish().await.unwrap();
    assert_eq!(read(&site, id).await, None);
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
}

#[tokio::test]
async fn a_message_waits_while_the_store_does_not_answer() {
    let mut config = Config::new("memory");
    config.outage = OutagePolicy::ReadOnly;
    let site = Site::with(config).await;
    let id = flashed(&site).await;
    site.set_down(true);
    assert_eq!(read(&site, id).await, None, "and the page is shown all the same");
    site.set_down(false);
    assert_eq!(read(&site, id).await, Some(saved()));
}

#[tokio::test]
async fn an_outage_is_an_error_and_loses_no_message() {
    let site = Site::new().await;
    let id = flashed(&site).await;
    site.set_down(true);
    let error = site.request(id).flashed(NOTICE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    site.set_down(false);
    assert_eq!(read(&site, id).await, Some(saved()));
}
