//! The rules of a driver over a store that writes on the condition of an item's ETag.
//!
//! In most such stores each write gives an item an ETag that there never was. In [some](Conditional::DIGESTS) an ETag is a
//! digest: it says what the bytes are, and not which writing of them. There, nothing of an item's deadline can be told by its
//! ETag, so that a write on a version looks first; and what has expired is never deleted or replaced by the same bytes on
//! its ETag, since what was written anew since may have the same. It is written over by a [tombstone] first, whose
//! bytes nothing else has.
//!
//! No store compares a deadline. What was sent before it and may have arrived after it is taken back.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Expiry, Tagged};
use cloakroom_storage::platform::sleep;
use cloakroom_storage::{
    Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Version, When,
    platform::random,
};

/// How long a tombstone stays before the bytes that it was written over are written anew: meanwhile it refuses what is still
/// on its way to those that have expired.
const BURIAL: Duration = Duration::from_secs(1);

/// How often others may be first, one after the other. Reads that lag behind look the same.
const ATTEMPTS: usize = 200;

/// Between two looks at a tombstone that somebody else may be about to delete.
const PAUSE: Duration = Duration::from_millis(20);

/// An item as it is stored, expired or not.
pub(crate) struct Stored {
    pub(crate) value: Bytes,
    pub(crate) tag: Tag,
}

/// What a store says of an item beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) etag: String,
    pub(crate) expiry: Option<Expiry>,
}

/// The condition of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    None,
    Absent,
    /// The item is there, with this ETag.
    Match(&'a str),
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    Yes,
    Missing,
    /// The item has another ETag.
    Refused,
}

/// What a store does in one request each.
#[async_trait]
pub(crate) trait Conditional: Sync {
    /// Whether the same bytes may get the same ETag again.
    const DIGESTS: bool = false;

    /// The item.
    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>>;

    /// The item without its bytes.
    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>>;

    /// Writes if the condition holds, and gives the ETag then.
    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>>;

    /// Deletes the item, if it has this ETag where one is given. A store of [digests](Self::DIGESTS) that knows no such condition
    /// deletes whatever is there: the ETag is a tombstone's.
    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted>;
}

/// A store in which a deadline is moved on the condition of an ETag too.
#[async_trait]
pub(crate) trait Movable: Conditional {
    /// Moves the deadline of the item if it has this ETag, and gives its new one then.
    async fn move_expiry(
        &self,
        key: &ItemKey,
        etag: &str,
        expiry: Option<Expiry>,
    ) -> Result<Option<String>>;
}

impl Tag {
    pub(crate) fn is_expired(&self) -> bool {
        self.expiry.is_some_and(Expiry::has_passed)
    }

    /// The version of these bytes. It says when they expire, so that a write on it brings nothing back to life.
    fn version(&self, value: &[u8]) -> Version {
        let expiry = self.expiry.map_or(Expiry::NEVER, Expiry::milliseconds);
        Tagged::version(&format!("{expiry} {}", self.etag), value)
    }

    fn of(version: Tagged<'_>) -> Option<Tag> {
        let (expiry, etag) = version.token().split_once(' ')?;
        Some(Tag { etag: etag.to_owned(), expiry: Expiry::at(expiry.parse().ok()?) })
    }
}

/// The item with how long it still lives.
pub(crate) async fn get(
    store: &impl Conditional,
    key: &ItemKey,
) -> Result<Option<(Item, Option<Duration>)>> {
    let found = store.read(key).await?.filter(|stored| !stored.tag.is_expired());
    Ok(found.map(|Stored { value, tag }| {
        let version = tag.version(&value);
        (Item::new(value, version), tag.expiry.map(Expiry::remaining))
    }))
}

