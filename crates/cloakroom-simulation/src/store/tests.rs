use std::time::Duration;

use cloakroom_storage::{SetOutcome, When};

use super::{Reply, Store, StoreRequest};
use crate::history::{Setup, Versions};
use crate::trace::Id;

const NOW: Duration = Duration::from_secs(100);

fn store(versions: Versions) -> Store {
    Store::new(&Setup { versions, ..Setup::plain(1) }, Vec::new(), 1)
}

fn set(store: &mut Store, value: &'static str, when: When, ttl: Option<Duration>) -> Reply {
    let request = StoreRequest::Set { value: value.into(), content: None, when, ttl };
    store.apply(Id(0), request, NOW).0
}

fn version(reply: &Reply) -> cloakroom_storage::Version {
    match reply {
        Reply::Set(SetOutcome::Written { version }) => version.clone(),
        _ => panic!("nothing was written"),
    }
}

fn is_there(store: &mut Store, now: Duration) -> bool {
    matches!(store.apply(Id(0), StoreRequest::Get, now).0, Reply::Item(Some(_)))
}

#[test]
fn a_condition_holds_for_what_is_there_alone() {
    let mut store = store(Versions::Counter);
    let first = set(&mut store, "one", When::Absent, None);
    assert!(matches!(set(&mut store, "two", When::Absent, None), Reply::Set(SetOutcome::Conflict)));
    let when = When::Version(version(&first));
    version(&set(&mut store, "two", when.clone(), None));
    assert!(matches!(set(&mut store, "three", when, None), Reply::Set(SetOutcome::Conflict)));
}

#[test]
fn the_same_bytes_are_the_same_version_where_bytes_are_versions() {
    for (versions, is_same) in [(Versions::Bytes, true), (Versions::Counter, false)] {
        let mut store = store(versions);
        let first = version(&set(&mut store, "one", When::Always, None));
        let again = version(&set(&mut store, "one", When::Always, None));
        assert_eq!(first == again, is_same);
    }
}

#[test]
fn what_has_expired_is_not_there_from_the_very_moment_on() {
    let mut store = store(Versions::Counter);
    set(&mut store, "one", When::Always, Some(Duration::from_secs(2)));
    assert!(is_there(&mut store, NOW + Duration::from_millis(1_999)));
    assert!(!is_there(&mut store, NOW + Duration::from_secs(2)));
    version(&set(&mut store, "two", When::Absent, None));
}

#[test]
fn a_full_store_takes_removals_and_no_writes() {
    let mut store = store(Versions::Counter);
    set(&mut store, "one", When::Always, None);
    store.full_until = NOW + Duration::from_secs(1);
    assert!(matches!(set(&mut store, "two", When::Always, None), Reply::NoRoom));
    store.apply(Id(0), StoreRequest::Remove(When::Always), NOW);
    assert!(!is_there(&mut store, NOW));
}
