//! Who reads events: programs at their own pace, and a log.

use cloakroom_session::adapter::Commit;
use cloakroom_session::{EventKind, Missed, OutagePolicy, RevokedBy, SessionHash, SessionId};
use futures_util::FutureExt as _;

use super::{Watched, hash, id};
use crate::common::log::Log;

#[tokio::test]
async fn a_reader_who_does_nothing_slows_nobody_and_is_told_how_many_it_missed() {
    const KEPT: u64 = 1024;
    const MORE: u64 = 76;
    let mut watched = Watched::new();
    let mut other = watched.site.sessions().events();
    for _ in 0..KEPT + MORE {
        let session = watched.site.session();
        session.set("cart", "hat").unwrap();
        session.finish().await.unwrap();
        assert_eq!(other.recv().await.unwrap().unwrap().kind, EventKind::Created);
    }
    assert_eq!(watched.events.recv().await.unwrap().unwrap_err(), Missed(MORE));
    for _ in 0..KEPT {
        assert_eq!(watched.events.recv().await.unwrap().unwrap().kind, EventKind::Created);
    }
    assert!(watched.events.recv().now_or_never().is_none());
}

#[tokio::test]
async fn the_events_end_with_the_sessions() {
    let Watched { site, mut events } = Watched::new();
    drop(site);
    assert!(events.recv().await.is_none());
}

#[tokio::test]
async fn no_event_shows_an_id_or_a_principal_in_a_log() {
    let mut watched = Watched::with(|config| config.max_sessions = Some(1));
    let mut shown = String::new();
    // Before anything is logged, since `tracing` may miss what another test logs for the first time at this moment.
    let first = watched.signed_in("ann@example.com").await;
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.clone());
    let second = watched.signs_in(&watched.site.session(), "ann@example.com").await;
    let session = watched.site.next(&second);
    session.reauthenticated().await.unwrap();
    let third = watched.site.commit(&session).await.unwrap();
    let anns = watched.site.sessions().of("ann@example.com");
    anns.by("support: bob").revoke_all().await.unwrap();
    for event in watched.events() {
        shown += &format!("{event:?} {event:#?}");
    }
    for name in ["created", "signed_in", "evicted", "reauthenticated", "revoked"] {
        assert!(log.text().contains(&format!("event=\"session.{name}\"")), "{}", log.text());
    }
    assert!(log.text().contains("support: bob"));
    for text in [log.text(), shown] {
        for committed in [&first, &second, &third] {
            assert!(!text.contains(&id(committed).to_string()), "{text}");
            assert!(text.contains(&hash(committed).to_string()), "{text}");
        }
        assert!(!text.contains("ann@example.com"), "{text}");
    }
}

#[test]
fn a_hash_is_what_debug_shows_of_the_id() {
    let id = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    assert_eq!(format!("{id:?}"), format!("SessionId({})", SessionHash::from(id)));
}

/// Where a session that is listed has no ID.
#[cfg(feature = "hash-ids")]
#[tokio::test]
async fn a_session_has_one_hash_whether_or_not_the_store_knows_its_id() {
    let hasher = cloakroom_session::storage::KeyHasher::sha256();
    let mut watched = Watched::with(|config| config.hash_ids = Some(hasher));
    watched.signs_in(&watched.site.session(), "ann").await;
    watched.site.sessions().of("ann").revoke_all().await.unwrap();
    let events = watched.events();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event.session == events[0].session), "{events:?}");
}

#[test]
fn each_event_is_in_the_table_with_its_name() {
    let table = include_str!("../../../../../docs/events.md");
    let by = RevokedBy::Unknown;
    for kind in [
        EventKind::Created,
        EventKind::SignedIn,
        EventKind::Reauthenticated,
        EventKind::Regenerated,
        EventKind::SignedOut,
        EventKind::Destroyed,
        EventKind::Revoked { by },
        EventKind::SignInRefused,
        EventKind::Evicted,
        EventKind::DestroyedElsewhere,
        EventKind::Expired,
        EventKind::Over,
        EventKind::Corrupt,
        EventKind::Quarantined,
        EventKind::Degraded { policy: OutagePolicy::Anonymous },
        EventKind::Revived,
    ] {
        assert!(table.contains(&format!("| `{}` |", kind.name())), "{}", kind.name());
    }
}
