//! The rules of a driver over a store that writes and deletes on the condition of an item's ETag, and in which moving a
//! deadline gives an item another ETag.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Expiry, Tagged};
use crate::{Item, ItemKey, RemoveOutcome, Result, SetOutcome, Version, When};

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

    /// Deletes the item, if it has this ETag where one is given.
    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted>;
}

/// A store in which a deadline is moved on the condition of an ETag too.
#[async_trait]
pub(crate) trait Movable: Conditional {
    /// Moves the deadline of the item if it has this ETag, and says whether it has.
    async fn move_expiry(&self, key: &ItemKey, etag: &str, expiry: Option<Expiry>) -> Result<bool>;
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

/// As [`Driver::set`](crate::Driver::set).
pub(crate) async fn set(
    store: &impl Conditional,
    key: &ItemKey,
    value: &Bytes,
    when: &When,
    ttl: Option<Duration>,
) -> Result<SetOutcome> {
    let expiry = Expiry::after(ttl);
    let written =
        |etag: String| SetOutcome::Written { version: Tag { etag, expiry }.version(value) };
    match when {
        When::Always => {
            // A store that has no condition to refuse by has written.
            let etag = store.write(key, value, expiry, Condition::None).await?;
            Ok(etag.map_or(SetOutcome::Conflict, written))
        }
        When::Absent => loop {
            if let Some(etag) = store.write(key, value, expiry, Condition::Absent).await? {
                return Ok(written(etag));
            }
            match store.look(key).await? {
                None => {}
                Some(tag) if tag.is_expired() => {
                    let condition = Condition::Match(&tag.etag);
                    if let Some(etag) = store.write(key, value, expiry, condition).await? {
                        return Ok(written(etag));
                    }
                }
                Some(_) => return Ok(SetOutcome::Conflict),
            }
        },
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
                    return Ok(written(etag));
                }
                refused = Some(tag.etag);
            }
        }
    }
}

/// As [`Driver::remove`](crate::Driver::remove).
pub(crate) async fn remove(
    store: &impl Conditional,
    key: &ItemKey,
    when: &When,
) -> Result<RemoveOutcome> {
    let When::Version(version) = when else {
        let Some(tag) = store.look(key).await? else { return Ok(RemoveOutcome::Missing) };
        // What has expired was not there; it is freed on the way, unless it was written anew meanwhile.
        let is_expired = tag.is_expired();
        let deleted = store.delete(key, is_expired.then_some(tag.etag.as_str())).await?;
        return Ok(match deleted {
            Deleted::Yes if !is_expired => RemoveOutcome::Removed,
            _ => RemoveOutcome::Missing,
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
        match store.delete(key, Some(&tag.etag)).await? {
            Deleted::Yes => return Ok(RemoveOutcome::Removed),
            Deleted::Missing => return Ok(RemoveOutcome::Missing),
            Deleted::Refused => refused = Some(tag.etag),
        }
    }
}

/// As [`Driver::touch`](crate::Driver::touch).
pub(crate) async fn touch(
    store: &impl Movable,
    key: &ItemKey,
    ttl: Option<Duration>,
) -> Result<bool> {
    let expiry = Expiry::after(ttl);
    loop {
        let Some(tag) = store.look(key).await?.filter(|tag| !tag.is_expired()) else {
            return Ok(false);
        };
        if store.move_expiry(key, &tag.etag, expiry).await? {
            return Ok(true);
        }
    }
}

/// Deletes those of the items that still have these ETags, some at a time, and says how many it were.
pub(crate) async fn delete_all(
    store: &impl Conditional,
    items: Vec<(ItemKey, String)>,
) -> Result<usize> {
    const AT_ONCE: usize = 16;
    stream::iter(items)
        .map(async |(key, etag)| store.delete(&key, Some(&etag)).await)
        .buffer_unordered(AT_ONCE)
        .try_fold(0, async |removed, deleted| Ok(removed + usize::from(deleted == Deleted::Yes)))
        .await
}

/// The tag of a version, where it may still be the item's.
fn known(version: &Version) -> Option<Tag> {
    Tagged::of(version).and_then(Tag::of).filter(|tag| !tag.is_expired())
}

/// The tag of the item, `known` or asked for, as long as its bytes are those of the version.
async fn current(
    store: &impl Conditional,
    key: &ItemKey,
    version: &Version,
    known: Option<Tag>,
) -> Result<Option<Tag>> {
    if known.is_some() {
        return Ok(known);
    }
    let Some(tagged) = Tagged::of(version) else { return Ok(None) };
    let found = store.read(key).await?;
    let same = found.filter(|found| !found.tag.is_expired() && tagged.is_of(&found.value));
    Ok(same.map(|found| found.tag))
}

#[cfg(test)]
mod tests {
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
}
