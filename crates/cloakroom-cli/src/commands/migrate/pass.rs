//! Once through both stores.

use std::cell::{Cell, RefCell};
use std::error::Error;

use cloakroom_drivers::overlay::is_word;
use cloakroom_storage::{Driver as _, ErrorKind, ItemKey};
use futures_util::TryStreamExt as _;

use super::copy::{Copied, Copier, Look};
use crate::commands::rotate::called;
use crate::output::say;
use crate::progress::Progress;

/// How many items are copied at once.
const AT_ONCE: usize = 32;

/// So many of a kind are named, and the rest is a number.
const NAMED: usize = 20;

/// So many sessions may end between two passes, and leave nothing. Where more are gone at once, it is not their visitors who did it.
const FEW: usize = 32;

/// What was found on the way. Of the source's items each is one of `same`, `written`, `newer`, `ended`, `unreadable` and `refused`.
#[derive(Clone, Debug, Default)]
pub(super) struct Pass {
    pub(super) same: usize,
    pub(super) written: usize,
    pub(super) newer: usize,
    pub(super) ended: usize,
    /// Of those that have ended, what was written from here and is there no more.
    missing: usize,
    pub(super) unreadable: usize,
    pub(super) refused: usize,
    /// Of those that are the same, or were written.
    pub(super) bytes: u64,
    /// What the source has no more, and was taken out of the target.
    pub(super) taken_out: usize,
    /// What is in the target alone; `None` where it cannot list what it has.
    pub(super) only_there: Option<usize>,
    names: Vec<String>,
}

impl Pass {
    /// How many items the source has.
    pub(super) fn items(&self) -> usize {
        self.same + self.written + self.newer + self.ended + self.unreadable + self.refused
    }

    /// Whether the target was as the source is.
    pub(super) fn is_quiet(&self) -> bool {
        self.written == 0 && self.taken_out == 0
    }

    /// Says by their handles what could not be copied, and what is in the target alone.
    pub(super) fn name_what_is_left(&self) {
        for name in &self.names {
            say(name);
        }
    }

    fn note(&mut self, copied: Copied, key: &ItemKey) {
        match copied {
            Copied::Written(bytes) => {
                self.written += 1;
                self.bytes += bytes as u64;
            }
            Copied::Same(bytes) => {
                self.same += 1;
                self.bytes += bytes as u64;
            }
            Copied::Newer => self.newer += 1,
            Copied::Ended => self.ended += 1,
            Copied::Missing => {
                self.ended += 1;
                self.missing += 1;
            }
            Copied::Gone => {}
            Copied::Unreadable(reason) => {
                self.unreadable += 1;
                self.name(self.unreadable, || format!("{} cannot be read: {reason}", called(key)));
            }
            Copied::Refused(reason) => {
                self.refused += 1;
                self.name(self.refused, || format!("{} is not taken: {reason}", called(key)));
            }
        }
    }

    fn name(&mut self, number: usize, name: impl FnOnce() -> String) {
        if number <= NAMED {
            self.names.push(name());
        }
    }
}

impl Copier<'_> {
    /// Copies what the source has, and then looks through the target for what the source has no more.
    ///
    /// # Errors
    /// When a store fails: what was copied until then is, and another pass goes on.
    pub(super) async fn pass(
        &self,
        look: Look,
        progress: &Progress,
    ) -> Result<Pass, Box<dyn Error>> {
        self.ledger.begin_walk();
        let pass = RefCell::new(Pass::default());
        let keys = self.stores.from.keys("").map_err(Box::<dyn Error>::from);
        keys.try_for_each_concurrent(AT_ONCE, async |key| {
            if self.stores.is_ours(&key) {
                let copied = self.copy(&key, look).await?;
                pass.borrow_mut().note(copied, &key);
                progress.tick();
            }
            Ok(())
        })
        .await?;
        let mut pass = pass.into_inner();
        if pass.items() == 0 && self.ledger.has_written_more_than(FEW) {
            return Err("the source is empty, and was not: it is another place than it was, or somebody has emptied it. The target stays \
                        as it is"
                .into());
        }
        if pass.missing > FEW && pass.missing > pass.same + pass.newer {
            return Err(format!(
                "{} items that were written to the target are missing there, and fewer are left: it was emptied, or has lost what it \
                 had. They are not brought back, since visitors may have ended them; remove the state to copy all anew",
                pass.missing
            )
            .into());
        }
        if self.stores.lists_target {
            self.look_through_target(&mut pass).await?;
        }
        Ok(pass)
    }

    /// Whether there is such an item, now that the walk is over; where IDs are hashed on their way nobody can tell, and it was not
    /// there at some time of the walk.
    async fn is_in_the_source(&self, key: &ItemKey) -> cloakroom_storage::Result<bool> {
        if !self.stores.has_common_keys() {
            return Ok(false);
        }
        match self.stores.from.get(key).await {
            Ok(found) => Ok(found.is_some_and(|item| !is_word(&item.value))),
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn look_through_target(&self, pass: &mut Pass) -> Result<(), Box<dyn Error>> {
        let [taken_out, only_there] = [(); 2].map(|()| Cell::new(0_usize));
        let names = RefCell::new(Vec::new());
        let keys = self.stores.to.keys("").map_err(Box::<dyn Error>::from);
        keys.try_for_each_concurrent(AT_ONCE, async |key| {
            let name = self.ledger.hash(self.stores.name(&key)?.as_str().as_bytes());
            if !self.stores.is_ours_there(&key) || self.ledger.was_seen(name) {
                return Ok(());
            }
            // What has come since is for the next pass.
            if self.is_in_the_source(&key).await? {
                return Ok(());
            }
            match self.take_out(&key, name).await? {
                true => taken_out.set(taken_out.get() + 1),
                false => {
                    only_there.set(only_there.get() + 1);
                    if only_there.get() <= NAMED {
                        names.borrow_mut().push(format!("{} is in the target alone", called(&key)));
                    }
                }
            }
            Ok(())
        })
        .await?;
        pass.taken_out = taken_out.get();
        pass.only_there = Some(only_there.get());
        pass.names.append(&mut names.into_inner());
        Ok(())
    }
}
