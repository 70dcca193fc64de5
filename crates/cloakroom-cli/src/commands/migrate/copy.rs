//! One item on its way to the target.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use cloakroom_drivers::overlay::is_word;
use cloakroom_storage::{
    Bytes, Driver as _, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, Version, When,
};

use super::ledger::{Entry, Hash, Ledger, Standing};
use super::stores::Stores;

/// After so many writers who were faster, something else is wrong.
const ATTEMPTS: usize = 100;

/// Two deadlines that are no further apart, in seconds, are one: what a call takes, and how exactly stores keep them.
const APART: u32 = 2;

/// What became of an item of the source.
#[derive(Debug)]
pub(super) enum Copied {
    /// It was written to the target, with so many bytes.
    Written(usize),
    /// The target has the same bytes, so many.
    Same(usize),
    /// The target has something else there, which somebody has put there since: it stays.
    Newer,
    /// It was ended in the target: it stays ended.
    Ended,
    /// It was written, and is there no more. It was ended, or the target has lost it.
    Missing,
    /// It is no more, or its time has passed.
    Gone,
    /// The source has it, and it cannot be read.
    Unreadable(String),
    /// The target does not take it.
    Refused(String),
}

/// An item as it shall be in the target.
struct Wanted {
    value: Bytes,
    hash: Hash,
    deadline: Option<Instant>,
    /// The same in seconds since 1970; 0 for never.
    ends: u32,
}

/// How much the ledger is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// What the ledger has and the source has not changed is not asked for in the target.
    AtTheSource,
    /// Each item is read in both.
    AtBoth,
}

pub(super) struct Copier<'a> {
    pub(super) stores: &'a Stores,
    pub(super) ledger: &'a Ledger,
    /// Whether the target decides on conditions.
    pub(super) compares: bool,
}

type Outcome<T> = Result<T, Box<dyn Error>>;

