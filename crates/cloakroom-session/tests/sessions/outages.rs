//! What a request gets while the store does not answer, as its policy says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Config, ErrorKind, OutagePolicy, Session, SessionId};

async fn site(policy: OutagePolicy) -> Site {
    let mut config = Config::new("memory");
    config.outage = policy;
    Site::with(config).await
}

/// A site whose store went away after it had stored and shown a session.
async fn site_without_store(policy: OutagePolicy) -> (Site, SessionId) {
    let site = site(policy).await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.set_down(true);
    (site, id)
}

fn is_unavailable<T: std::fmt::Debug>(result: cloakroom_session::Result<T>) -> bool {
    result.unwrap_err().kind() == ErrorKind::Unavailable
}

/// Whether every way to change the session fails, at once or when the request is finished.
async fn refuses_every_change(request: impl Fn() -> Session) {
    for read_first in [false, true] {
        let begin = async || {
            let session = request();
            if read_first {
                session.get::<String>("theme").await.unwrap();
            }
            session
        };
        let session = begin().await;
        match session.set("theme", "light") {
            Ok(()) => assert!(is_unavailable(session.finish().await)),
            error => assert!(read_first && is_unavailable(error)),
        }
        let session = begin().await;
        session.delete("theme");
        assert!(is_unavailable(session.finish().await), "delete");
        let session = begin().await;
        assert!(is_unavailable(session.update("n", |n: &mut u32| *n += 1).await), "update");
        let session = begin().await;
        assert!(is_unavailable(session.regenerate().await), "regenerate");
    }
    let session = request();
    session.destroy();
    assert!(is_unavailable(session.finish().await), "destroy");
}

#[tokio::test]
async fn unavailable_is_an_error_and_never_an_empty_session() {
    let (site, id) = site_without_store(OutagePolicy::Unavailable).await;
    let session = site.request(id);
    assert!(is_unavailable(session.get::<String>("theme").await));
    assert!(is_unavailable(session.keys().await));
    assert!(!session.is_degraded());
    let session = site.request(id);
    session.set("theme", "light").unwrap();
    assert!(is_unavailable(session.finish().await));
}

#[tokio::test]
async fn anonymous_is_a_visitor_whose_cookie_stays() {
    let (site, id) = site_without_store(OutagePolicy::Anonymous).await;
    let session = site.request(id);
    assert_eq!(session.get::<String>("theme").await.unwrap(), None);
    assert!(session.keys().await.unwrap().is_empty());
    assert!(session.is_degraded());
    let finished = session.finish().await.unwrap();
    assert_eq!(finished.set_cookie, None);
    assert!(finished.degraded);
    assert_eq!(site.calls(), ["get"], "the store was asked once");

    refuses_every_change(|| site.request(id)).await;

    site.set_down(false);
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
    assert!(!site.request(id).is_degraded());
}

#[tokio::test]
async fn read_only_shows_the_session_as_this_process_saw_it_last() {
    let (site, id) = site_without_store(OutagePolicy::ReadOnly).await;
    let session = site.request(id);
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));
    assert!(session.is_degraded());
    assert_eq!(session.id(), Some(id));
    let finished = session.finish().await.unwrap();
    assert_eq!(finished.set_cookie, None);
    assert!(finished.degraded);

    refuses_every_change(|| site.request(id)).await;
    // The last change was a logout: it failed, and still nobody is shown the copy any more.
    assert!(is_unavailable(site.request(id).get::<String>("theme").await));

    site.set_down(false);
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
}

#[tokio::test]
async fn read_only_does_not_show_what_it_has_not_seen_or_what_has_ended() {
    let site = site(OutagePolicy::ReadOnly).await;
    let ended = site.stored(&[("theme", "dark")]).await;
    site.log_out(ended).await;
    site.set_down(true);
    let unseen = "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
    assert!(is_unavailable(site.request(unseen).get::<String>("theme").await));
    assert!(is_unavailable(site.request(ended).get::<String>("theme").await));
}

#[tokio::test]
async fn read_only_hides_entries_that_have_expired_since() {
    let site = site(OutagePolicy::ReadOnly).await;
    let session = site.visitor();
    let brief = cloakroom_session::SetOptions::new().ttl(Duration::from_millis(5));
    session.set_with("code", "1234", brief).unwrap();
    session.set("theme", "dark").unwrap();
    session.finish().await.unwrap();
    let id = session.id().unwrap();
    while site.request(id).has("code").await.unwrap() {
        tokio::task::yield_now().await;
    }
    site.set_down(true);
    assert!(!site.request(id).has("code").await.unwrap());
    assert!(site.request(id).has("theme").await.unwrap());
}

#[tokio::test]
async fn a_read_that_began_before_a_logout_leaves_no_copy_behind() {
    let site = site(OutagePolicy::ReadOnly).await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.before_answer(move |site| async move { site.log_out(id).await });
    assert_eq!(
        site.read(id, "theme").await.as_deref(),
        Some("dark"),
        "it was there when it was read"
    );
    site.set_down(true);
    assert!(is_unavailable(site.request(id).get::<String>("theme").await));
}