/// As [`Driver::set`](cloakroom_storage::Driver::set).
pub(crate) async fn set<S: Conditional>(
    store: &S,
    key: &ItemKey,
    value: &Bytes,
    when: &When,
    ttl: Option<Duration>,
) -> Result<SetOutcome> {
    let expiry = Expiry::after(ttl);
    let nothing;
    let value = if ttl == Some(Duration::ZERO) {
        nothing = tombstone();
        &nothing
    } else {
        value
    };
    let written =
        |etag: String| SetOutcome::Written { version: Tag { etag, expiry }.version(value) };
    match when {
        When::Always => {
            // A store that has no condition to refuse by has written.
            let etag = store.write(key, value, expiry, Condition::None).await?;
            Ok(etag.map_or(SetOutcome::Conflict, written))
        }
        When::Absent => {
            for _ in 0..ATTEMPTS {
                if let Some(etag) = store.write(key, value, expiry, Condition::Absent).await? {
                    return Ok(written(etag));
                }
                let place = match S::DIGESTS {
                    true => cleared(store, key, value).await?,
                    false => store.look(key).await?.map_or(Place::Changed, |tag| {
                        if tag.is_expired() { Place::Free(tag.etag) } else { Place::Taken }
                    }),
                };
                match place {
                    Place::Taken => return Ok(SetOutcome::Conflict),
                    Place::Changed => {}
                    Place::Free(etag) => {
                        let condition = Condition::Match(&etag);
                        if let Some(etag) = store.write(key, value, expiry, condition).await? {
                            return Ok(written(etag));
                        }
                    }
                }
            }
            Err(overtaken())
        }
        When::Version(version) => {
            let mut known = known(version);
            let mut refused = None;
            loop {
                let Some(tag) = current(store, key, version, known.take()).await? else {
                    return Ok(SetOutcome::Conflict);
                };
                if refused.as_ref() == Some(&tag.etag) {
                    // It is another's, and reads lag behind.
                    return Ok(SetOutcome::Conflict);
                }
                let condition = Condition::Match(&tag.etag);
                if let Some(etag) = store.write(key, value, expiry, condition).await? {
                    if tag.is_expired() {
                        delete_at(store, key, &etag).await?;
                        return Ok(SetOutcome::Conflict);
                    }
                    return Ok(written(etag));
                }
                refused = Some(tag.etag);
            }
        }
    }
}

/// As [`Driver::remove`](cloakroom_storage::Driver::remove).
pub(crate) async fn remove(
    store: &impl Conditional,
    key: &ItemKey,
    when: &When,
) -> Result<RemoveOutcome> {
    let When::Version(version) = when else {
        let Some(tag) = store.look(key).await? else { return Ok(RemoveOutcome::Missing) };
        if tag.is_expired() {
            // It was not there; it is freed on the way, unless it was written anew since.
            delete_at(store, key, &tag.etag).await?;
            return Ok(RemoveOutcome::Missing);
        }
        return Ok(match store.delete(key, None).await? {
            Deleted::Yes => RemoveOutcome::Removed,
            Deleted::Missing | Deleted::Refused => RemoveOutcome::Missing,
        });
    };
    let mut known = known(version);
    let mut refused = None;
    loop {
        let Some(tag) = current(store, key, version, known.take()).await? else {
            let is_there = store.look(key).await?.is_some_and(|tag| !tag.is_expired());
            return Ok(if is_there { RemoveOutcome::Conflict } else { RemoveOutcome::Missing });
        };
        if refused.as_ref() == Some(&tag.etag) {
            return Ok(RemoveOutcome::Conflict);
        }
        match delete_at(store, key, &tag.etag).await? {
            Deleted::Yes => return Ok(RemoveOutcome::Removed),
            Deleted::Missing => return Ok(RemoveOutcome::Missing),
            Deleted::Refused => refused = Some(tag.etag),
        }
    }
}

/// As [`Driver::touch`](cloakroom_storage::Driver::touch).
pub(crate) async fn touch(
    store: &impl Movable,
    key: &ItemKey,
    ttl: Option<Duration>,
) -> Result<bool> {
    let expiry = Expiry::after(ttl);
    for _ in 0..ATTEMPTS {
        let Some(tag) = store.look(key).await?.filter(|tag| !tag.is_expired()) else {
            return Ok(false);
        };
        if ttl == Some(Duration::ZERO) {
            if delete_at(store, key, &tag.etag).await? == Deleted::Yes {
                return Ok(true);
            }
        } else if let Some(etag) = store.move_expiry(key, &tag.etag, expiry).await? {
            return still_in_time(store, key, &tag, &etag).await;
        }
    }
    Err(overtaken())
}

/// As [`touch`], for a store in which a deadline is moved by a write like any other, which takes the bytes.
pub(crate) async fn rewrite(
    store: &impl Conditional,
    key: &ItemKey,
    ttl: Option<Duration>,
) -> Result<bool> {
    let expiry = Expiry::after(ttl);
    for _ in 0..ATTEMPTS {
        let found = store.read(key).await?.filter(|found| !found.tag.is_expired());
        let Some(Stored { value, tag }) = found else { return Ok(false) };
        let condition = Condition::Match(&tag.etag);
        if ttl == Some(Duration::ZERO) {
            if delete_at(store, key, &tag.etag).await? == Deleted::Yes {
                return Ok(true);
            }
        } else if let Some(etag) = store.write(key, &value, expiry, condition).await? {
            return still_in_time(store, key, &tag, &etag).await;
        }
    }
    Err(overtaken())
}

