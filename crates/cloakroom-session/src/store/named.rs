//! Sessions by the names that an index has of them: an ID, or what stands for it where the store shall not show IDs.

use std::fmt;

use cloakroom_storage::{ItemKey, RemoveOutcome, When};

use crate::error::Result;
use crate::id::SessionId;
use crate::machine::{Failed, RetireOutcome};
use crate::record::{Found, Tombstone};

use super::{Content, Store, from_storage, key};

/// What an index calls a session by. Which of the two depends on the driver: see
/// [`alias`](cloakroom_storage::Driver::alias).
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Name {
    Id(SessionId),
    Alias(ItemKey),
}

impl Name {
    /// Reads what [`to_text`](Name::to_text) wrote.
    ///
    /// # Errors
    /// Where it can be neither.
    pub(crate) fn parse(text: &str) -> Result<Name> {
        match SessionId::parse(text) {
            Some(id) => Ok(Name::Id(id)),
            None => ItemKey::new(text).map(Name::Alias).map_err(from_storage),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        match self {
            Name::Id(id) => id.to_string(),
            Name::Alias(alias) => alias.as_str().to_owned(),
        }
    }
}

impl From<SessionId> for Name {
    fn from(id: SessionId) -> Name {
        Name::Id(id)
    }
}

/// Without what it is: it may be a session's ID.
impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Id(id) => id.fmt(formatter),
            Name::Alias(alias) => alias.fmt(formatter),
        }
    }
}

impl Store {
    /// What an index calls this session by.
    pub(crate) fn name(&self, id: SessionId) -> Result<Name> {
        let alias = self.driver.alias(&key(&id)?).map_err(from_storage)?;
        Name::parse(alias.as_str())
    }

    /// As [`look`](Store::look).
    pub(crate) async fn look_at(&self, name: &Name) -> Result<Content> {
        match name {
            Name::Id(id) => Ok(match self.look(*id).await? {
                Found::Alive(stored) => {
                    let (record, version, ends) = (stored.record, stored.version, stored.ends);
                    Content::Alive { record, version, ends }
                }
                Found::Retired(tombstone, version) => Content::Retired(tombstone, version),
                Found::Missing => Content::Missing,
            }),
            Name::Alias(alias) => {
                let content = self.read(alias, name).await?;
                if let Content::Alive { record, version, .. } = &content
                    && self.rules.is_over(record)?
                {
                    let when = self.condition(When::Version(version.clone()));
                    let removed = self.driver.remove(alias, when).await.map_err(from_storage)?;
                    // Where another was faster, that one has retired it.
                    if removed == RemoveOutcome::Removed {
                        self.tell_over(name, record);
                    }
                    return Ok(Content::Missing);
                }
                Ok(content)
            }
        }
    }

    /// As [`retire`](Store::retire).
    pub(crate) async fn retire_at(
        &self,
        name: &Name,
        tombstone: Tombstone,
        when: When,
    ) -> Result<RetireOutcome, Failed> {
        match name {
            Name::Id(id) => self.retire(*id, tombstone, when).await,
            Name::Alias(alias) => self.bury_at(alias, name, tombstone, when).await,
        }
    }
}
