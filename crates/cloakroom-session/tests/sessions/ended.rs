//! A browser whose session another device has ended, and nobody has told it: it knows, and can sign in at once.

use cloakroom_session::adapter::Commit;
use cloakroom_session::{ErrorKind, SessionId};

use crate::common::Site;

/// A session with an entry, signed in as Ann.
async fn signed_in(site: &Site) -> SessionId {
    let session = site.visitor();
    session.set("theme", "dark").unwrap();
    session.sign_in("ann").await.unwrap();
    session.finish().await.unwrap();
    session.id().unwrap()
}

#[tokio::test]
async fn a_session_that_was_revoked_was_ended_and_others_were_not() {
    let site = Site::new().await;
    let id = signed_in(&site).await;
    assert!(!site.request(id).was_ended().await.unwrap());
    assert!(!site.visitor().was_ended().await.unwrap());

    site.sessions.of("ann").revoke_all().await.unwrap();
    assert!(site.request(id).was_ended().await.unwrap());
}

#[tokio::test]
async fn a_session_that_has_another_id_now_was_not_ended() {
    let site = Site::new().await;
    let old = signed_in(&site).await;
    let session = site.request(old);
    session.reauthenticated().await.unwrap();
    session.finish().await.unwrap();
    assert!(!site.request(old).was_ended().await.unwrap());
}

#[tokio::test]
async fn whoever_was_signed_out_elsewhere_signs_in_at_once_with_nothing_of_the_old_session() {
    let site = Site::new().await;
    let old = signed_in(&site).await;
    site.sessions.of("ann").revoke_all().await.unwrap();

    let session = site.request(old);
    session.sign_in("ann").await.unwrap();
    assert_eq!(session.principal().await.unwrap().as_deref(), Some("ann"));
    assert_eq!(session.get::<String>("theme").await.unwrap(), None);
    session.set("theme", "light").unwrap();
    let cookie = session.finish().await.unwrap().set_cookie.unwrap();
    let new = session.id().unwrap();
    assert!(new != old && cookie.contains(&new.to_string()));
    assert_eq!(site.read(new, "theme").await.as_deref(), Some("light"));
    assert_eq!(site.sessions.of("ann").count().await.unwrap(), 1);
    assert!(site.request(old).was_ended().await.unwrap(), "the old ID stays dead");
}

#[tokio::test]
async fn a_sign_in_that_was_under_way_when_its_session_was_ended_is_lost() {
    let site = Site::new().await;
    let id = signed_in(&site).await;
    let session = site.request(id);
    session.sign_in("ann").await.unwrap();
    site.log_out(id).await;
    assert!(session.finish().await.unwrap_err().is_destroyed());
    assert_eq!(site.sessions.of("ann").count().await.unwrap(), 0);
}

#[tokio::test]
async fn of_two_sign_ins_at_once_one_wins_whenever_the_other_looks() {
    let site = Site::new().await;
    let id = signed_in(&site).await;
    let winner = site.request(id);
    winner.sign_in("ann").await.unwrap();
    winner.finish().await.unwrap();
    let error = site.request(id).sign_in("ann").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Destroyed);
    assert_eq!(site.sessions.of("ann").count().await.unwrap(), 1);
}
