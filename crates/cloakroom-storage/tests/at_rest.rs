//! What is in a store whose keys are hashed and whose values are sealed, and who can use it.
#![cfg(all(feature = "encryption", feature = "hash-ids"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{
    Bytes, Driver, DynDriver, Encrypted, EncryptionKey, Error, ErrorKind, HashedKeys, ItemKey,
    KeyHasher, KeyRing, Resealed, SetOutcome, Version, When, conformance,
};
use futures_util::TryStreamExt as _;
use serde::Deserialize;

const ID: &str = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
const RECORD: &str = r#"[["Map",1,2],"cart",{"data":3},[4],"scarf"]"#;
/// What is written in the place of a session that has ended.
const TOMBSTONE: &str = "0";

fn id() -> ItemKey {
    ItemKey::new(ID).unwrap()
}

fn key(number: u8) -> EncryptionKey {
    EncryptionKey::new([number; 32])
}

fn sealing(store: &Arc<Memory>, keys: &[u8]) -> Encrypted<Arc<Memory>> {
    let ring = KeyRing::new(keys.iter().map(|number| key(*number))).unwrap();
    Encrypted::new(store.clone(), ring)
}

fn hashing(store: &Arc<Memory>) -> HashedKeys<Arc<Memory>> {
    HashedKeys::new(store.clone(), KeyHasher::hmac_sha256("a secret of its own").unwrap())
}

async fn put(driver: &impl Driver, key: &ItemKey, value: impl Into<Bytes>) -> Version {
    match driver.set(key, value.into(), When::Always, None).await.unwrap() {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a condition that was not made"),
    }
}

async fn read(driver: &impl Driver, key: &ItemKey) -> Option<Bytes> {
    driver.get(key).await.unwrap().map(|item| item.value)
}