#[tokio::test]
async fn a_read_during_a_logout_leaves_no_copy_behind() {
    let site = site(OutagePolicy::ReadOnly).await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.before_remove(move |site| async move {
        assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
    });
    site.log_out(id).await;
    site.set_down(true);
    assert!(is_unavailable(site.request(id).get::<String>("theme").await));
}

#[tokio::test]
async fn a_read_that_is_late_does_not_put_an_older_copy_over_what_was_written_since() {
    let site = site(OutagePolicy::ReadOnly).await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.before_answer(move |site| async move {
        let session = site.request(id);
        session.set("theme", "light").unwrap();
        session.finish().await.unwrap();
    });
    site.read(id, "theme").await;
    site.set_down(true);
    let session = site.request(id);
    let theme = session.get::<String>("theme").await;
    assert!(!matches!(theme.as_ref(), Ok(Some(theme)) if theme == "dark"), "{theme:?}");
}

/// Waits until nobody is shown the copy of the session any more.
async fn until_it_is_not_shown(site: &Site, id: SessionId) {
    site.set_down(true);
    let begin = Instant::now();
    while site.request(id).get::<String>("theme").await.is_ok() {
        assert!(begin.elapsed() < Duration::from_secs(5), "a session that is over is still shown");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn read_only_shows_no_session_that_is_over() {
    const HOUR: Duration = Duration::from_secs(3600);
    let mut config = Config::new("memory");
    config.outage = OutagePolicy::ReadOnly;
    config.absolute = Some(HOUR);
    let site = Site::with(config).await;
    let id = site.stored(&[("theme", "dark")]).await;
    // Half a second before it is over. Once as JavaScript leaves it, without a deadline in the store.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let created = (now + Duration::from_millis(500) - HOUR).as_millis();
    let record = format!(
        r#"[["Map",1,2,4,5],"theme",{{"data":3,"expires":-1}},"dark","cloakroom.created",{{"data":6,"expires":-1}},{created}]"#
    );
    site.write_raw(id, &record).await;
    assert_eq!(site.read(id, "theme").await.as_deref(), Some("dark"));
    until_it_is_not_shown(&site, id).await;
}

#[tokio::test]
async fn read_only_shows_no_session_that_nobody_used_for_too_long() {
    let mut config = Config::new("memory");
    config.outage = OutagePolicy::ReadOnly;
    config.idle = Some(Duration::from_millis(200));
    let site = Site::with(config).await;
    let id = site.stored(&[("theme", "dark")]).await;
    until_it_is_not_shown(&site, id).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_lives_as_long_as_the_session_whose_deadline_was_moved() {
    let mut config = Config::new("memory");
    config.outage = OutagePolicy::ReadOnly;
    config.idle = Some(Duration::from_millis(100));
    let site = Site::with(config).await;
    let id = site.stored(&[("theme", "dark")]).await;
    // By the store's clock almost over, and then in use again.
    tokio::time::advance(Duration::from_millis(99)).await;
    let session = site.request(id);
    session.get::<String>("theme").await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get", "touch"]);
    let touched = Instant::now();
    site.set_down(true);
    while touched.elapsed() < Duration::from_millis(20) {
        let shown = site.request(id).get::<String>("theme").await;
        assert!(shown.is_ok() || touched.elapsed() >= Duration::from_millis(90), "{shown:?}");
    }
}

#[tokio::test]
async fn nobody_keeps_copies_who_did_not_ask_for_them() {
    let (site, id) = site_without_store(OutagePolicy::Unavailable).await;
    let session = site.request(id);
    session.set_outage_policy(OutagePolicy::ReadOnly);
    assert!(is_unavailable(session.get::<String>("theme").await), "no copy was wanted before");
    site.set_down(false);
    site.read(id, "theme").await;
    site.set_down(true);
    let session = site.request(id);
    session.set_outage_policy(OutagePolicy::ReadOnly);
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));
}

#[tokio::test]
async fn a_request_may_have_another_policy_than_the_site() {
    let (site, id) = site_without_store(OutagePolicy::Anonymous).await;
    let session = site.request(id);
    session.set_outage_policy(OutagePolicy::Unavailable);
    assert!(is_unavailable(session.get::<String>("theme").await));
}

#[tokio::test]
async fn a_visitor_without_a_cookie_does_not_notice_an_outage_until_something_is_stored() {
    for policy in [OutagePolicy::Unavailable, OutagePolicy::ReadOnly, OutagePolicy::Anonymous] {
        let (site, _) = site_without_store(policy).await;
        let session = site.visitor();
        assert_eq!(session.get::<String>("theme").await.unwrap(), None);
        assert!(!session.is_degraded());
        assert!(!session.finish().await.unwrap().degraded);
        let session = site.visitor();
        session.set("theme", "dark").unwrap();
        assert!(is_unavailable(session.finish().await), "{policy:?}");
    }
}

#[tokio::test]
async fn a_store_that_refuses_is_no_outage() {
    let site = site(OutagePolicy::Anonymous).await;
    let id = site.stored(&[("theme", "dark")]).await;
    site.write_raw(id, "no record").await;
    let error = site.request(id).get::<String>("theme").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
