//! The life of one session: what a request of its own does to it.

use std::time::{Duration, SystemTime};

use cloakroom_session::EventKind;

use super::{Watched, hash};

#[tokio::test]
async fn a_session_begins_with_its_first_write_and_only_then() {
    let mut watched = Watched::new();
    let session = watched.site.session();
    session.get::<String>("cart").await.unwrap();
    session.set("cart", "hat").unwrap();
    session.save().await.unwrap();
    assert_eq!(watched.kinds(), [], "nobody has been told of it");
    let committed = watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let [created] = &events[..] else { panic!("{events:?}") };
    assert_eq!(created.kind, EventKind::Created);
    assert_eq!(created.session, hash(&committed));
    assert_eq!((&created.principal, created.previous), (&None, None));
    assert_eq!(created.at, SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_000));

    let session = watched.site.next(&committed);
    session.get::<String>("cart").await.unwrap();
    session.set("cart", "scarf").unwrap();
    watched.site.commit(&session).await.unwrap();
    assert_eq!(watched.kinds(), [], "a request like any other");
}

#[tokio::test]
async fn a_sign_in_says_who_and_which_session_it_was_before() {
    let mut watched = Watched::new();
    let visit = watched.visited().await;
    let committed = watched.signs_in(&watched.site.next(&visit), "ann").await;
    let events = watched.events();
    let [signed_in] = &events[..] else { panic!("{events:?}") };
    assert_eq!(signed_in.kind, EventKind::SignedIn);
    assert_eq!(signed_in.principal.as_deref(), Some("ann"));
    assert_eq!(signed_in.session, hash(&committed));
    assert_eq!(signed_in.previous, Some(hash(&visit)));
}

#[tokio::test]
async fn a_visitor_without_a_session_begins_one_and_signs_in() {
    let mut watched = Watched::new();
    watched.signs_in(&watched.site.session(), "ann").await;
    assert_eq!(watched.kinds(), [EventKind::Created, EventKind::SignedIn]);
}

#[tokio::test]
async fn a_new_id_is_told_by_what_it_was_for() {
    let mut watched = Watched::new();
    let before = watched.signed_in("ann").await;
    let session = watched.site.next(&before);
    session.regenerate().await.unwrap();
    let between = watched.site.commit(&session).await.unwrap();
    let session = watched.site.next(&between);
    session.reauthenticated().await.unwrap();
    session.regenerate().await.unwrap();
    let after = watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let told: Vec<_> = events.iter().map(|event| (&event.kind, event.previous)).collect();
    let expected = [
        (&EventKind::Regenerated, Some(hash(&before))),
        (&EventKind::Reauthenticated, Some(hash(&between))),
    ];
    assert_eq!(told, expected);
    assert_eq!(events[1].session, hash(&after));
    assert!(events.iter().all(|event| event.principal.as_deref() == Some("ann")));
}

#[tokio::test]
async fn who_has_a_principal_signs_out_and_who_has_none_is_destroyed() {
    let mut watched = Watched::new();
    for (committed, kind, principal) in [
        (watched.signed_in("ann").await, EventKind::SignedOut, Some("ann")),
        (watched.visited().await, EventKind::Destroyed, None),
    ] {
        let session = watched.site.next(&committed);
        session.sign_out();
        assert_eq!(watched.kinds(), [], "not before it is done");
        watched.site.commit(&session).await.unwrap();
        let events = watched.events();
        let [ended] = &events[..] else { panic!("{events:?}") };
        assert_eq!((&ended.kind, ended.principal.as_deref()), (&kind, principal));
        assert_eq!(ended.session, hash(&committed));
    }
}

#[tokio::test]
async fn who_signs_in_as_another_has_ended_the_session_of_the_first() {
    let mut watched = Watched::new();
    let anns = watched.signed_in("ann").await;
    let session = watched.site.next(&anns);
    watched.signs_in(&session, "bob").await;
    let told = watched.events();
    let told: Vec<_> =
        told.iter().map(|event| (event.kind.clone(), event.principal.as_deref())).collect();
    assert!(told.contains(&(EventKind::SignedOut, Some("ann"))), "{told:?}");
    assert!(told.contains(&(EventKind::SignedIn, Some("bob"))), "{told:?}");
}

#[tokio::test]
async fn who_signs_in_and_out_in_one_request_has_ended_the_session_from_before() {
    let mut watched = Watched::new();
    let visit = watched.visited().await;
    let session = watched.site.next(&visit);
    session.sign_in("ann").await.unwrap();
    session.save().await.unwrap();
    session.sign_out();
    watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let [ended] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&ended.kind, ended.session), (&EventKind::Destroyed, hash(&visit)));
}

#[tokio::test]
async fn what_never_was_has_not_ended() {
    let mut watched = Watched::new();
    let session = watched.site.session();
    session.set("cart", "hat").unwrap();
    session.save().await.unwrap();
    session.destroy();
    watched.site.commit(&session).await.unwrap();
    let nobody = "astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
    let cookie = http::HeaderValue::from_static(nobody);
    let session = watched.site.sessions().session(cookie);
    session.destroy();
    watched.site.commit(&session).await.unwrap();
    assert_eq!(watched.kinds(), []);
}

#[tokio::test]
async fn where_an_entry_says_whose_a_session_is_whoever_sets_it_signs_in() {
    let mut watched = Watched::with(|config| config.principal = Some("user".into()));
    let visit = watched.visited().await;
    let session = watched.site.next(&visit);
    session.set("user", "ann").unwrap();
    let committed = watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let [signed_in] = &events[..] else { panic!("{events:?}") };
    assert_eq!(signed_in.kind, EventKind::SignedIn);
    assert_eq!(signed_in.session, hash(&visit));
    assert_eq!(signed_in.principal.as_deref(), Some("ann"));

    let session = watched.site.next(&committed);
    session.set("cart", "scarf").unwrap();
    session.regenerate().await.unwrap();
    watched.site.commit(&session).await.unwrap();
    assert_eq!(watched.kinds(), [EventKind::Regenerated]);
}

#[tokio::test]
async fn events_come_in_the_order_in_which_it_happened() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let session = watched.site.next(&committed);
    session.sign_out();
    session.sign_in("bob").await.unwrap();
    watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let told = events.iter().map(|event| (event.kind.name(), event.principal.as_deref()));
    let expected = [
        ("session.signed_out", Some("ann")),
        ("session.created", Some("bob")),
        ("session.signed_in", Some("bob")),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
