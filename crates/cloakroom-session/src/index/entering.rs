//! How a session gets into the index, and what makes room for it.

use super::ending::{Look, is_ended, is_pending};
use super::listing::is_of;
use super::page::ROOM;
use super::*;
use crate::machine::{Entering, Entry};
use crate::observe::EventKind;

/// Where a session has room.
enum Room {
    /// Once these sign-ins are ended.
    Here(Vec<SessionHandle>),
    On(u32),
    /// The principal has as many as it may have.
    Nowhere,
}

impl Index {
    /// Enters a session, or the new ID of one.
    ///
    /// With a limit, whoever has been entered has seen the end of all that was marked on the page. So there are never more
    /// sessions alive than that: as many entries are unmarked, and of those that are marked none lives once one is written that
    /// was entered later. What had been marked before leaves the page by the same write, or it would be seen to its end for ever.
    pub(crate) async fn enter(&self, store: &Store, entry: &Entry) -> Result<Entering> {
        let Entry { id, principal, instead_of, leaves: from } = entry;
        let name = store.name(*id)?;
        let leaves = instead_of.map(|(left, _)| store.name(left)).transpose()?;
        let from = from.map(|left| store.name(left)).transpose()?;
        let of_browser = from.map_or_else(SessionHandle::random, |left| SessionHandle::of(&left));
        let mut number = instead_of.and_then(|(_, page)| page).unwrap_or(0);
        let began = Instant::now();
        for conflicts in 1..=ATTEMPTS {
            let (mut page, version) = self.read(store, principal, number).await?;
            let left = leaves.as_ref().and_then(|left| page.find(left));
            let there = page.find(&name);
            if left.into_iter().chain(there).any(|item| item.is_ending) {
                self.end_all(store, principal, &page.unfinished()).await?;
                return Ok(Entering::Ended);
            }
            let (handle, is_there) = (left.map(|left| left.handle), there.is_some());
            let mut evicted = Vec::new();
            if !is_there {
                // Taken out since, so that it would take the place of another one.
                if let (None, Some(left)) = (handle, &leaves)
                    && is_ended(store, left).await?
                {
                    return Ok(Entering::Ended);
                }
                if self.limit.is_some() {
                    self.end_all(store, principal, &page.unfinished()).await?;
                    page.items.retain(|item| !item.is_ending);
                }
                // Of several that leave the same session at once one wins, and the others take nobody's place.
                let rival = page.since(of_browser).map(|_| of_browser);
                let handle = match handle.or(rival) {
                    Some(handle) => {
                        self.prune_seldom(store, &mut page).await?;
                        handle
                    }
                    None => match self.room(store, principal, number, &mut page).await? {
                        Room::Here(oldest) => {
                            evicted = oldest;
                            of_browser
                        }
                        Room::On(other) => {
                            number = other;
                            continue;
                        }
                        Room::Nowhere => return Ok(Entering::Full),
                    },
                };
                let at = store.configured().now();
                let since = page.since(handle).unwrap_or(at);
                // What it leaves lives on where the move is taken back.
                let leaves = leaves.iter().filter(|left| page.find(left).is_none());
                for name in leaves.chain([&name]).cloned().collect::<Vec<_>>() {
                    page.items.push(Item { name, handle, at, since, is_ending: false });
                }
                if !self.write(store, &self.key(principal, number)?, &page, version).await? {
                    pause(conflicts, began.elapsed() / conflicts).await;
                    continue;
                }
            }
            if self.limit.is_some() {
                let endings = page.endings(|handle| evicted.contains(&handle), &EventKind::Evicted);
                self.end_all(store, principal, &endings).await?;
            }
            self.keep_first(store, principal, number).await?;
            return Ok(Entering::Entered(number));
        }
        Err(too_many_conflicts())
    }

    /// Lets the first page outlive what was entered on another one: without it nobody would know of that.
    pub(super) async fn keep_first(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
    ) -> Result<()> {
        if number == 0 {
            return Ok(());
        }
        if store.touch_page(&self.key(principal, 0)?, self.ttl).await? {
            return Ok(());
        }
        self.change(store, principal, 0, |first| match first.pages > number {
            true => Change::Keep(()),
            false => {
                first.pages = number + 1;
                Change::Write(())
            }
        })
        .await
    }