/// Whether an item's deadline was moved before it passed. Where that is not sure, the item ends as it would have.
async fn still_in_time(
    store: &impl Conditional,
    key: &ItemKey,
    before: &Tag,
    etag: &str,
) -> Result<bool> {
    if !before.is_expired() {
        return Ok(true);
    }
    delete_at(store, key, etag).await?;
    Ok(false)
}

/// Others were first each time.
fn overtaken() -> Error {
    let message = "another write came before this one each time; try again";
    Error::new(ErrorKind::Unavailable, message).with_unapplied(true)
}

/// Deletes those of the items that still have these ETags, some at a time, and says how many it were.
pub(crate) async fn delete_all(
    store: &impl Conditional,
    items: Vec<(ItemKey, String)>,
) -> Result<usize> {
    const AT_ONCE: usize = 16;
    stream::iter(items)
        .map(async |(key, etag)| delete_at(store, &key, &etag).await)
        .buffer_unordered(AT_ONCE)
        .try_fold(0, async |removed, deleted| Ok(removed + usize::from(deleted == Deleted::Yes)))
        .await
}

/// Deletes the item if it has this ETag.
pub(crate) async fn delete_at<S: Conditional>(
    store: &S,
    key: &ItemKey,
    etag: &str,
) -> Result<Deleted> {
    if !S::DIGESTS {
        return store.delete(key, Some(etag)).await;
    }
    let condition = Condition::Match(etag);
    let Some(etag) = store.write(key, &tombstone(), Some(Expiry::now()), condition).await? else {
        return Ok(Deleted::Refused);
    };
    // Gone for every reader, whatever becomes of the rest: what is left, a sweep frees.
    if let Err(error) = store.delete(key, Some(&etag)).await {
        tracing::debug!(%error, "an expired item stays until a sweep");
    }
    Ok(Deleted::Yes)
}

/// What is written in the place of what is to be deleted. To JavaScript, which knows of no deadline, it is the number zero,
/// which Astro takes for no session; to the store, bytes that there never were, and so an ETag that there never was.
fn tombstone() -> Bytes {
    format!("{ZERO}{}", random::number()).into()
}

/// Zero with an exponent, which is still to come.
const ZERO: &str = "0e";

fn is_tombstone(value: &[u8]) -> bool {
    let exponent = value.strip_prefix(ZERO.as_bytes());
    exponent.is_some_and(|exponent| exponent.iter().all(u8::is_ascii_digit))
}

/// What is in the place of an item that is to be new.
enum Place {
    /// An item that lives.
    Taken,
    /// What may be written over, on the condition of this ETag.
    Free(String),
    /// Something else than a moment ago.
    Changed,
}

/// As what `value` is to be written over has expired in a store of digests, makes sure that nobody who saw it so takes
/// `value` for that.
async fn cleared(store: &impl Conditional, key: &ItemKey, value: &Bytes) -> Result<Place> {
    let Some(Stored { value: there, tag }) = store.read(key).await? else {
        return Ok(Place::Changed);
    };
    let Some(expiry) = tag.expiry.filter(|expiry| expiry.has_passed()) else {
        return Ok(Place::Taken);
    };
    if is_tombstone(&there) && expiry.elapsed() < BURIAL {
        sleep(PAUSE).await;
        return Ok(Place::Changed);
    }
    if there != *value {
        return Ok(Place::Free(tag.etag));
    }
    let condition = Condition::Match(&tag.etag);
    let buried = store.write(key, &tombstone(), Some(Expiry::now()), condition).await?;
    let Some(etag) = buried else { return Ok(Place::Changed) };
    sleep(BURIAL).await;
    Ok(Place::Free(etag))
}

/// The tag of a version, where it may still be the item's.
fn known(version: &Version) -> Option<Tag> {
    Tagged::of(version).and_then(Tag::of).filter(|tag| !tag.is_expired())
}

/// The tag of the item, `known` or asked for, as long as its bytes are those of the version.
async fn current<S: Conditional>(
    store: &S,
    key: &ItemKey,
    version: &Version,
    known: Option<Tag>,
) -> Result<Option<Tag>> {
    if let Some(known) = known {
        if !S::DIGESTS {
            return Ok(Some(known));
        }
        // The deadline may have been moved since, to a moment that has passed.
        match store.look(key).await? {
            Some(tag) if tag.etag != known.etag => {}
            found => return Ok(found.filter(|tag| !tag.is_expired())),
        }
    }
    let Some(tagged) = Tagged::of(version) else { return Ok(None) };
    let found = store.read(key).await?;
    let same = found.filter(|found| !found.tag.is_expired() && tagged.is_of(&found.value));
    Ok(same.map(|found| found.tag))
}

#[cfg(test)]
mod tests;
