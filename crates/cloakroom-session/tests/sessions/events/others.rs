//! What is done to a session by others: its principal elsewhere, another program, the store, time.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_session::{CorruptPolicy, EventKind, OutagePolicy, RevokedBy, WhenFull};

use super::{Watched, hash};

#[tokio::test]
async fn a_revocation_says_who_wanted_it() {
    let mut watched = Watched::new();
    let sessions = watched.site.sessions().clone();
    let anns = sessions.of("ann");

    let phone = watched.signed_in("ann").await;
    let handle = anns.list().await.unwrap()[0].handle();
    assert!(anns.revoke(handle).await.unwrap());
    let events = watched.events();
    let [revoked] = &events[..] else { panic!("{events:?}") };
    assert_eq!(revoked.kind, EventKind::Revoked { by: RevokedBy::Principal });
    assert_eq!(revoked.session, hash(&phone));
    assert_eq!(revoked.principal.as_deref(), Some("ann"));

    watched.signed_in("ann").await;
    assert_eq!(anns.clone().by("support: bob").revoke_all().await.unwrap(), 1);
    let by = RevokedBy::Other(Arc::from("support: bob"));
    assert_eq!(watched.kinds(), [EventKind::Revoked { by }]);

    let phone = watched.signed_in("ann").await;
    let laptop = watched.signed_in("ann").await;
    assert_eq!(anns.revoke_others(&watched.site.next(&laptop)).await.unwrap(), 1);
    let events = watched.events();
    let [revoked] = &events[..] else { panic!("{events:?}") };
    assert_eq!(revoked.kind, EventKind::Revoked { by: RevokedBy::Session(hash(&laptop)) });
    assert_eq!(revoked.session, hash(&phone));
}

#[tokio::test]
async fn an_entry_whose_session_has_ended_already_is_not_revoked() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let session = watched.site.next(&committed);
    session.sign_out();
    watched.site.commit(&session).await.unwrap();
    assert_eq!(watched.kinds(), [EventKind::SignedOut]);
    watched.site.sessions().of("ann").revoke_all().await.unwrap();
    assert_eq!(watched.kinds(), []);
}

#[tokio::test]
async fn what_was_begun_to_be_revoked_is_told_by_whoever_finishes_it() {
    let mut watched = Watched::new();
    watched.signed_in("ann").await;
    let anns = watched.site.sessions().of("ann");
    // The mark in the index is written, and nothing after it.
    let held = [watched.site.store().hold_next_write(), watched.site.store().hold_next_write()];
    let revoking = tokio::spawn({
        let anns = anns.clone();
        async move { anns.by("support: bob").revoke_all().await }
    });
    let [marks, retires] = held;
    marks.arrived().await;
    drop(marks);
    retires.arrived().await;
    revoking.abort();
    assert!(revoking.await.unwrap_err().is_cancelled());
    assert_eq!(watched.kinds(), []);
    assert_eq!(anns.list().await.unwrap().len(), 0);
    assert_eq!(watched.kinds(), [EventKind::Revoked { by: RevokedBy::Unknown }]);
}

#[tokio::test]
async fn a_sign_in_that_is_one_too_many_is_refused_or_ends_the_oldest() {
    let mut watched = Watched::with(|config| {
        config.max_sessions = Some(1);
        config.when_full = WhenFull::Refuse;
    });
    watched.signed_in("ann").await;
    let visit = watched.visited().await;
    let session = watched.site.next(&visit);
    session.sign_in("ann").await.unwrap_err();
    watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let [refused] = &events[..] else { panic!("{events:?}") };
    assert_eq!(refused.kind, EventKind::SignInRefused);
    assert_eq!(refused.session, hash(&visit));
    assert_eq!(refused.principal.as_deref(), Some("ann"));

    let mut watched = Watched::with(|config| config.max_sessions = Some(1));
    let oldest = watched.signed_in("ann").await;
    watched.signs_in(&watched.site.session(), "ann").await;
    let events = watched.events();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(kinds, [EventKind::Evicted, EventKind::Created, EventKind::SignedIn]);
    assert_eq!(events[0].session, hash(&oldest));
    assert_eq!(events[0].principal.as_deref(), Some("ann"));
}

