//! Walks through a store: Netlify tells of no deadline in a list, so that each blob is asked for its own.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::store::Store;
use crate::common::http::conditional::{Conditional as _, Deleted, delete_at};
use cloakroom_storage::{ItemKey, Operation, Result, Swept};

/// How many blobs are asked for at once.
const AT_ONCE: usize = 16;

pub(super) fn keys(store: Arc<Store>, prefix: &str) -> BoxStream<'static, Result<ItemKey>> {
    let (pages, prefix) = (store.clone(), prefix.to_owned());
    let pages = stream::try_unfold(Some(None), move |cursor: Option<Option<String>>| {
        let (store, prefix) = (pages.clone(), prefix.clone());
        async move {
            let Some(cursor) = cursor else { return Ok(None) };
            let page = store.page(&prefix, cursor.as_deref()).await?;
            let keys = stream::iter(page.keys.into_iter().map(Ok));
            Ok(Some((keys, page.next.map(Some))))
        }
    });
    pages
        .try_flatten()
        .map_ok(move |key| {
            let store = store.clone();
            async move { Ok((store.look(&key).await?, key)) }
        })
        .try_buffer_unordered(AT_ONCE)
        .try_filter_map(async |(tag, key)| Ok(tag.filter(|tag| !tag.is_expired()).map(|_| key)))
        .map_err(|error: cloakroom_storage::Error| error.with_operation(Operation::Keys))
        .boxed()
}

/// How far a sweep has come.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Listed, and not looked at.
    listed: VecDeque<ItemKey>,
    /// Where the list goes on; `None` at its end, and before its beginning.
    cursor: Option<String>,
    has_begun: bool,
}

impl Walk {
    /// Looks at as many blobs as the budget has, and removes those that have expired.
    pub(super) async fn go_on(&mut self, store: &Store, budget: usize) -> Result<Swept> {
        let mut swept = Swept::default();
        while swept.examined < budget {
            if self.listed.is_empty() {
                if self.has_begun && self.cursor.is_none() {
                    *self = Walk::default();
                    swept.finished = true;
                    break;
                }
                // Where this fails, the next call begins anew: the cursor may be one that the service has forgotten.
                let cursor = std::mem::take(self).cursor;
                let page = store.page("", cursor.as_deref()).await?;
                *self = Walk { listed: page.keys.into(), cursor: page.next, has_begun: true };
            }
            let count = self.listed.len().min(budget - swept.examined);
            swept.examined += count;
            let mut looks = stream::iter(self.listed.drain(..count))
                .map(|key| async move { free(store, &key).await })
                .buffer_unordered(AT_ONCE);
            while let Some(freed) = looks.next().await {
                swept.removed += usize::from(freed?);
            }
        }
        Ok(swept)
    }
}

/// Removes the blob if it has expired.
async fn free(store: &Store, key: &ItemKey) -> Result<bool> {
    match store.look(key).await? {
        Some(tag) if tag.is_expired() => {
            Ok(delete_at(store, key, &tag.etag).await? == Deleted::Yes)
        }
        _ => Ok(false),
    }
}
