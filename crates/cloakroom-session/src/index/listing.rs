//! What a principal has, as it is shown.

use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::ending::Look;
use super::*;
use crate::record::Record;
use crate::store::Name;

/// A session of a principal's.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// While it moves to another ID it has two, of which one will be given up.
    pub(crate) names: Vec<Name>,
    pub(crate) handle: SessionHandle,
    /// When its sign-in was, in milliseconds since 1970.
    pub(crate) since: f64,
    /// When this ID was entered.
    at: f64,
    pub(crate) record: Arc<Record>,
    /// When the store lets it go.
    pub(crate) ends: Option<f64>,
}

impl Index {
    /// The sessions of a principal, the newest sign-in first. What is no more is taken out, and what was begun to be ended is
    /// ended.
    pub(crate) async fn list(&self, store: &Store, principal: &str) -> Result<Vec<Listed>> {
        let mut found = Vec::new();
        for (number, page) in (0..).zip(self.read_all(store, principal).await?) {
            self.list_page(store, principal, number, &page, &mut found).await?;
        }
        // Of two in the same millisecond, the one that was entered later.
        found.reverse();
        let newest = |one: &Listed, other: &Listed| other.since.total_cmp(&one.since);
        found.sort_by(|one, other| newest(one, other).then(other.at.total_cmp(&one.at)));
        let mut listed: IndexMap<SessionHandle, Listed> = IndexMap::with_capacity(found.len());
        for session in found {
            match listed.entry(session.handle) {
                Entry::Occupied(entry) => entry.into_mut().names.extend(session.names),
                Entry::Vacant(entry) => _ = entry.insert(session),
            }
        }
        Ok(listed.into_values().collect())
    }

    /// How many are entered and alive, and say that they are somebody else's, or nobody's.
    pub(crate) async fn count_strangers(&self, store: &Store, principal: &str) -> Result<usize> {
        let mut strangers = 0;
        for page in self.read_all(store, principal).await? {
            for Look { alive, .. } in self.look_at_all(store, &page).await? {
                if let Some((record, _)) = alive
                    && !is_of(store, principal, &record)?
                {
                    strangers += 1;
                }
            }
        }
        Ok(strangers)
    }

    async fn list_page(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
        page: &Page,
        listed: &mut Vec<Listed>,
    ) -> Result<()> {
        let endings = page.unfinished();
        self.end_all(store, principal, &endings).await?;
        let mut gone: Vec<_> = endings.into_iter().map(|ending| ending.name).collect();
        for Look { item, alive, is_gone } in self.look_at_all(store, page).await? {
            let Item { name, handle, at, since, .. } = item;
            match alive {
                Some((record, ends)) if is_of(store, principal, &record)? => {
                    listed.push(Listed { names: vec![name], handle, since, at, record, ends });
                }
                _ if is_gone => gone.push(name),
                _ => {}
            }
        }
        self.take_out(store, principal, number, &gone).await
    }
}

/// Whether the session is still the principal's: who has signed out of it may be somebody else by now.
pub(super) fn is_of(store: &Store, principal: &str, record: &Record) -> Result<bool> {
    let path = store.configured().path.as_deref();
    Ok(record.principal(path)?.as_deref() == Some(principal))
}
