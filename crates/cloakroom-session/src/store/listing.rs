//! All that a store has, for those who run it.

use std::future::ready;
use std::sync::Arc;

use cloakroom_storage::{BoxStream, ItemKey};
use futures_util::StreamExt as _;

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::record::{Fate, Record, Tombstone, end};

use super::{Content, Name, Store, from_storage, key, quarantine};

/// A session as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) name: Name,
    /// How many bytes it takes.
    pub(crate) size: usize,
    /// `Err` where it cannot be read.
    pub(crate) record: Result<Arc<Record>, Arc<Error>>,
    /// When the store lets it go, in milliseconds since 1970; `None` for never.
    pub(crate) ends: Option<f64>,
}

/// What a store has, by its key.
pub(crate) enum Kept {
    /// It may be a session: a tombstone has a name too, and under hashed IDs so has a page of an index.
    Named(Name),
    /// What was moved aside because nobody could read it.
    Aside,
    Other(ItemKey),
}

/// What there is under a name.
#[derive(Debug)]
pub(crate) enum Sight {
    Alive(Seen),
    /// A session was there, and somebody has retired it a short while ago.
    Retired(Fate),
    /// Nothing, or no session: one whose time has passed, or a page of an index.
    Nothing,
}

impl Store {
    /// The names of all that may be sessions, in no order.
    pub(crate) fn names(&self) -> Result<BoxStream<'_, Result<Name>>> {
        let named = |kept: Kept| match kept {
            Kept::Named(name) => Some(name),
            _ => None,
        };
        let names = self.kept()?.filter_map(move |kept| ready(kept.map(named).transpose()));
        Ok(Box::pin(names))
    }

    /// All that there is, in no order.
    pub(crate) fn kept(&self) -> Result<BoxStream<'_, Result<Kept>>> {
        let somebody = key(&SessionId::random())?;
        let hides_ids = self.driver.alias(&somebody).map_err(from_storage)? != somebody;
        let kept = move |key: ItemKey| {
            if hides_ids {
                return Kept::Named(Name::Alias(key));
            }
            match SessionId::parse(key.as_str()) {
                Some(id) if id.with_str(|text| text == key.as_str()) => Kept::Named(Name::Id(id)),
                _ if quarantine::is_aside(&key) => Kept::Aside,
                _ => Kept::Other(key),
            }
        };
        Ok(Box::pin(self.driver.keys("").map(move |key| key.map_err(from_storage).map(kept))))
    }

    /// What there is under a name, where that is a session whose time has not passed. Nothing is changed by this, not even where
    /// it cannot be read.
    pub(crate) async fn see(&self, name: &Name) -> Result<Option<Seen>> {
        Ok(match self.sight(name).await? {
            Sight::Alive(seen) => Some(seen),
            Sight::Retired(_) | Sight::Nothing => None,
        })
    }

    /// As [`see`](Store::see), with what became of one that was retired.
    pub(crate) async fn sight(&self, name: &Name) -> Result<Sight> {
        let key = ItemKey::new(&name.to_text()).map_err(from_storage)?;
        let asked = self.configured().now();
        let found = match self.driver.get_with_ttl(&key).await.map_err(from_storage) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                let (name, record) = (name.clone(), Err(Arc::new(error)));
                return Ok(Sight::Alive(Seen { name, size: 0, record, ends: None }));
            }
            Err(error) => return Err(error),
        };
        let Some((item, ttl)) = found else { return Ok(Sight::Nothing) };
        if let Some(tombstone) = Tombstone::read(&item.value, asked) {
            return Ok(Sight::Retired(tombstone.fate));
        }
        // A page of an index is an object, and has a hash for a name where sessions have.
        let is_page = matches!(name, Name::Alias(_)) && item.value.starts_with(b"{");
        if Tombstone::is_one(&item.value) || is_page {
            return Ok(Sight::Nothing);
        }
        let (size, ends) = (item.value.len(), ttl.map(|ttl| end(asked, ttl)));
        let record = match Record::parse(item.value, asked) {
            Ok(record) => Ok(Arc::new(record)),
            // Somebody may be in the middle of writing it.
            Err(_) => match self.read(&key, name).await {
                Ok(Content::Alive { record, .. }) => Ok(record),
                Ok(Content::Retired(tombstone, _)) => return Ok(Sight::Retired(tombstone.fate)),
                Ok(Content::Missing) => return Ok(Sight::Nothing),
                Err(error) if error.kind() == ErrorKind::Corrupt => Err(Arc::new(error)),
                Err(error) => return Err(error),
            },
        };
        let is_over =
            record.as_ref().is_ok_and(|record| self.configured().is_over(record).unwrap_or(false));
        Ok(match is_over {
            true => Sight::Nothing,
            false => Sight::Alive(Seen { name: name.clone(), size, record, ends }),
        })
    }
}
