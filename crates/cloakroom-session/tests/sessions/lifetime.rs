//! Sessions that end by themselves: when nobody uses them, and when they are old.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind, Session, SessionId, SetOptions};

const MINUTE: Duration = Duration::from_secs(60);

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::new("memory");
    change(&mut config);
    config
}

async fn idle_after_half_an_hour() -> Site {
    Site::with(config(|config| config.idle = Some(MINUTE * 30))).await
}

async fn over_after_a_day() -> Site {
    Site::with(config(|config| config.absolute = Some(MINUTE * 60 * 24))).await
}

fn milliseconds_since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as f64
}

/// A request that reads the session's theme.
async fn read(site: &Site, id: SessionId) -> Option<String> {
    let session = site.request(id);
    let theme = session.get("theme").await.unwrap();
    let finished = session.finish().await.unwrap();
    assert_eq!(finished.set_cookie, None, "a read sent a cookie");
    theme
}

#[tokio::test(start_paused = true)]
async fn a_session_in_use_lives_and_an_idle_one_ends() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    for _ in 0..10 {
        tokio::time::advance(MINUTE * 20).await;
        assert!(read(&site, id).await.is_some());
    }
    tokio::time::advance(MINUTE * 31).await;
    assert_eq!(read(&site, id).await, None);
    assert_eq!(site.records().await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_idle_deadline_moves_once_per_interval_and_rewrites_nothing() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let before = site.raw(id).await;
    for _ in 0..10 {
        // The interval is a minute, as nothing else was said.
        tokio::time::advance(MINUTE - Duration::from_secs(1)).await;
        read(&site, id).await;
        assert_eq!(site.calls(), ["get"]);
        tokio::time::advance(Duration::from_secs(2)).await;
        read(&site, id).await;
        assert_eq!(site.calls(), ["get", "touch"]);
    }
    assert_eq!(site.raw(id).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_leaves_its_session_alone_moves_nothing() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    tokio::time::advance(MINUTE * 20).await;
    site.request(id).finish().await.unwrap();
    assert!(site.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_carries_the_idle_deadline_along() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    tokio::time::advance(MINUTE * 20).await;
    let session = site.request(id);
    session.set("theme", "light").unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get", "set"]);
    assert_eq!(site.last_ttl(), Some(MINUTE * 30));
}

#[tokio::test(start_paused = true)]
async fn entries_that_expire_sooner_still_end_the_record_sooner() {
    let site = idle_after_half_an_hour().await;
    let session = site.visitor();
    session.set_with("code", "1234", SetOptions::new().ttl(MINUTE)).unwrap();
    session.finish().await.unwrap();
    let ttl = site.last_ttl().unwrap();
    assert!(ttl <= MINUTE + Duration::from_millis(1) && ttl > MINUTE / 2, "{ttl:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_a_javascript_writer_took_away_is_there_again_after_the_next_read() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let record = site.raw(id).await.unwrap();
    site.write_raw(id, &record).await;
    read(&site, id).await;
    assert_eq!(site.calls(), ["get", "set"]);
    assert_eq!(site.raw(id).await, Some(record), "the bytes are the same");
    tokio::time::advance(MINUTE * 31).await;
    assert_eq!(read(&site, id).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_another_request_wrote_meanwhile_keeps_its_longer_life() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    // All that JavaScript left expires in a minute, and the record says nothing of that to the store.
    let soon = milliseconds_since_1970() + 60_000.0;
    let code = format!(r#"[["Map",1,2],"code",{{"data":3,"expires":4}},"1234",{soon}]"#);
    site.write_raw(id, &code).await;
    site.before_set(move |site| async move {
        let session = site.request(id);
        session.set("theme", "light").unwrap();
        session.finish().await.unwrap();
    });
    let session = site.request(id);
    assert!(session.has("code").await.unwrap());
    session.finish().await.unwrap();
    tokio::time::advance(MINUTE * 29).await;
    assert_eq!(read(&site, id).await.as_deref(), Some("light"));
}

#[tokio::test]
async fn a_driver_that_cannot_compare_notes_the_creation_with_the_next_change() {
    let site = Site::that_cannot_compare(config(|config| config.absolute = Some(MINUTE))).await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.write_raw(id, r#"[["Map",1,2],"theme",{"data":3,"expires":-1},"dark"]"#).await;
    read(&site, id).await;
    assert!(!site.calls().contains(&"set"));
    let session = site.request(id);
    session.set("theme", "light").unwrap();
    session.finish().await.unwrap();
    assert!(site.raw(id).await.unwrap().contains("cloakroom.created"));
}

#[tokio::test(start_paused = true)]
async fn a_touch_that_fails_costs_the_request_nothing() {
    let site = idle_after_half_an_hour().await;
    let id = site.stored(&[("theme", "dark")]).await;
    tokio::time::advance(MINUTE * 20).await;
    let session = site.request(id);
    assert!(session.has("theme").await.unwrap());
    site.set_down(true);
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get", "touch"]);
}

#[tokio::test]
async fn an_idle_timeout_needs_a_driver_whose_items_expire() {
    let error =
        Site::that_cannot_expire(config(|config| config.idle = Some(MINUTE))).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("the driver `recorder` cannot let a record expire"),
        "{error}"
    );
}

#[tokio::test]
async fn a_record_notes_its_creation_in_an_entry_that_astro_keeps() {
    let site = over_after_a_day().await;
    let before = milliseconds_since_1970();
    let id = site.stored(&[("theme", "dark")]).await;
    let after = milliseconds_since_1970();
    let record = site.raw(id).await.unwrap();
    let (start, created) = record.trim_end_matches(']').rsplit_once(',').unwrap();
    assert_eq!(
        start,
        r#"[["Map",1,2,4,5],"theme",{"data":3,"expires":-1},"dark","cloakroom.created",{"data":6,"expires":-1}"#
    );
    let created: f64 = created.parse().unwrap();
    assert!(before <= created && created <= after);
}

#[tokio::test]
async fn neither_writing_nor_a_new_id_moves_the_creation() {
    let site = over_after_a_day().await;
    let yesterday = milliseconds_since_1970() - 23.0 * 3_600_000.0;
    let id = site.stored(&[("theme", "dark")]).await;
    site.write_raw(id, &record(&yesterday.to_string())).await;

    let session = site.request(id);
    session.regenerate().await.unwrap();
    session.set("theme", "light").unwrap();
    session.finish().await.unwrap();
    let record = site.raw(session.id().unwrap()).await.unwrap();
    assert!(record.contains(&format!(",{yesterday}")), "{record}");
    let ttl = site.last_ttl().unwrap();
    assert!(ttl <= MINUTE * 60 && ttl > MINUTE * 59, "{ttl:?} of the last hour");
}

#[tokio::test]
async fn a_session_that_is_too_old_is_not_there_and_leaves_the_store() {
    let site = over_after_a_day().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let long_ago = milliseconds_since_1970() - 25.0 * 3_600_000.0;
    site.write_raw(id, &record(&long_ago.to_string())).await;
    let session = site.request(id);
    assert_eq!(session.get::<String>("theme").await.unwrap(), None);
    assert_eq!(session.id(), None);
    assert_eq!(site.raw(id).await, None);
}

#[tokio::test]
async fn a_session_that_astro_began_is_given_its_creation_when_it_is_first_read() {
    let site = over_after_a_day().await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.write_raw(id, r#"[["Map",1,2],"theme",{"data":3,"expires":-1},"dark"]"#).await;
    assert_eq!(read(&site, id).await.as_deref(), Some("dark"));
    assert_eq!(site.calls(), ["get", "set"]);
    assert!(site.raw(id).await.unwrap().contains("cloakroom.created"));
    read(&site, id).await;
    assert_eq!(site.calls(), ["get"], "it is noted once");
}

#[tokio::test]
async fn a_creation_that_cannot_be_noted_costs_the_request_nothing() {
    let site = over_after_a_day().await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.write_raw(id, r#"[["Map",1,2],"theme",{"data":3,"expires":-1},"dark"]"#).await;
    site.set_fail_writes(true);
    assert_eq!(read(&site, id).await.as_deref(), Some("dark"));
}

#[tokio::test]
async fn a_creation_that_is_no_number_is_noted_anew() {
    let site = over_after_a_day().await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.write_raw(id, &record("\"yesterday\"")).await;
    assert_eq!(read(&site, id).await.as_deref(), Some("dark"));
    assert!(!site.raw(id).await.unwrap().contains("yesterday"));
}

#[tokio::test]
async fn a_creation_in_a_far_future_is_noted_anew_since_it_would_never_be_old() {
    let site = over_after_a_day().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let next_year = milliseconds_since_1970() + 365.0 * 24.0 * 3_600_000.0;
    site.write_raw(id, &record(&next_year.to_string())).await;
    assert_eq!(read(&site, id).await.as_deref(), Some("dark"));
    assert!(!site.raw(id).await.unwrap().contains(&next_year.to_string()));
}

#[tokio::test]
async fn a_store_without_deadlines_is_asked_for_none_at_every_read() {
    let config = config(|config| config.absolute = Some(MINUTE));
    let site = Site::that_cannot_expire(config).await.unwrap();
    let id = site.stored(&[("theme", "dark")]).await;
    assert_eq!(read(&site, id).await.as_deref(), Some("dark"));
    assert_eq!(site.calls(), ["get"]);
}

/// A session that is read half a second before it is over, and the moment at which it is.
async fn read_just_before_it_is_over(site: &Site) -> (cloakroom_session::Session, f64) {
    let id = site.stored(&[("theme", "dark")]).await;
    let over = milliseconds_since_1970() + 500.0;
    let created = over - 24.0 * 3_600_000.0;
    site.write_raw(id, &record(&created.to_string())).await;
    let session = site.request(id);
    assert!(session.has("theme").await.unwrap());
    (session, over)
}

async fn until(moment: f64) {
    while milliseconds_since_1970() <= moment {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is read with the cookie that the response hands out.
async fn handed_out(site: &Site, session: &Session) -> Vec<String> {
    let cookie = session.finish().await.unwrap().set_cookie.expect("a new session has a cookie");
    let new = session.id().unwrap();
    assert!(cookie.contains(&new.to_string()));
    site.request(new).keys().await.unwrap()
}

#[tokio::test]
async fn an_update_of_a_session_that_became_too_old_begins_a_new_one() {
    let site = over_after_a_day().await;
    let (session, over) = read_just_before_it_is_over(&site).await;
    let id = session.id().unwrap();
    until(over).await;
    assert_eq!(session.update("visits", |visits: &mut u32| *visits += 1).await.unwrap(), 1);
    assert_eq!(handed_out(&site, &session).await, ["visits"]);
    assert_eq!(site.raw(id).await, None);
}

#[tokio::test]
async fn a_session_that_became_too_old_is_not_taken_along_by_a_regenerate() {
    let site = over_after_a_day().await;
    let (session, over) = read_just_before_it_is_over(&site).await;
    session.regenerate().await.unwrap();
    session.set("user", "Ann").unwrap();
    until(over).await;
    assert_eq!(handed_out(&site, &session).await, ["user"]);
    assert_eq!(site.records().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_touch_does_not_cut_short_what_was_written_since_the_session_was_read() {
    let site = idle_after_half_an_hour().await;
    let session = site.visitor();
    session.set_with("code", "1234", SetOptions::new().ttl(MINUTE * 31)).unwrap();
    session.finish().await.unwrap();
    let id = session.id().unwrap();
    // Later by the store's clock alone, so that the entry still has its half an hour and the record ten minutes less.
    tokio::time::advance(MINUTE * 20).await;
    let soon = milliseconds_since_1970() + 15.0 * 60_000.0;
    let code = format!(r#"[["Map",1,2],"code",{{"data":3,"expires":4}},"1234",{soon}]"#);
    site.write_raw_for(id, &code, MINUTE * 10).await;
    let session = site.request(id);
    assert!(session.has("code").await.unwrap());
    let other = site.request(id);
    other.set("theme", "light").unwrap();
    other.finish().await.unwrap();
    session.finish().await.unwrap();
    tokio::time::advance(MINUTE * 29).await;
    assert_eq!(read(&site, id).await.as_deref(), Some("light"));
}

#[tokio::test]
async fn the_note_of_its_creation_is_no_entry_of_the_session() {
    let site = over_after_a_day().await;
    let id = site.stored(&[("theme", "dark")]).await;
    let session = site.request(id);
    assert_eq!(session.keys().await.unwrap(), ["theme"]);
    assert_eq!(session.values().await.unwrap().len(), 1);
    assert_eq!(session.entries().await.unwrap().len(), 1);
    assert!(!session.has("cloakroom.created").await.unwrap());
    assert_eq!(session.get::<f64>("cloakroom.created").await.unwrap(), None);
    let error = session.set("cloakroom.created", &0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReservedKey);
    session.delete("cloakroom.created");
    session.finish().await.unwrap();
    assert!(site.raw(id).await.unwrap().contains("cloakroom.created"));
}

/// A record as Astro writes it, created at `created`.
fn record(created: &str) -> String {
    format!(
        r#"[["Map",1,2,4,5],"theme",{{"data":3,"expires":-1}},"dark","cloakroom.created",{{"data":6,"expires":-1}},{created}]"#
    )
}
