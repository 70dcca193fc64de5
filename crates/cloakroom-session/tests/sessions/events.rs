//! What an audit log is told: everything that has happened, once, after it has, and nothing that has not.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cloakroom_session::adapter::{Commit, Scope};
use cloakroom_session::storage::{Driver, ErrorKind, ItemKey, When};
use cloakroom_session::testing::{Committed, TestSite};
use cloakroom_session::{
    Config, CorruptPolicy, Event, EventKind, Events, Missed, OutagePolicy, RevokedBy, Session,
    SessionHash, SessionId, WhenFull,
};
use futures_util::FutureExt as _;

use crate::common::log::Log;

/// A site, and what it has told.
struct Watched {
    site: TestSite,
    events: Events,
}

impl Watched {
    fn new() -> Watched {
        Watched::with(|_| {})
    }

    fn with(configure: impl FnOnce(&mut Config)) -> Watched {
        let mut config = Config::new("memory");
        configure(&mut config);
        let site = TestSite::with(config);
        let events = site.sessions().events();
        Watched { site, events }
    }

    /// What it was told since the last time.
    fn events(&mut self) -> Vec<Event> {
        let mut told = Vec::new();
        while let Some(next) = self.events.recv().now_or_never() {
            told.push(next.unwrap().unwrap());
        }
        told
    }

    fn kinds(&mut self) -> Vec<EventKind> {
        self.events().into_iter().map(|event| event.kind).collect()
    }

    /// A request that signs in, in this session.
    async fn signs_in(&self, session: &Session, principal: &str) -> Committed {
        session.sign_in(principal).await.unwrap();
        self.site.commit(session).await.unwrap()
    }

    /// As a new visitor, whom nobody is told of.
    async fn signed_in(&mut self, principal: &str) -> Committed {
        let committed = self.signs_in(&self.site.session(), principal).await;
        self.events();
        committed
    }

    /// A session of nobody's, of which nobody is told.
    async fn visited(&mut self) -> Committed {
        let session = self.site.session();
        session.set("cart", "hat").unwrap();
        let committed = self.site.commit(&session).await.unwrap();
        self.events();
        committed
    }

    async fn stored(&self, committed: &Committed) -> Option<Vec<u8>> {
        let store = self.site.store().undisturbed();
        Some(store.get(&key(committed)).await.unwrap()?.value.to_vec())
    }

    /// As a program that asks for nothing.
    async fn overwrites(&self, committed: &Committed, text: impl Into<Vec<u8>>) {
        let store = self.site.store().undisturbed();
        let written = store.set(&key(committed), text.into().into(), When::Always, None).await;
        _ = written.unwrap();
    }
}

fn id(committed: &Committed) -> SessionId {
    committed.id().unwrap()
}

fn hash(committed: &Committed) -> SessionHash {
    id(committed).into()
}

fn key(committed: &Committed) -> ItemKey {
    ItemKey::new(&id(committed).to_string()).unwrap()
}

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
    let table = include_str!("../../../../docs/events.md");
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
