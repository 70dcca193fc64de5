//! What a store of digests makes of the rules, request by request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use super::*;

/// A store whose reads lag behind: it shows an item that another has long written over.
struct Lagging;

#[async_trait]
impl Conditional for Lagging {
    async fn read(&self, _: &ItemKey) -> Result<Option<Stored>> {
        Ok(Some(Stored { value: "old".into(), tag: old() }))
    }
    async fn look(&self, _: &ItemKey) -> Result<Option<Tag>> {
        Ok(Some(old()))
    }
    async fn write(
        &self,
        _: &ItemKey,
        _: &Bytes,
        _: Option<Expiry>,
        _: Condition<'_>,
    ) -> Result<Option<String>> {
        Ok(None)
    }
    async fn delete(&self, _: &ItemKey, _: Option<&str>) -> Result<Deleted> {
        Ok(Deleted::Refused)
    }
}

fn old() -> Tag {
    Tag { etag: "1".to_owned(), expiry: None }
}

#[tokio::test]
async fn an_etag_that_was_refused_is_not_tried_for_ever() {
    let key = ItemKey::new("id").expect("a key");
    let when = When::Version(old().version(b"old"));
    let set = set(&Lagging, &key, &"new".into(), &when, None).await.expect("an answer");
    assert_eq!(set, SetOutcome::Conflict);
    let removed = remove(&Lagging, &key, &when).await.expect("an answer");
    assert_eq!(removed, RemoveOutcome::Conflict);
}