impl Copier<'_> {
    /// Brings one item to the target, as the source has it now.
    ///
    /// # Errors
    /// When a store fails, or the ledger cannot be written.
    pub(super) async fn copy(&self, key: &ItemKey, look: Look) -> Outcome<Copied> {
        let name = self.ledger.hash(self.stores.name(key)?.as_str().as_bytes());
        let asked = Instant::now();
        let (item, ttl) = match self.stores.from.get_with_ttl(key).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Copied::Gone),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                // It is there, so what an earlier pass has written of it stays.
                self.ledger.see(name);
                return Ok(Copied::Unreadable(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        if is_word(&item.value) {
            return Ok(Copied::Gone);
        }
        let value = self.stores.translated(key, item.value);
        let hash = self.ledger.hash(&value);
        let wanted = Wanted { hash, deadline: ttl.map(|ttl| asked + ttl), ends: ends(ttl), value };
        let entry = self.ledger.see(name);
        if look == Look::AtTheSource && entry.is_written(hash) && is_near(entry.ends, wanted.ends) {
            return Ok(Copied::Same(wanted.value.len()));
        }
        let longest = self.stores.to.capabilities().longest_value.unwrap_or(usize::MAX);
        if wanted.value.len() > longest {
            let (length, driver) = (wanted.value.len(), self.stores.to.name());
            return Ok(Copied::Refused(format!(
                "it has {length} bytes, and `{driver}` takes {longest}"
            )));
        }
        self.bring(key, name, &wanted, entry).await
    }

    async fn bring(
        &self,
        key: &ItemKey,
        name: Hash,
        wanted: &Wanted,
        entry: Entry,
    ) -> Outcome<Copied> {
        // Most of a first pass is not there yet: one call, where to look first would be two.
        let mut looks = !entry.is_unknown() || !self.compares;
        for _ in 0..ATTEMPTS {
            let found = match looks {
                false => None,
                true => match self.stores.to.get_with_ttl(key).await {
                    Ok(found) => found,
                    // What does not open was not sealed by this.
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        let is_removed = self.stores.is_removed(key).await?;
                        return Ok(if is_removed { Copied::Ended } else { Copied::Newer });
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            looks = true;
            let written = match found {
                None => match self.ended_there(key, entry).await? {
                    Some(ended) => return Ok(ended),
                    None => self.write(key, name, wanted, None).await?,
                },
                Some((there, ttl)) => {
                    let hash = self.ledger.hash(&there.value);
                    let is_same = hash == wanted.hash;
                    if is_same && !is_to_be_moved(entry, hash, ends(ttl), wanted.ends) {
                        // From now on it is as if it had been written from here, until a server changes it.
                        if !entry.is_written(hash) && entry.standing != Standing::Theirs {
                            self.ledger.written(name, hash, wanted.ends)?;
                        }
                        return Ok(Copied::Same(wanted.value.len()));
                    }
                    if is_word(&there.value) {
                        return Ok(Copied::Ended);
                    }
                    if !is_same && !entry.is_ours(hash) {
                        self.ledger.theirs(name)?;
                        return Ok(Copied::Newer);
                    }
                    self.write(key, name, wanted, Some((hash, there.version))).await?
                }
            };
            // Else another was faster.
            if let Some(copied) = written {
                return Ok(copied);
            }
        }
        Ok(Copied::Newer)
    }

    /// What is missing in the target because it was ended there, and has not only expired or never come: it is not brought back.
    async fn ended_there(&self, key: &ItemKey, entry: Entry) -> Outcome<Option<Copied>> {
        let was_to_live = entry.ends == 0 || entry.ends > seconds(SystemTime::now()) + APART;
        Ok(match entry.standing {
            Standing::Theirs => Some(Copied::Ended),
            Standing::Written if was_to_live => Some(Copied::Missing),
            _ => self.stores.is_over(key).await?.then_some(Copied::Ended),
        })
    }

    /// Writes it where nothing is, or in the place of what was found there; `None` where that is so no more.
    async fn write(
        &self,
        key: &ItemKey,
        name: Hash,
        wanted: &Wanted,
        there: Option<(Hash, Version)>,
    ) -> Outcome<Option<Copied>> {
        let (hash, version) = there.unzip();
        let when = match version {
            _ if !self.compares => When::Always,
            Some(version) => When::Version(version),
            None => When::Absent,
        };
        let ttl = wanted.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        if ttl == Some(Duration::ZERO) {
            return Ok(Some(Copied::Gone));
        }
        self.ledger.trying(name, wanted.hash, wanted.ends, hash)?;
        match self.stores.to.set(key, wanted.value.clone(), when, ttl).await {
            Ok(SetOutcome::Written { .. }) => {
                self.ledger.written(name, wanted.hash, wanted.ends)?;
                Ok(Some(Copied::Written(wanted.value.len())))
            }
            Ok(SetOutcome::Conflict) => Ok(None),
            Err(error) if is_of_the_item(error.kind()) => {
                Ok(Some(Copied::Refused(error.to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes out of the target what the source has no more, if it is as it was written; whether it was taken out.
    ///
    /// # Errors
    /// When a store fails, or the ledger cannot be written.
    pub(super) async fn take_out(&self, key: &ItemKey, name: Hash) -> Outcome<bool> {
        let entry = self.ledger.get(name);
        let found = match self.stores.to.get(key).await {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let Some(there) = found else { return Ok(false) };
        if !entry.is_ours(self.ledger.hash(&there.value)) {
            return Ok(false);
        }
        let when = if self.compares { When::Version(there.version) } else { When::Always };
        let outcome = self.stores.to.remove(key, when).await?;
        if outcome == RemoveOutcome::Conflict {
            return Ok(false);
        }
        self.ledger.forget(name)?;
        Ok(true)
    }
}

/// Whether the store fails with this item alone.
fn is_of_the_item(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::TooLarge | ErrorKind::InvalidKey | ErrorKind::Unsupported)
}

/// When what lives for so long ends, in seconds since 1970; 0 for never.
fn ends(ttl: Option<Duration>) -> u32 {
    let at = |ttl| SystemTime::now().checked_add(ttl).map_or(u32::MAX, seconds);
    ttl.map_or(0, at)
}

fn seconds(at: SystemTime) -> u32 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(u32::MAX)
}

/// Whether the same bytes shall have the source's deadline: where they have the one that they were given. One that a server has
/// moved in the target stays. Where it is not sure what they were given, the later counts: a session's deadline moves as it is used.
fn is_to_be_moved(entry: Entry, value: Hash, there: u32, wanted: u32) -> bool {
    if is_near(there, wanted) {
        return false;
    }
    match entry.standing {
        Standing::Theirs => false,
        Standing::Written if entry.is_ours(value) => is_near(there, entry.ends),
        _ => is_later(wanted, there),
    }
}

/// Whether two deadlines are the same one.
fn is_near(one: u32, other: u32) -> bool {
    (one == 0) == (other == 0) && one.abs_diff(other) <= APART
}

fn is_later(one: u32, other: u32) -> bool {
    other != 0 && (one == 0 || one > other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_compared_as_exactly_as_it_is_kept_and_never_is_none() {
        assert!(is_near(0, 0) && is_near(100, 102) && !is_near(100, 103));
        assert!(!is_near(0, 1) && is_later(0, 1) && !is_later(1, 0) && is_later(3, 2));
    }
}
