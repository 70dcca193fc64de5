//! When an item expires, to the millisecond.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::message::{KvEntry, KvValue, ValueEncoding};

/// The longest ttl in milliseconds, a thousand years; what is longer never ends.
const LONGEST_TTL: u128 = 31_556_952_000_000;

/// A moment in milliseconds since 1970, by the clock of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deadline(u64);

impl Deadline {
    pub(super) fn at(milliseconds: u64) -> Deadline {
        Deadline(milliseconds)
    }

    /// The moment `ttl` from now. Less than a millisecond is one.
    pub(super) fn after(ttl: Option<Duration>) -> Option<Deadline> {
        let ttl = ttl?.as_nanos().div_ceil(1_000_000);
        let ttl = u64::try_from(ttl).ok().filter(|_| ttl <= LONGEST_TTL)?;
        now().checked_add(ttl).map(Deadline)
    }

    /// As an entry says it; `None` where that is no deadline.
    pub(super) fn of(entry: &KvEntry) -> Option<Deadline> {
        let bytes = <[u8; 8]>::try_from(&*entry.value).ok()?;
        let is_number = entry.encoding == i32::from(ValueEncoding::Le64);
        is_number.then_some(Deadline(u64::from_le_bytes(bytes)))
    }

    /// As it is stored: what JavaScript calls a `Deno.KvU64`.
    pub(super) fn stored(self) -> KvValue {
        let data = Bytes::copy_from_slice(&self.0.to_le_bytes());
        KvValue { data, encoding: ValueEncoding::Le64.into() }
    }

    /// A moment by which the database has surely freed what expired at this one.
    pub(super) fn later(self) -> Deadline {
        const A_DAY: u64 = 24 * 3600 * 1000;
        Deadline(self.0.saturating_add(A_DAY))
    }

    /// As a write says it to the database.
    pub(super) fn expire_at_ms(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(super) fn milliseconds(self) -> u64 {
        self.0
    }

    /// How long it is until then.
    pub(super) fn remaining(self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now()))
    }

    pub(super) fn has_passed(self) -> bool {
        self.0 <= now()
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
