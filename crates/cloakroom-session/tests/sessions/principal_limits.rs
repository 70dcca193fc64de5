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
