//! A part of the items, which has a lock to itself.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::written::Written;
use crate::common::deadlines::{Deadline, Deadlines};
use crate::common::first_version::first_version;
use cloakroom_storage::{ItemKey, When};

/// How large a spare place may be, in bytes: each shard holds one for as long as nothing is written.
const MOST_SPARED: usize = 16 << 10;

/// The items whose keys' hashes lead here. A key comes with its hash, which is made once.
pub(super) struct Shard {
    items: HashTable<Stored>,
    /// By the hashes of the keys: two items with the same one and the same deadline have one place.
    deadlines: Deadlines<u64>,
    last_version: u64,
    /// What was written over last: its place serves the next write of as much, so that whoever changes sessions, on whichever
    /// thread, neither asks for memory nor gives it back.
    spare: Option<Written>,
}

/// As small as can be: half of the time of a look is the way to this one's place in memory.
pub(super) struct Stored {
    pub(super) written: Written,
    pub(super) deadline: Option<Deadline>,
    /// Where the index has it, which is never after the deadline. The index follows a deadline that moved away when this
    /// has passed: moving it there with every write would cost more than the write.
    indexed: Option<Deadline>,
}

/// What came out of the index.
#[derive(Default)]
pub(super) struct Freed {
    pub(super) removed: usize,
    pub(super) examined: usize,
}

impl Shard {
    pub(super) fn new() -> Shard {
        Shard {
            items: HashTable::new(),
            deadlines: Deadlines::default(),
            last_version: first_version(),
            spare: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn live(&self, now: Deadline) -> impl Iterator<Item = &Stored> {
        self.items.iter().filter(move |stored| !stored.has_expired(now))
    }

    /// What `read` finds in the item under `key`, which is looked up once, unless it has expired; then it is freed.
    pub(super) fn read<T>(
        &mut self,
        hash: u64,
        key: &ItemKey,
        read: impl FnOnce(&Stored, Deadline) -> T,
    ) -> Option<T> {
        let stored = self.items.find(hash, |stored| stored.written.is_of(key))?;
        // Not before: to look at the clock is to wait for whatever is still on its way from memory.
        let now = Deadline::now();
        if stored.has_expired(now) {
            self.remove(hash, key);
            return None;
        }
        Some(read(stored, now))
    }

    pub(super) fn remove(&mut self, hash: u64, key: &ItemKey) {
        if let Ok(found) = self.items.find_entry(hash, |stored| stored.written.is_of(key)) {
            let (stored, _) = found.remove();
            self.deadlines.replace(&hash, stored.indexed, None);
        }
    }

    /// Writes over an item that has expired as if it were not there, and tells the new version; `None` when the condition
    /// does not hold.
    pub(super) fn write(
        &mut self,
        hash: u64,
        key: &ItemKey,
        value: &[u8],
        when: &When,
        deadline: Option<Deadline>,
        now: Deadline,
    ) -> Option<u64> {
        let Shard { items, deadlines, last_version, spare } = self;
        let entry =
            items.entry(hash, |stored| stored.written.is_of(key), |stored| stored.written.hash());
        let version = match &entry {
            Entry::Occupied(found) if !found.get().has_expired(now) => {
                Some(found.get().written.version())
            }
            _ => None,
        };
        let holds = match when {
            When::Always => true,
            When::Absent => version.is_none(),
            When::Version(wanted) => version.is_some() && version == wanted.as_number(),
        };
        if !holds {
            return None;
        }
        *last_version += 1;
        let version = *last_version;
        let written = Written::new(hash, key, version, value, spare.take());
        let stored = match entry {
            Entry::Occupied(found) => {
                let stored = found.into_mut();
                let old = std::mem::replace(&mut stored.written, written);
                *spare = Some(old).filter(|old| old.len() <= MOST_SPARED);
                stored
            }
            Entry::Vacant(place) => {
                let stored = Stored { written, deadline: None, indexed: None };
                place.insert(stored).into_mut()
            }
        };
        stored.move_deadline(deadline, hash, deadlines);
        Some(version)
    }

    /// Whether the item is there.
    pub(super) fn touch(
        &mut self,
        hash: u64,
        key: &ItemKey,
        deadline: Option<Deadline>,
        now: Deadline,
    ) -> bool {
        let Shard { items, deadlines, .. } = self;
        let stored = items.find_mut(hash, |stored| stored.written.is_of(key));
        let Some(stored) = stored.filter(|stored| !stored.has_expired(now)) else { return false };
        stored.move_deadline(deadline, hash, deadlines);
        true
    }

    /// Takes at most `budget` items out of the index, those that came first: the expired are freed, and those that live
    /// longer now have a new place in it.
    pub(super) fn free_expired(&mut self, budget: usize, now: Deadline) -> Freed {
        let Shard { items, deadlines, .. } = self;
        let mut freed = Freed::default();
        while freed.examined < budget
            && let Some((indexed, hash)) = deadlines.pop_expired(now)
        {
            freed.examined += 1;
            let is_there =
                |stored: &Stored| stored.indexed == Some(indexed) && stored.written.hash() == hash;
            while let Ok(mut found) = items.find_entry(hash, is_there) {
                if found.get().has_expired(now) {
                    found.remove();
                    freed.removed += 1;
                } else {
                    let stored = found.get_mut();
                    stored.indexed = None;
                    stored.move_deadline(stored.deadline, hash, deadlines);
                }
            }
        }
        if items.len() * 4 < items.capacity() {
            items.shrink_to(items.len() * 2, |stored| stored.written.hash());
        }
        freed
    }
}

impl Stored {
    fn has_expired(&self, now: Deadline) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    fn move_deadline(
        &mut self,
        deadline: Option<Deadline>,
        hash: u64,
        deadlines: &mut Deadlines<u64>,
    ) {
        self.deadline = deadline;
        let is_sooner =
            |deadline: &Deadline| self.indexed.is_none_or(|indexed| *deadline < indexed);
        if let Some(deadline) = deadline.filter(is_sooner) {
            deadlines.replace(&hash, self.indexed, Some(deadline));
            self.indexed = Some(deadline);
        }
    }
}
