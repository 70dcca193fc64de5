//! The operations of the driver.

use std::time::Duration;

use bytes::Bytes;

use super::database::Database;
use super::deadline::Deadline;
use super::key::{self, Name, Space, behind};
use super::message::{AtomicWrite, Check, KvValue, Mutation, MutationType, ReadRange};
use super::version::{Seen, version};
use super::{NAME, value};
use cloakroom_storage::{
    Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Version, When,
};

/// How often a write begins anew that another one came before.
const ATTEMPTS: usize = 100;

pub(super) struct Store {
    pub(super) database: Database,
    pub(super) space: Space,
}

/// What is under an item's keys.
struct Found {
    value: KvValue,
    versionstamp: Bytes,
    deadline: Option<Deadline>,
}

/// What became of a write on a condition.
enum Commit {
    Done { versionstamp: Bytes },
    Refused { is_there: bool },
}

impl Found {
    fn is_live(&self) -> bool {
        !self.deadline.is_some_and(Deadline::has_passed)
    }
}

impl Store {
    pub(super) async fn get(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.find(&self.name(key)?).await?;
        let Some(found) = found.filter(Found::is_live) else { return Ok(None) };
        let value = value::decode(&found.value)?;
        let version = version(&found.versionstamp, found.deadline, &value);
        Ok(Some((Item { value, version }, found.deadline.map(Deadline::remaining))))
    }

    pub(super) async fn set(
        &self,
        key: &ItemKey,
        value: &Bytes,
        when: &When,
        deadline: Option<Deadline>,
    ) -> Result<SetOutcome> {
        let name = self.name(key)?;
        let mutations = writes(&name, value::encode(value)?, deadline);
        let commit = match when {
            When::Always => self.commit_blindly(mutations).await?,
            When::Absent => {
                // Nothing, or what has expired.
                let free = |found: Option<&Found>| match found {
                    None => Some(Bytes::new()),
                    Some(found) => (!found.is_live()).then(|| found.versionstamp.clone()),
                };
                self.commit(&name, mutations, Some(Bytes::new()), free).await?
            }
            When::Version(seen) => self.commit_over(&name, mutations, seen).await?,
        };
        Ok(match commit {
            Commit::Done { versionstamp } => {
                SetOutcome::Written { version: version(&versionstamp, deadline, value) }
            }
            Commit::Refused { .. } => SetOutcome::Conflict,
        })
    }

    pub(super) async fn remove(&self, key: &ItemKey, when: &When) -> Result<RemoveOutcome> {
        let name = self.name(key)?;
        let removed = match when {
            When::Absent => return Err(Error::remove_absent(NAME, key)),
            When::Always => match self.find(&name).await?.filter(Found::is_live) {
                Some(_) => self.commit_blindly(removals(&name)).await?,
                None => Commit::Refused { is_there: false },
            },
            When::Version(seen) => self.commit_over(&name, removals(&name), seen).await?,
        };
        Ok(match removed {
            Commit::Done { .. } => RemoveOutcome::Removed,
            Commit::Refused { is_there: true } => RemoveOutcome::Conflict,
            Commit::Refused { is_there: false } => RemoveOutcome::Missing,
        })
    }

    /// Writes what is there once more, whatever it is: nothing else moves its deadline.
    pub(super) async fn touch(&self, key: &ItemKey, deadline: Option<Deadline>) -> Result<bool> {
        let name = self.name(key)?;
        for _ in 0..ATTEMPTS {
            let found = self.find(&name).await?;
            let Some(found) = found.filter(Found::is_live) else { return Ok(false) };
            let mutations = writes(&name, found.value, deadline);
            let Some(versionstamp) = self.write(&name, mutations, found.versionstamp).await? else {
                continue;
            };
            if found.deadline.is_some_and(Deadline::has_passed) {
                // Perhaps it was too late, and others have seen it expired.
                self.write(&name, removals(&name), versionstamp).await?;
                return Ok(false);
            }
            return Ok(true);
        }
        Err(overtaken())
    }

    fn name(&self, key: &ItemKey) -> Result<Name> {
        if key::is_deadline(key) {
            let message = "the key ends with `$`, where the deadline of another item would be";
            return Err(Error::new(ErrorKind::InvalidKey, message).with_unapplied(true));
        }
        Ok(self.space.name(key))
    }

