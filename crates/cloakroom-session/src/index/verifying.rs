//! What in the index is not as it should be, and how that is mended.

use super::ending::{UNFINISHED, is_pending, retire};
use super::page::ROOM;
use super::*;
use crate::record::{Fate, Tombstone};
use crate::store::{Content, Whose};

/// What a page has that it should not have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageState {
    /// Entries whose sessions are no more.
    pub(crate) outlived: usize,
    /// Entries of living sessions that somebody began to end.
    pub(crate) unfinished: usize,
}

/// What became of one entry.
enum State {
    Fine,
    Outlived,
    Unfinished,
}

impl Index {
    /// Whether this is a page, where its key does not say so.
    pub(crate) async fn is_page(&self, store: &Store, key: &ItemKey) -> Result<bool> {
        let item = store.page(key).await?;
        Ok(item.is_some_and(|item| Page::is_one(&item.value)))
    }

    /// Whether a session has an entry.
    pub(crate) async fn lists(&self, store: &Store, principal: &str, name: &Name) -> Result<bool> {
        let pages = self.read_all(store, principal).await?;
        Ok(pages.iter().any(|page| page.find(name).is_some()))
    }

    /// What is wrong with a page. Nothing is changed by this.
    pub(crate) async fn state(&self, store: &Store, key: &ItemKey) -> Result<PageState> {
        let (page, _) = self.read_at(store, key).await?;
        let states: Vec<_> = page.items.iter().map(|item| state(store, item)).collect();
        let states: Vec<State> =
            stream::iter(states).buffer_unordered(AT_ONCE).try_collect().await?;
        let count = |is_meant: fn(&State) -> bool| states.iter().filter(|it| is_meant(it)).count();
        Ok(PageState {
            outlived: count(|state| matches!(state, State::Outlived)),
            unfinished: count(|state| matches!(state, State::Unfinished)),
        })
    }

    /// Ends what was begun to be ended on a page, and takes out what is no more; answers whether there was anything to do.
    pub(crate) async fn mend(&self, store: &Store, key: &ItemKey) -> Result<bool> {
        let (page, _) = self.read_at(store, key).await?;
        let mut gone = self.gone(store, &page).await?;
        for item in page.items.iter().filter(|item| item.is_ending) {
            _ = retire(store, Whose::Unknown, &item.name, item.at, &UNFINISHED).await?;
            gone.push(item.name.clone());
        }
        self.change_at(store, key, |page| match page.take_out(&gone) {
            true => Change::Write(true),
            false => Change::Keep(false),
        })
        .await
    }

    /// Enters a session that is alive and has no entry, whatever the limit there is; answers whether it had none.
    pub(crate) async fn enter_found(
        &self,
        store: &Store,
        principal: &str,
        name: &Name,
    ) -> Result<bool> {
        if self.lists(store, principal, name).await? {
            return Ok(false);
        }
        let (first, _) = self.read(store, principal, 0).await?;
        let mut number = first.pages - 1;
        loop {
            let at = store.configured().now();
            let entered = self.change(store, principal, number, |page| {
                if page.find(name).is_some() {
                    return Change::Keep(Some(false));
                }
                if page.items.len() >= ROOM {
                    return Change::Keep(None);
                }
                let (name, handle) = (name.clone(), SessionHandle::random());
                page.items.push(Item { name, handle, at, since: at, is_ending: false });
                Change::Write(Some(true))
            });
            match entered.await? {
                Some(entered) => {
                    self.keep_first(store, principal, number).await?;
                    return Ok(entered);
                }
                None => number += 1,
            }
        }
    }
}

/// What became of an entry's session.
async fn state(store: &Store, item: &Item) -> Result<State> {
    let is_alive = match store.look_at(&item.name).await {
        Ok(Content::Alive { .. }) => true,
        // One that has moved may be given its old ID back.
        Ok(Content::Retired(Tombstone { fate: Fate::Moved, .. }, _)) => return Ok(State::Fine),
        Ok(Content::Missing) if is_pending(store, item.at) => return Ok(State::Fine),
        Ok(Content::Missing | Content::Retired(..)) => false,
        // It is told where the session itself is looked at.
        Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(State::Fine),
        Err(error) => return Err(error),
    };
    Ok(match (is_alive, item.is_ending) {
        (true, false) => State::Fine,
        (true, true) => State::Unfinished,
        (false, _) => State::Outlived,
    })
}