async fn refusal(driver: &impl Driver, key: &ItemKey) -> Error {
    let error = driver.get(key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(!error.is_retryable());
    let told = driver.get_with_ttl(key).await.unwrap_err();
    assert_eq!(told.to_string(), error.to_string());
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(ID) && !shown.contains("scarf"), "{shown}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sealed_memory_conforms() {
    let store: DynDriver = Arc::new(sealing(&Arc::default(), &[1, 2]));
    conformance::run(|| async { store.clone() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_that_takes_plain_values_conforms() {
    let store: DynDriver = Arc::new(sealing(&Arc::default(), &[1]).accept_plain(true));
    conformance::run(|| async { store.clone() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_under_hashed_keys_conforms() {
    let store: DynDriver = Arc::new(hashing(&Arc::default()));
    conformance::run(|| async { store.clone() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_together_conform() {
    let sealed = sealing(&Arc::default(), &[1]);
    let store: DynDriver = Arc::new(HashedKeys::new(sealed, KeyHasher::sha256()));
    conformance::run(|| async { store.clone() }).await;
}

#[tokio::test]
async fn an_id_is_hashed_as_it_was_hashed_ever() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vector {
        id: String,
        secret: Option<String>,
        store_key: String,
    }
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("data/hashed-keys.json")).unwrap();
    for Vector { id, secret, store_key } in vectors {
        let hasher = match secret {
            Some(secret) => KeyHasher::hmac_sha256(secret).unwrap(),
            None => KeyHasher::sha256(),
        };
        let id = ItemKey::new(&id).unwrap();
        assert_eq!(hasher.hash(&id).unwrap().as_str(), store_key);
        let store = HashedKeys::new(Memory::new(), hasher);
        put(&store, &id, RECORD).await;
        let stored = ItemKey::new(&store_key).unwrap();
        assert_eq!(read(store.within(), &stored).await, Some(RECORD.into()));
    }
}

#[tokio::test]
async fn what_an_old_key_has_sealed_is_sealed_anew_with_its_deadline() {
    let store = Arc::default();
    let ttl = Some(Duration::from_secs(60));
    let old = sealing(&store, &[1]);
    _ = old.set(&id(), RECORD.into(), When::Always, ttl).await.unwrap();
    let ring = sealing(&store, &[2, 1]);
    assert_eq!(ring.reseal(&id()).await.unwrap(), Resealed::Anew);
    assert_eq!(ring.reseal(&id()).await.unwrap(), Resealed::Already);

    let new = sealing(&store, &[2]);
    let (item, left) = new.get_with_ttl(&id()).await.unwrap().unwrap();
    assert_eq!(item.value, RECORD);
    assert!(left.is_some() && left <= ttl && left > Some(Duration::from_secs(50)), "{left:?}");
    _ = refusal(&old, &id()).await;
    let nobody = ItemKey::new("nobody").unwrap();
    assert_eq!(new.reseal(&nobody).await.unwrap(), Resealed::Missing);
}

#[tokio::test]
async fn what_is_plain_is_sealed_where_that_is_accepted_alone() {
    let store = Arc::default();
    put(&store, &id(), RECORD).await;
    let sealed = sealing(&store, &[1]);
    assert_eq!(sealed.reseal(&id()).await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(read(&store, &id()).await, Some(RECORD.into()));
    assert_eq!(sealed.clone().accept_plain(true).reseal(&id()).await.unwrap(), Resealed::Anew);
    assert_eq!(read(&sealed, &id()).await, Some(RECORD.into()));
}

#[tokio::test]
async fn what_no_key_opens_is_not_sealed_anew() {
    let store = Arc::default();
    put(&sealing(&store, &[1]), &id(), RECORD).await;
    let before = read(&store, &id()).await;
    let error = sealing(&store, &[2]).reseal(&id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(read(&store, &id()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_writes_while_it_is_sealed_anew_loses_nothing() {
    const WRITES: u32 = 500;
    let store: Arc<Memory> = Arc::default();
    put(&sealing(&store, &[1]), &id(), "0").await;
    // One server that has the new key in front, and one that has it behind yet.
    let (ahead, behind) = (sealing(&store, &[2, 1]), sealing(&store, &[1, 2]));
    let writers = [ahead.clone(), behind].map(|store| {
        tokio::spawn(async move {
            let mut written = 0;
            while written < WRITES {
                let item = store.get(&id()).await.unwrap().unwrap();
                let count: u32 = std::str::from_utf8(&item.value).unwrap().parse().unwrap();
                let next = (count + 1).to_string();
                let when = When::Version(item.version);
                let outcome = store.set(&id(), next.into(), when, None).await.unwrap();
                written += u32::from(outcome != SetOutcome::Conflict);
            }
        })
    });
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        ahead.reseal(&id()).await.unwrap();
        tokio::task::yield_now().await;
    }
    ahead.reseal(&id()).await.unwrap();
    let count = read(&sealing(&store, &[2]), &id()).await.unwrap();
    assert_eq!(count, (2 * WRITES).to_string());
}

#[tokio::test]
async fn what_is_read_in_the_store_is_no_key_to_it() {
    let memory = Arc::new(Memory::new());
    let store = hashing(&memory);
    put(&store, &id(), RECORD).await;
    let listed: Vec<ItemKey> = store.within().keys("").try_collect().await.unwrap();
    let [stored] = listed.try_into().expect("one item");
    assert_ne!(stored, id());
    assert_eq!(read(&store, &stored).await, None);
    assert_eq!(read(&memory, &stored).await, Some(RECORD.into()));
}

#[tokio::test]
async fn hashed_keys_are_listed_all_or_none() {
    let store = hashing(&Arc::default());
    assert!(!store.capabilities().iteration);
    put(&store, &id(), RECORD).await;
    put(store.within(), &ItemKey::new("queue:jobs").unwrap(), "somebody else's").await;
    let listed: Vec<ItemKey> = store.keys("").try_collect().await.unwrap();
    assert_eq!(listed, [store.alias(&id()).unwrap()]);
    assert_eq!(read(&store, &listed[0]).await, Some(RECORD.into()));
    let error = store.keys("sess:").try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_secret_that_is_short_is_refused_and_none_is_shown() {
    let error = KeyHasher::hmac_sha256("hunter2").unwrap_err();
    let shown = format!("{error} {error:?} {:?}", KeyHasher::hmac_sha256("a secret of its own"));
    assert!(shown.contains("7 bytes") && shown.contains("HMAC"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("of its own"), "{shown}");
}

#[tokio::test]
async fn a_value_is_unreadable_in_the_store_and_never_twice_the_same() {
    let memory = Arc::new(Memory::new());
    let store = sealing(&memory, &[1]);
    put(&store, &id(), RECORD).await;
    let first = read(&memory, &id()).await.unwrap();
    put(&store, &id(), RECORD).await;
    let second = read(&memory, &id()).await.unwrap();
    assert_ne!(first, second);
    for sealed in [first, second] {
        let text = std::str::from_utf8(&sealed).unwrap();
        assert!(text.starts_with("sealed.1.") && !text.contains("scarf"), "{text}");
    }
    assert_eq!(read(&store, &id()).await, Some(RECORD.into()));
}

#[tokio::test]
async fn a_record_under_another_key_does_not_open_and_stays() {
    let memory = Arc::new(Memory::new());
    let (store, other) = (sealing(&memory, &[1]), ItemKey::new("other").unwrap());
    put(&store, &id(), RECORD).await;
    let moved = read(&memory, &id()).await.unwrap();
    put(&memory, &other, moved.clone()).await;
    assert!(refusal(&store, &other).await.to_string().contains("sealed for another item"));
    assert_eq!(read(&memory, &other).await, Some(moved));
    // It can be written over and removed, by who means to.
    put(&store, &other, RECORD).await;
    assert_eq!(read(&store, &other).await, Some(RECORD.into()));
}

#[tokio::test]
async fn keys_are_changed_while_everything_runs() {
    let memory = Arc::new(Memory::new());
    let (one, both, turned, two) = (
        sealing(&memory, &[1]),
        sealing(&memory, &[1, 2]),
        sealing(&memory, &[2, 1]),
        sealing(&memory, &[2]),
    );
    let (old, new) = (ItemKey::new("old").unwrap(), ItemKey::new("new").unwrap());
    put(&one, &old, RECORD).await;
    put(&both, &new, RECORD).await;
    assert_eq!(read(&one, &new).await, Some(RECORD.into()), "the first key still seals");
    put(&turned, &new, RECORD).await;
    for store in [&both, &turned] {
        assert_eq!(read(store, &old).await, Some(RECORD.into()));
        assert_eq!(read(store, &new).await, Some(RECORD.into()));
    }
    assert_eq!(read(&two, &new).await, Some(RECORD.into()));
    let error = refusal(&two, &old).await.to_string();
    let (missing, there) = (key(1).id().to_owned(), key(2).id().to_owned());
    assert!(error.contains(&format!("sealed with the key {missing}")), "{error}");
    assert!(error.contains(&format!("({there}); where no item opens, these are the wrong keys")));
}

#[test]
fn a_ring_has_a_key_and_none_twice() {
    assert_eq!(KeyRing::new([]).unwrap_err().kind(), ErrorKind::InvalidOptions);
    assert!(KeyRing::new([key(1), key(2), key(1)]).unwrap_err().to_string().contains("twice"));
}

#[tokio::test]
async fn plain_values_are_taken_where_that_is_said_and_sealed_when_they_are_written() {
    let memory = Arc::new(Memory::new());
    put(&memory, &id(), RECORD).await;
    let strict = sealing(&memory, &[1]);
    assert!(refusal(&strict, &id()).await.to_string().contains("not sealed"));
    let lenient = sealing(&memory, &[1]).accept_plain(true);
    let item = lenient.get(&id()).await.unwrap().unwrap();
    assert_eq!(item.value, RECORD);
    let when = When::Version(item.version);
    let written = lenient.set(&id(), RECORD.into(), when, None).await.unwrap();
    assert_ne!(written, SetOutcome::Conflict);
    assert_eq!(read(&strict, &id()).await, Some(RECORD.into()));
    // What was meant to be sealed is never taken for plain.
    put(&memory, &id(), "sealed.1.AAAAAAAA.AAAA").await;
    refusal(&lenient, &id()).await;
}

#[tokio::test]
async fn a_tombstone_is_sealed_too_and_an_old_version_does_not_get_past_it() {
    let memory = Arc::new(Memory::new());
    let store = sealing(&memory, &[1]);
    let seen = put(&store, &id(), RECORD).await;
    let minute = Some(Duration::from_secs(60));
    let retire = store.set(&id(), TOMBSTONE.into(), When::Version(seen.clone()), minute).await;
    assert_ne!(retire.unwrap(), SetOutcome::Conflict);
    assert_ne!(read(&memory, &id()).await, Some(TOMBSTONE.into()));
    let late = store.set(&id(), RECORD.into(), When::Version(seen), None).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
    let (item, ttl) = store.get_with_ttl(&id()).await.unwrap().unwrap();
    assert_eq!(item.value, TOMBSTONE);
    assert!(ttl.unwrap() <= Duration::from_secs(60));
}