    /// Makes room for one session more, on this page or on another one.
    async fn room(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
        page: &mut Page,
    ) -> Result<Room> {
        if let Some(limit) = self.limit {
            // All on the first page, where they can be counted.
            return match number {
                0 => self.room_within(store, principal, limit, page).await,
                _ => Ok(Room::On(0)),
            };
        }
        if page.items.len() < ROOM {
            return Ok(Room::Here(Vec::new()));
        }
        if number == 0 && page.pages > 1 {
            return Ok(Room::On(page.pages - 1));
        }
        self.prune(store, page, None).await?;
        // Not for a few, which would be looked for at each sign-in.
        if page.items.len() <= ROOM * 3 / 4 {
            return Ok(Room::Here(Vec::new()));
        }
        let next = number + 1;
        let pages = self.change(store, principal, 0, |first| match first.pages > next {
            true => Change::Keep(first.pages),
            false => {
                first.pages = next + 1;
                Change::Write(first.pages)
            }
        });
        Ok(Room::On(pages.await? - 1))
    }

    async fn room_within(
        &self,
        store: &Store,
        principal: &str,
        limit: Limit,
        page: &mut Page,
    ) -> Result<Room> {
        let others = self.on_further_pages(store, principal, page.pages).await?;
        if page.handles().len() + others < limit.most {
            self.prune_seldom(store, page).await?;
            return Ok(Room::Here(Vec::new()));
        }
        let foreign = self.prune(store, page, Some(principal)).await?;
        // A session that is somebody else's by now takes no place, and is not ended for one.
        let mut handles = page.handles();
        handles.retain(|(handle, _)| !foreign.contains(handle));
        if handles.len() + others < limit.most {
            return Ok(Room::Here(Vec::new()));
        }
        if limit.when_full == WhenFull::Refuse {
            return Ok(Room::Nowhere);
        }
        // What is on further pages is from before there was a limit.
        for further in 1..page.pages {
            let kind = &EventKind::Evicted;
            let endings = self.mark(store, principal, further, kind, |_| true).await?.endings;
            self.end_all(store, principal, &endings).await?;
        }
        let surplus = (handles.len() + 1).saturating_sub(limit.most);
        let oldest: Vec<_> = handles.iter().take(surplus).map(|(handle, _)| *handle).collect();
        for item in page.items.iter_mut().filter(|item| oldest.contains(&item.handle)) {
            item.is_ending = true;
        }
        Ok(Room::Here(oldest))
    }

    /// How many sessions there are on the pages behind the first.
    async fn on_further_pages(&self, store: &Store, principal: &str, pages: u32) -> Result<usize> {
        let mut count = 0;
        for number in 1..pages {
            let (page, _) = self.read(store, principal, number).await?;
            self.end_all(store, principal, &page.unfinished()).await?;
            let gone = self.gone(store, &page).await?;
            count += self
                .change(store, principal, number, |page| match page.take_out(&gone) {
                    true => Change::Write(page.handles().len()),
                    false => Change::Keep(page.handles().len()),
                })
                .await?;
        }
        Ok(count)
    }

    /// Looks now and then what is no more, where IDs come and go without a sign-in.
    async fn prune_seldom(&self, store: &Store, page: &mut Page) -> Result<()> {
        let is_time = page.items.len() >= ROOM && page.items.len().is_multiple_of(ROOM / 4);
        if is_time {
            self.prune(store, page, None).await?;
        }
        Ok(())
    }

    /// Takes out what is no more. Answers which sign-ins are not this principal's any more, where one is asked for.
    async fn prune(
        &self,
        store: &Store,
        page: &mut Page,
        principal: Option<&str>,
    ) -> Result<Vec<SessionHandle>> {
        let mut foreign = Vec::new();
        for Look { item, alive, is_gone } in self.look_at_all(store, page).await? {
            if is_gone {
                page.items.retain(|other| other.name != item.name);
            }
            // One that was entered just now may be about to be written.
            if let (Some(principal), Some((record, _))) = (principal, alive)
                && !is_pending(store, item.at)
                && !is_of(store, principal, &record)?
            {
                foreign.push(item.handle);
            }
        }
        Ok(foreign)
    }
}
