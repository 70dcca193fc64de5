//! The items of a database that have not expired.

use std::future::ready;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::database::Database;
use super::deadline::Deadline;
use super::key::{Name, Space, behind};
use super::message::{KvEntry, ReadRange};
use cloakroom_storage::{Error, ItemKey, Result};

/// How many entries are read in one round trip: they come with their values.
const PAGE: usize = 200;

/// The keys of the items that begin with `prefix`.
pub(super) fn keys<'a>(
    database: &'a Database,
    space: &'a Space,
    prefix: &str,
) -> BoxStream<'a, Result<ItemKey>> {
    let (start, end) = space.range(prefix);
    let first = Some((start, Pairs::default()));
    let pages = stream::try_unfold(first, move |state| {
        let end = end.clone();
        async move {
            let Some((start, mut pairs)) = state else { return Ok::<_, Error>(None) };
            let range = ReadRange { start, end, limit: PAGE as i32 };
            let entries = database.read(vec![range]).await?.pop().unwrap_or_default();
            let next = entries.last().filter(|_| entries.len() >= PAGE);
            let next = next.map(|entry| behind(&entry.key));
            let mut live = Vec::new();
            for entry in entries {
                pairs.add(&entry, &mut live);
            }
            let state = match next {
                Some(next) => Some((next, pairs)),
                None => {
                    pairs.finish(&mut live);
                    None
                }
            };
            Ok(Some((stream::iter(live.into_iter().map(Ok)), state)))
        }
    });
    let items = pages.try_flatten();
    items.try_filter_map(move |item| ready(Ok(space.key(&item)))).boxed()
}

/// Brings items and their deadlines together. They come in the order of their keys, a deadline behind its item and what
/// is below that.
#[derive(Default)]
struct Pairs {
    /// Items whose deadline may still come, each below the one before.
    open: Vec<(Name, Bytes)>,
}

impl Pairs {
    /// Takes the next entry, and gives the items of which it shows that they are live.
    fn add(&mut self, entry: &KvEntry, live: &mut Vec<Bytes>) {
        while let Some((name, versionstamp)) =
            self.open.pop_if(|(name, _)| name.deadline <= entry.key)
        {
            let is_its_deadline = name.deadline == entry.key && versionstamp == entry.versionstamp;
            let deadline = Deadline::of(entry).filter(|_| is_its_deadline);
            if !deadline.is_some_and(Deadline::has_passed) {
                live.push(name.item);
            }
        }
        self.open.push((Name::of(entry.key.clone()), entry.versionstamp.clone()));
    }

    fn finish(self, live: &mut Vec<Bytes>) {
        live.extend(self.open.into_iter().map(|(name, _)| name.item));
    }
}