/// Nobody had the chance to refuse it.
#[tokio::test]
async fn a_session_too_many_that_an_astro_site_has_signed_in_is_evicted() {
    let mut watched = Watched::with(|config| {
        config.principal = Some("user".into());
        config.max_sessions = Some(1);
        config.when_full = WhenFull::Refuse;
    });
    let session = watched.site.session();
    session.set("user", "ann").unwrap();
    watched.site.commit(&session).await.unwrap();
    let elsewhere = watched.visited().await;
    let astros = r#"[["Map",1,2],"user",{"data":3,"expires":-1},"ann"]"#;
    watched.overwrites(&elsewhere, astros).await;
    let session = watched.site.next(&elsewhere);
    session.get::<String>("user").await.unwrap();
    watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let [evicted] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&evicted.kind, evicted.session), (&EventKind::Evicted, hash(&elsewhere)));
    assert_eq!(evicted.principal.as_deref(), Some("ann"));
}

#[tokio::test]
async fn changes_that_were_dropped_are_told() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let session = watched.site.next(&committed);
    session.get::<String>("cart").await.unwrap();
    watched.site.sessions().of("ann").revoke_all().await.unwrap();
    watched.events();
    session.set("cart", "hat").unwrap();
    watched.site.commit(&session).await.unwrap();
    let events = watched.events();
    let [dropped] = &events[..] else { panic!("{events:?}") };
    assert_eq!(dropped.kind, EventKind::DestroyedElsewhere);
    assert_eq!(dropped.session, hash(&committed));
    assert_eq!(dropped.principal.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_session_whose_time_passes_is_told_where_somebody_sees_it() {
    let mut watched = Watched::with(|config| config.idle = Some(Duration::from_secs(60)));
    let committed = watched.visited().await;
    let session = watched.site.next(&committed);
    session.get::<String>("cart").await.unwrap();
    watched.site.advance(Duration::from_secs(61));
    session.set("cart", "scarf").unwrap();
    watched.site.commit(&session).await.unwrap();
    assert_eq!(watched.kinds(), [EventKind::Expired, EventKind::Created]);

    let mut watched = Watched::with(|config| config.absolute = Some(Duration::from_secs(60)));
    let committed = watched.signed_in("ann").await;
    // Without its deadline, as a JavaScript writer leaves it.
    let stored = watched.stored(&committed).await.unwrap();
    watched.overwrites(&committed, stored).await;
    watched.site.advance(Duration::from_secs(61));
    watched.site.next(&committed).get::<String>("cart").await.unwrap();
    let events = watched.events();
    let [over] = &events[..] else { panic!("{events:?}") };
    assert_eq!(over.kind, EventKind::Over);
    assert_eq!(over.principal.as_deref(), Some("ann"));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_is_told_and_that_it_was_moved_aside() {
    let mut watched = Watched::with(|config| config.corrupt = CorruptPolicy::Quarantine);
    let committed = watched.visited().await;
    watched.overwrites(&committed, "[[\"Map\",1,2],\"ca").await;
    watched.site.next(&committed).get::<String>("cart").await.unwrap();
    let events = watched.events();
    assert!(events.iter().all(|event| event.session == hash(&committed)));
    let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Corrupt, EventKind::Quarantined]);
}

#[tokio::test]
async fn a_request_that_goes_on_without_the_store_is_told() {
    let policy = OutagePolicy::Anonymous;
    let mut watched = Watched::with(|config| config.outage = policy);
    let committed = watched.visited().await;
    watched.site.store_down(true);
    let session = watched.site.next(&committed);
    session.get::<String>("cart").await.unwrap();
    session.get::<String>("cart").await.unwrap();
    assert_eq!(watched.kinds(), [EventKind::Degraded { policy }]);
}

#[tokio::test]
async fn a_session_that_was_brought_back_is_told() {
    let mut watched = Watched::new();
    let committed = watched.signed_in("ann").await;
    let stored = watched.stored(&committed).await.unwrap();
    let session = watched.site.next(&committed);
    session.sign_out();
    watched.site.commit(&session).await.unwrap();
    watched.overwrites(&committed, stored).await;
    assert_eq!(watched.site.next(&committed).principal().await.unwrap(), None);
    let events = watched.events();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(kinds, [EventKind::SignedOut, EventKind::Revived]);
    assert!(events.iter().all(|event| event.principal.as_deref() == Some("ann")));
}
