//! What has not happened is not told, and what nobody is sure of is told when somebody is.

use cloakroom_session::adapter::Scope;
use cloakroom_session::storage::ErrorKind;
use cloakroom_session::{EventKind, Session};

use super::Watched;

#[tokio::test]
async fn a_request_that_fails_has_signed_in_nobody() {
    let mut watched = Watched::new();
    let visit = watched.visited().await;
    for saves in [false, true] {
        let session = watched.site.next(&visit);
        session.sign_in("ann").await.unwrap();
        if saves {
            // It is written, and taken back.
            session.save().await.unwrap();
        }
        session.set("cart", "scarf").unwrap();
        watched.site.store().fail_writes(Some(ErrorKind::StorageFull));
        watched.site.commit(&session).await.unwrap_err();
        watched.site.store().fail_writes(None);
        drop(session);
        assert_eq!(watched.kinds(), [], "saved: {saves}");
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_has_done_nothing() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let session = watched.site.next(&committed);
    session.reauthenticated().await.unwrap();
    session.save().await.unwrap();
    drop(session);
    let session = watched.site.next(&committed);
    session.get::<String>("cart").await.unwrap();
    session.sign_out();
    drop(session);
    assert_eq!(watched.kinds(), []);
}

#[tokio::test]
async fn a_client_that_goes_away_has_signed_in_to_nothing_and_signed_out_all_the_same() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let gives_up = async |session: Session, watched: &Watched| {
        let held = watched.site.store().hold_next_write();
        let finishing = Scope::Session(session).finish();
        tokio::select! {
            biased;
            _ = finishing => panic!("it waits for the store"),
            () = held.arrived() => {}
        }
    };
    let session = watched.site.session();
    session.sign_in("bob").await.unwrap();
    gives_up(session, &watched).await;
    let session = watched.site.next(&committed);
    session.sign_out();
    gives_up(session, &watched).await;
    // What was held back goes on by itself.
    let event = watched.events.recv().await.unwrap().unwrap();
    assert_eq!((event.kind, event.principal.as_deref()), (EventKind::SignedOut, Some("ann")));
    assert_eq!(watched.kinds(), []);
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_whose_answer_was_lost_is_told_once_it_is_known() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let session = watched.site.next(&committed);
    session.get::<String>("cart").await.unwrap();
    session.sign_out();
    watched.site.store().lose_next_answer();
    watched.site.commit(&session).await.unwrap_err();
    assert_eq!(watched.kinds(), [], "nobody knows yet");
    let event = watched.events.recv().await.unwrap().unwrap();
    assert_eq!((event.kind, event.principal.as_deref()), (EventKind::SignedOut, Some("ann")));
    drop(session);
    assert_eq!(watched.kinds(), [], "told once");
}
