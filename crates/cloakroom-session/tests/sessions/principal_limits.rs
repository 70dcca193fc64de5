//! How many sessions a principal may have.

use std::time::Duration;

use cloakroom_session::testing::TestSite;
use cloakroom_session::{ErrorKind, WhenFull};

use crate::principals::{browser, browsers, limited};

#[tokio::test]
async fn the_oldest_goes_where_there_are_too_many() {
    let site = TestSite::with(limited(2, WhenFull::EndOldest));
    let first = browser(&site, "Firefox", "ann").await;
    for name in ["Chromium", "Safari"] {
        site.advance(Duration::from_secs(1));
        browser(&site, name, "ann").await;
    }
    assert_eq!(browsers(site.sessions(), "ann").await, ["Safari", "Chromium"]);
    assert_eq!(site.next(&first).principal().await.unwrap(), None);
}

#[tokio::test]
async fn or_nobody_gets_in_and_the_visitor_keeps_what_he_had() {
    let site = TestSite::with(limited(2, WhenFull::Refuse));
    for name in ["Firefox", "Chromium"] {
        browser(&site, name, "ann").await;
    }
    let visitor = site.session_with(|session| session.set("cart", "hat")).await.unwrap();
    let error = visitor.sign_in("ann").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManySessions);
    assert_eq!(visitor.principal().await.unwrap(), None);
    let committed = site.commit(&visitor).await.unwrap();
    assert!(!committed.was_regenerated());
    assert_eq!(site.next(&committed).get::<String>("cart").await.unwrap().as_deref(), Some("hat"));

    // A place that is given up is one for another.
    let listed = site.sessions().of("ann").list().await.unwrap();
    site.sessions().of("ann").revoke(listed[0].handle()).await.unwrap();
    site.next(&committed).sign_in("ann").await.unwrap();
}

#[tokio::test]
async fn a_session_that_has_ended_by_itself_takes_no_place() {
    let mut config = limited(1, WhenFull::Refuse);
    config.idle = Some(Duration::from_secs(600));
    let site = TestSite::with(config);
    browser(&site, "Firefox", "ann").await;
    site.advance(Duration::from_secs(601));
    browser(&site, "Chromium", "ann").await;
}

#[tokio::test]
async fn the_oldest_is_who_signed_in_first_whatever_became_of_his_id() {
    let site = TestSite::with(limited(2, WhenFull::EndOldest));
    let first = browser(&site, "Firefox", "ann").await;
    site.advance(Duration::from_secs(100));
    browser(&site, "Chromium", "ann").await;
    site.advance(Duration::from_secs(100));
    let session = site.next(&first);
    session.regenerate().await.unwrap();
    site.commit(&session).await.unwrap();
    site.advance(Duration::from_secs(200));
    assert_eq!(browsers(site.sessions(), "ann").await, ["Chromium", "Firefox"]);
    browser(&site, "Safari", "ann").await;
    assert_eq!(browsers(site.sessions(), "ann").await, ["Safari", "Chromium"]);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_takes_one_place() {
    for (most, when_full) in
        [(1, WhenFull::EndOldest), (2, WhenFull::EndOldest), (2, WhenFull::Refuse)]
    {
        // Whether the other one signs in before the one that wins is finished, or after it.
        for is_overtaken in [false, true] {
            let site = TestSite::with(limited(most, when_full));
            let other = match most {
                1 => None,
                _ => Some(browser(&site, "Firefox", "ann").await),
            };
            let visitor =
                site.session_with(|session| session.set("browser", "Chromium")).await.unwrap();
            let (one, again) = (site.again(&visitor), site.again(&visitor));
            for session in [&one, &again] {
                assert_eq!(session.principal().await.unwrap(), None);
            }
            one.sign_in("ann").await.unwrap();
            if is_overtaken {
                again.sign_in("ann").await.unwrap();
            }
            let signed_in = site.commit(&one).await.unwrap();
            if !is_overtaken {
                again.sign_in("ann").await.unwrap();
            }
            assert!(site.commit(&again).await.unwrap_err().is_destroyed());

            let session = site.next(&signed_in);
            assert_eq!(session.principal().await.unwrap().as_deref(), Some("ann"));
            assert_eq!(
                session.get::<String>("browser").await.unwrap().as_deref(),
                Some("Chromium")
            );
            if let Some(other) = other {
                assert_eq!(site.next(&other).principal().await.unwrap().as_deref(), Some("ann"));
            }
            assert_eq!(site.sessions().of("ann").count().await.unwrap(), most as usize);
        }
    }
}

#[tokio::test]
async fn who_signs_out_and_in_again_finds_his_place() {
    let site = TestSite::with(limited(1, WhenFull::Refuse));
    let session = site.next(&browser(&site, "Firefox", "ann").await);
    session.principal().await.unwrap();
    session.sign_out();
    session.sign_in("ann").await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);

    // Also in a request of its own, at once and a while later.
    for wait in [1, 50, 70] {
        let leave = site.next(&committed);
        leave.sign_out();
        site.commit(&leave).await.unwrap();
        site.advance(Duration::from_secs(wait));
        let again = site.session();
        again.sign_in("ann").await.unwrap();
        site.commit(&again).await.unwrap();
        site.sessions().of("ann").revoke_all().await.unwrap();
    }
}
