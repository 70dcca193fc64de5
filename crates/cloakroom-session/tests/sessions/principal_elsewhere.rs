//! Whose sessions they are that were signed in, or given a new ID, by an Astro site.

use std::time::Duration;

use cloakroom_session::adapter::Commit;
use cloakroom_session::storage::{Driver as _, ItemKey, When};
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, ErrorKind, Session, Sessions, WhenFull};

use crate::principals::{by_path, limited, user};

/// What an Astro site does: the record has the site's own entry, and no note of ours.
async fn signed_in_at_astro(site: &TestSite, id: &str) -> Session {
    let text = format!(r#"[["Map",1,2],"user",{{"data":3,"expires":-1}},{{"id":4}},"{id}"]"#);
    put(site, text).await
}

/// A session with this record, as a request has it.
async fn put(site: &TestSite, text: String) -> Session {
    let session = site.session_with(|session| session.set("x", &1)).await.unwrap();
    session.get::<i32>("x").await.unwrap();
    let key = ItemKey::new(&session.id().unwrap().to_string()).unwrap();
    let store = site.store().undisturbed();
    _ = store.set(&key, text.into_bytes().into(), When::Always, None).await.unwrap();
    site.again(&session)
}

#[tokio::test]
async fn who_signed_in_elsewhere_is_listed_once_he_is_seen() {
    let site = TestSite::with(by_path());
    let session = signed_in_at_astro(&site, "ann").await;
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
    // A request that only reads.
    assert_eq!(session.principal().await.unwrap().as_deref(), Some("ann"));
    let committed = site.commit(&session).await.unwrap();
    assert_eq!(committed.cookie(), None);
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
    let listed = site.sessions().of("ann").list().await.unwrap();
    assert_eq!(listed[0].authenticated_at(), None, "nobody knows when that was");

    // Once: the next one pays for nothing but its look.
    let before = site.store().calls();
    let again = site.again(&session);
    again.principal().await.unwrap();
    site.commit(&again).await.unwrap();
    assert_eq!(site.store().calls() - before, 1);

    // Another user in the same session is another's.
    let again = site.again(&session);
    again.set("user", &user("bob")).unwrap();
    site.commit(&again).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
    assert_eq!(site.sessions().of("bob").count().await.unwrap(), 1);
    assert_eq!(site.sessions().of("bob").revoke_all().await.unwrap(), 1);
    assert_eq!(site.again(&session).principal().await.unwrap(), None);
}

#[tokio::test]
async fn to_whoever_knows_no_path_the_sessions_of_a_principal_by_path_are_strangers() {
    let site = TestSite::with(by_path());
    let session = site.session();
    session.set("user", &user("ann")).unwrap();
    session.sign_in("ann").await.unwrap();
    site.commit(&session).await.unwrap();
    let theirs = site.sessions().of("ann");
    assert_eq!((theirs.count().await.unwrap(), theirs.count_strangers().await.unwrap()), (1, 0));

    let store = std::sync::Arc::new(site.store().clone());
    let other = Sessions::with_driver(store, &Config::new("memory")).unwrap();
    let theirs = other.of("ann");
    assert_eq!((theirs.count().await.unwrap(), theirs.count_strangers().await.unwrap()), (0, 1));
    assert_eq!(theirs.revoke_all().await.unwrap(), 1);
    assert_eq!(theirs.count_strangers().await.unwrap(), 0);
}

#[tokio::test]
async fn who_was_given_a_new_id_elsewhere_is_listed_again_once_he_is_seen() {
    let mut config = by_path();
    config.principal = Some("user".to_owned());
    let site = TestSite::with(config);
    let session = site.session();
    session.set("user", "ann").unwrap();
    session.sign_in("ann").await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    // Astro copies the record as it is.
    let store = site.store().undisturbed();
    let old = ItemKey::new(&committed.id().unwrap().to_string()).unwrap();
    let record = store.get(&old).await.unwrap().unwrap().value;
    let moved = put(&site, String::from_utf8(record.to_vec()).unwrap()).await;
    _ = store.remove(&old, When::Always).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
    moved.get::<String>("user").await.unwrap();
    site.commit(&moved).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
    assert!(site.sessions().of("ann").list().await.unwrap()[0].authenticated_at().is_some());
}

#[tokio::test]
async fn with_a_path_who_signs_in_has_to_be_who_the_entry_says() {
    let site = TestSite::with(by_path());
    let session = site.session();
    assert_eq!(session.sign_in("ann").await.unwrap_err().kind(), ErrorKind::Config);
    session.set("user", &user("bob")).unwrap();
    assert_eq!(session.sign_in("ann").await.unwrap_err().kind(), ErrorKind::Config);
    session.set("user", &user("ann")).unwrap();
    session.sign_in("ann").await.unwrap();
    site.commit(&session).await.unwrap();
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
}

#[tokio::test]
async fn where_too_many_are_refused_one_that_was_signed_in_elsewhere_ends_when_it_is_seen() {
    let mut config = limited(1, WhenFull::Refuse);
    config.principal = Some("user.id".to_owned());
    let site = TestSite::with(config);
    for alive in [true, false] {
        let session = signed_in_at_astro(&site, "ann").await;
        session.principal().await.unwrap();
        let finished = session.finish().await.unwrap();
        assert_eq!(finished.set_cookie, None);
        let again = site.again(&session);
        assert_eq!(again.principal().await.unwrap().is_some(), alive);
    }
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
}

/// It is in no index yet when it is given a new ID here.
#[tokio::test]
async fn who_signed_in_elsewhere_is_ended_under_his_old_id_as_well() {
    let site = TestSite::with(by_path());
    let session = signed_in_at_astro(&site, "ann").await;
    session.sign_in("ann").await.unwrap();
    site.sessions().of("ann").revoke_all().await.unwrap();
    assert!(site.commit(&session).await.is_err());
    assert_eq!(site.again(&session).principal().await.unwrap(), None);
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_one_has_shown_says_nothing_of_another_whom_the_site_signs_in() {
    let site = TestSite::with(by_path());
    let session = site.session();
    session.set("user", &user("ann")).unwrap();
    session.sign_in("ann").await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    let five_minutes = Duration::from_secs(300);
    let key = ItemKey::new(&committed.id().unwrap().to_string()).unwrap();
    let store = site.store().undisturbed();
    let record = store.get(&key).await.unwrap().unwrap().value;
    // The site says another name, and carries our notes along.
    let record = String::from_utf8(record.to_vec()).unwrap().replace("\"ann\"", "\"bob\"");
    _ = store.set(&key, record.into(), When::Always, None).await.unwrap();
    for _ in 0..2 {
        let session = site.next(&committed);
        assert_eq!(session.principal().await.unwrap().as_deref(), Some("bob"));
        assert_eq!(session.authenticated_at().await.unwrap(), None);
        let error = session.require_recent(five_minutes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotRecent);
        site.commit(&session).await.unwrap();
    }
    assert_eq!(site.sessions().of("bob").list().await.unwrap()[0].authenticated_at(), None);
}

#[tokio::test]
async fn a_session_that_is_somebody_elses_by_now_takes_no_place() {
    let mut config = limited(1, WhenFull::Refuse);
    config.principal = Some("user.id".to_owned());
    let site = TestSite::with(config);
    let session = site.session();
    session.set("user", &user("ann")).unwrap();
    session.sign_in("ann").await.unwrap();
    let committed = site.commit(&session).await.unwrap();
    let changed = site.next(&committed);
    changed.set("user", &user("bob")).unwrap();
    site.commit(&changed).await.unwrap();
    site.advance(Duration::from_secs(61));
    let other = site.session();
    other.set("user", &user("ann")).unwrap();
    other.sign_in("ann").await.unwrap();
    site.commit(&other).await.unwrap();
    assert_eq!(site.next(&committed).principal().await.unwrap().as_deref(), Some("bob"));
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 1);
}