/// A store whose ETags are the bytes themselves.
#[derive(Default)]
struct Digests {
    items: Mutex<HashMap<ItemKey, (Bytes, Option<Expiry>)>>,
    /// What happens while the next write on an ETag is on its way.
    meanwhile: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Digests {
    fn holds(&self, key: &ItemKey) -> Option<Bytes> {
        self.items.lock().expect("not poisoned").get(key).map(|(value, _)| value.clone())
    }

    fn put(&self, key: &ItemKey, value: &'static str, expiry: Option<Expiry>) -> String {
        self.items.lock().expect("not poisoned").insert(key.clone(), (value.into(), expiry));
        etag(value.as_bytes())
    }

    fn meanwhile(&self, what: impl Future<Output = ()> + Send + 'static) {
        *self.meanwhile.lock().expect("not poisoned") = Some(Box::pin(what));
    }
}

fn etag(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[async_trait]
impl Conditional for Digests {
    const DIGESTS: bool = true;

    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let found = self.items.lock().expect("not poisoned").get(key).cloned();
        Ok(found.map(|(value, expiry)| Stored { tag: Tag { etag: etag(&value), expiry }, value }))
    }

    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        Ok(self.read(key).await?.map(|found| found.tag))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>> {
        if let Condition::Match(_) = condition {
            let meanwhile = self.meanwhile.lock().expect("not poisoned").take();
            if let Some(meanwhile) = meanwhile {
                meanwhile.await;
            }
        }
        let mut items = self.items.lock().expect("not poisoned");
        let found = items.get(key).map(|(value, _)| etag(value));
        let holds = match condition {
            Condition::None => true,
            Condition::Absent => found.is_none(),
            Condition::Match(etag) => found.as_deref() == Some(etag),
        };
        if holds {
            items.insert(key.clone(), (value.clone(), expiry));
        }
        Ok(holds.then(|| etag(value)))
    }

    async fn delete(&self, key: &ItemKey, wanted: Option<&str>) -> Result<Deleted> {
        let mut items = self.items.lock().expect("not poisoned");
        let found = items.get(key).map(|(value, _)| etag(value));
        match found {
            None => Ok(Deleted::Missing),
            Some(found) if wanted.is_some_and(|wanted| wanted != found) => Ok(Deleted::Refused),
            Some(_) => {
                items.remove(key);
                Ok(Deleted::Yes)
            }
        }
    }
}

const LONG: Option<Duration> = Some(Duration::from_secs(3600));

/// A store in which `{}` has expired.
fn expired() -> (Arc<Digests>, ItemKey, String) {
    let (store, key) = (Arc::new(Digests::default()), ItemKey::new("id").expect("a key"));
    let etag = store.put(&key, "{}", Some(Expiry::now()));
    (store, key, etag)
}

/// Writes the bytes anew that have expired, beside what the test does.
fn create(store: &Arc<Digests>, key: &ItemKey) -> tokio::task::JoinHandle<SetOutcome> {
    let (store, key) = (store.clone(), key.clone());
    tokio::spawn(async move {
        set(&*store, &key, &"{}".into(), &When::Absent, LONG).await.expect("an answer")
    })
}

async fn until_buried(store: &Digests, key: &ItemKey) {
    while !store.holds(key).is_some_and(|value| is_tombstone(&value)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_spares_an_item_of_the_same_bytes_that_is_made_meanwhile() {
    let (store, key, etag) = expired();
    let (made, (other, others)) = (Arc::new(Mutex::new(None)), (store.clone(), key.clone()));
    let created = made.clone();
    store.meanwhile(async move {
        *created.lock().expect("not poisoned") = Some(create(&other, &others));
        until_buried(&other, &others).await;
    });
    let swept = delete_all(&*store, vec![(key.clone(), etag)]).await.expect("an answer");
    assert_eq!(swept, 0);
    let made = made.lock().expect("not poisoned").take().expect("it was begun");
    assert!(matches!(made.await.expect("no panic"), SetOutcome::Written { .. }));
    assert_eq!(store.holds(&key), Some("{}".into()));
}

#[tokio::test(start_paused = true)]
async fn of_two_who_make_the_bytes_anew_that_have_expired_one_does() {
    let (store, key, _) = expired();
    let (made, (other, others)) = (Arc::new(Mutex::new(None)), (store.clone(), key.clone()));
    let created = made.clone();
    store.meanwhile(async move {
        *created.lock().expect("not poisoned") = Some(create(&other, &others));
        until_buried(&other, &others).await;
    });
    let late = create(&store, &key).await.expect("no panic");
    assert_eq!(late, SetOutcome::Conflict);
    let made = made.lock().expect("not poisoned").take().expect("it was begun");
    assert!(matches!(made.await.expect("no panic"), SetOutcome::Written { .. }));
}

#[tokio::test]
async fn a_version_of_the_same_etag_ends_with_a_deadline_that_was_brought_forward() {
    let (store, key) = (Digests::default(), ItemKey::new("id").expect("a key"));
    let made = set(&store, &key, &"one".into(), &When::Absent, LONG).await.expect("an answer");
    let SetOutcome::Written { version } = made else { panic!("a conflict") };
    store.put(&key, "one", Some(Expiry::now()));
    let when = When::Version(version);
    let late = set(&store, &key, &"two".into(), &when, LONG).await.expect("an answer");
    assert_eq!(late, SetOutcome::Conflict);
    let removed = remove(&store, &key, &when).await.expect("an answer");
    assert_eq!(removed, RemoveOutcome::Missing);
}

/// What moves a deadline, or writes on a version, and arrives after the deadline.
#[tokio::test]
async fn what_arrives_after_the_deadline_brings_nothing_back() {
    let (store, key) = (Digests::default(), ItemKey::new("id").expect("a key"));
    let soon = || Expiry::after(Some(Duration::from_millis(50))).expect("a deadline");
    let until_passed = |deadline: Expiry| async move {
        while !deadline.has_passed() {
            tokio::task::yield_now().await;
        }
    };
    let deadline = soon();
    store.put(&key, "one", Some(deadline));
    store.meanwhile(until_passed(deadline));
    assert!(!rewrite(&store, &key, LONG).await.expect("an answer"));
    assert!(get(&store, &key).await.expect("an answer").is_none());

    let deadline = soon();
    store.put(&key, "one", Some(deadline));
    let (item, _) = get(&store, &key).await.expect("an answer").expect("an item");
    store.meanwhile(until_passed(deadline));
    let when = When::Version(item.version);
    let late = set(&store, &key, &"two".into(), &when, LONG).await.expect("an answer");
    assert_eq!(late, SetOutcome::Conflict);
    assert!(get(&store, &key).await.expect("an answer").is_none());
}

#[tokio::test]
async fn what_is_left_of_what_is_removed_is_the_number_zero() {
    let tombstone = tombstone();
    assert!(is_tombstone(&tombstone) && !is_tombstone(b"0") && !is_tombstone(b"0e1 "));
    let read: f64 = serde_json::from_slice(&tombstone).expect("JSON");
    assert_eq!(read, 0.0);
    assert_ne!(tombstone, super::tombstone());
}