    /// What is there, live or not.
    async fn find(&self, name: &Name) -> Result<Option<Found>> {
        let ranges = [&name.item, &name.deadline].map(|key| ReadRange {
            start: key.clone(),
            end: behind(key),
            limit: 1,
        });
        let ranges = self.database.read(ranges.into()).await?;
        let mut entries = ranges.into_iter().map(|mut range| range.pop());
        let Some(item) = entries.next().flatten() else { return Ok(None) };
        let deadline = entries.next().flatten();
        let deadline = deadline.filter(|deadline| deadline.versionstamp == item.versionstamp);
        Ok(Some(Found {
            value: KvValue { data: item.value, encoding: item.encoding },
            versionstamp: item.versionstamp,
            deadline: deadline.as_ref().and_then(Deadline::of),
        }))
    }

    /// Commits over the version that was seen, and over any other of the same bytes.
    async fn commit_over(
        &self,
        name: &Name,
        mutations: Vec<Mutation>,
        seen: &Version,
    ) -> Result<Commit> {
        let seen = Seen::of(seen);
        let is_live = |seen: &&Seen<'_>| !seen.deadline.is_some_and(Deadline::has_passed);
        let expected = seen.as_ref().filter(is_live).map(|seen| seen.versionstamp.clone());
        let same = |found: Option<&Found>| {
            let found = found.filter(|found| found.is_live())?;
            let value = value::decode(&found.value).ok()?;
            seen.as_ref()?.is_of(&value).then(|| found.versionstamp.clone())
        };
        self.commit(name, mutations, expected, same).await
    }

    /// Commits on the condition that the item is at the version `expected`. Where it is not, or there is none to expect,
    /// on the one that `accept` gives for what is there.
    async fn commit(
        &self,
        name: &Name,
        mutations: Vec<Mutation>,
        mut expected: Option<Bytes>,
        accept: impl Fn(Option<&Found>) -> Option<Bytes>,
    ) -> Result<Commit> {
        for _ in 0..ATTEMPTS {
            let versionstamp = match expected.take() {
                Some(expected) => expected,
                None => {
                    let found = self.find(name).await?;
                    let Some(accepted) = accept(found.as_ref()) else {
                        let is_there = found.is_some_and(|found| found.is_live());
                        return Ok(Commit::Refused { is_there });
                    };
                    accepted
                }
            };
            let written = self.write(name, mutations.clone(), versionstamp).await?;
            if let Some(versionstamp) = written {
                return Ok(Commit::Done { versionstamp });
            }
        }
        Err(overtaken())
    }

    async fn commit_blindly(&self, mutations: Vec<Mutation>) -> Result<Commit> {
        let write = AtomicWrite { checks: Vec::new(), mutations };
        let versionstamp = self.database.write(&write).await?;
        versionstamp.map(|versionstamp| Commit::Done { versionstamp }).ok_or_else(overtaken)
    }

    /// The new version; `None` where the item is not at this one.
    async fn write(
        &self,
        name: &Name,
        mutations: Vec<Mutation>,
        versionstamp: Bytes,
    ) -> Result<Option<Bytes>> {
        let checks = vec![Check { key: name.item.clone(), versionstamp }];
        self.database.write(&AtomicWrite { checks, mutations }).await
    }
}

/// What makes an item of this value, or none where its time has come.
fn writes(name: &Name, value: KvValue, deadline: Option<Deadline>) -> Vec<Mutation> {
    let set = |key: &Bytes, value, deadline: Option<Deadline>| Mutation {
        key: key.clone(),
        value: Some(value),
        mutation_type: MutationType::Set.into(),
        expire_at_ms: deadline.map_or(0, Deadline::expire_at_ms),
    };
    match deadline {
        None => vec![set(&name.item, value, None), removal(&name.deadline)],
        Some(deadline) if deadline.has_passed() => removals(name),
        Some(deadline) => vec![
            set(&name.item, value, Some(deadline)),
            // It outlives the item, which would never expire without it. What is left belongs to no later version.
            set(&name.deadline, deadline.stored(), Some(deadline.later())),
        ],
    }
}

fn removals(name: &Name) -> Vec<Mutation> {
    vec![removal(&name.item), removal(&name.deadline)]
}

fn removal(key: &Bytes) -> Mutation {
    Mutation { key: key.clone(), mutation_type: MutationType::Delete.into(), ..Mutation::default() }
}

/// Others were first each time.
fn overtaken() -> Error {
    let message = "another write came before this one each time; try again";
    Error::new(ErrorKind::Unavailable, message).with_unapplied(true)
}
