//! Whether a store does what sessions need of it, tried on an item of one's own.

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant, SystemTime};

use cloakroom_session::Sessions;
use cloakroom_storage::{
    Bytes, Capabilities, Driver as _, DynDriver, Error as StorageError, ErrorKind, ItemKey,
    RemoveOutcome, SetOutcome, Version, When,
};
use futures_util::StreamExt as _;

use super::finding::{Finding, Findings, Level};
use super::timed::Timed;

/// How long what is written here lives at most, also where this process is killed.
const LONGEST: Duration = Duration::from_secs(60);

/// The deadline that is waited for. Some stores count whole seconds.
const SHORT: Duration = Duration::from_secs(1);

/// How much later an item may be gone: `memcached` lets one live for two seconds longer.
const LATE: Duration = Duration::from_secs(4);

/// Between two looks whether it is gone.
const PAUSE: Duration = Duration::from_millis(50);

/// How far clocks may be apart. HTTP tells whole seconds.
const SKEW: f64 = 2.0;

/// How often the time is asked for: of the answers, the one that took least says most.
const LOOKS: usize = 3;

/// How long a call may take on this side of what a visitor notices, in milliseconds.
const SLOW: f64 = 50.0;

/// As long as a session is, usually.
const LENGTH: usize = 1024;

pub(super) struct Examination {
    driver: DynDriver,
    capabilities: Capabilities,
    rounds: u32,
    /// No ID is like this, so that no cookie reaches it.
    key: ItemKey,
}

/// What the rounds took.
#[derive(Default)]
struct Rounds {
    write: Timed,
    read: Timed,
    swap: Timed,
    remove: Timed,
}

impl Examination {
    pub(super) fn new(sessions: &Sessions, rounds: u32) -> Result<Examination, Box<dyn Error>> {
        let driver = sessions.driver().clone();
        let key = ItemKey::new(&format!("doctor:{:016x}", RandomState::new().hash_one("key")))?;
        Ok(Examination { capabilities: driver.capabilities(), driver, rounds, key })
    }

    /// Tells everything that it finds.
    ///
    /// # Errors
    /// When the output is closed.
    pub(super) async fn run(&self, findings: &mut Findings) -> Result<(), Box<dyn Error>> {
        if let Err(error) = self.driver.get(&self.key).await {
            // Nothing else would do better.
            return Ok(findings.tell(failure("reach", &error))?);
        }
        if self.capabilities.read_only {
            let remedy = "configure a store that takes writes where a server shall run on it";
            let finding =
                Finding::new(Level::Note, "read-only", "the store takes no writes", remedy);
            findings.tell(finding)?;
        } else if self.capabilities.retains {
            self.measure(findings).await?;
            findings.tell(self.wait_for_deadline().await)?;
        }
        findings.tell(self.compare_clocks().await)?;
        findings.tell(self.list().await)?;
        Ok(())
    }

    /// Removes what is left; says where that does not work.
    pub(super) async fn clean_up(&self) -> Option<Finding> {
        if self.capabilities.read_only || !self.capabilities.retains {
            return None;
        }
        let removed = self.driver.remove(&self.key, When::Always).await;
        removed.err().map(|error| failure("clean-up", &error))
    }

    async fn measure(&self, findings: &mut Findings) -> Result<(), Box<dyn Error>> {
        let mut rounds = Rounds::default();
        for round in 0..self.rounds {
            if let Err(finding) = self.round(round, &mut rounds).await {
                findings.tell(finding)?;
                break;
            }
        }
        let Rounds { write, read, swap, remove } = &rounds;
        let measured =
            [("read", read), ("write", write), ("compare-and-swap", swap), ("remove", remove)];
        for (code, timed) in measured.into_iter().filter(|(_, timed)| !timed.is_empty()) {
            findings.tell(speed(code, timed))?;
        }
        Ok(())
    }

    /// Writes, reads, compares and swaps, and removes; the first that is not as it should be ends it.
    async fn round(&self, round: u32, rounds: &mut Rounds) -> Result<(), Finding> {
        let value = value(round, 'a');
        let written = rounds.write.call(self.set(&value, When::Always)).await;
        let written = written.map_err(|error| failure("write", &error))?;
        let SetOutcome::Written { version } = written else {
            return Err(broken("write", "a write on no condition was refused"));
        };
        let read = rounds.read.call(self.driver.get(&self.key)).await;
        match read.map_err(|error| failure("read", &error))? {
            Some(item) if item.value == value => {}
            Some(_) => return Err(broken("read", "what was read is not what was written")),
            None => return Err(broken("read", "what was just written is not there")),
        }
        if self.capabilities.compare_and_swap {
            self.swap(round, version, rounds).await?;
        }
        let removed = rounds.remove.call(self.driver.remove(&self.key, When::Always)).await;
        match removed.map_err(|error| failure("remove", &error))? {
            RemoveOutcome::Removed => Ok(()),
            _ => Err(broken("remove", "what was just written could not be removed")),
        }
    }

    async fn swap(&self, round: u32, version: Version, rounds: &mut Rounds) -> Result<(), Finding> {
        const CODE: &str = "compare-and-swap";
        let newer = value(round, 'b');
        let swapped = rounds.swap.call(self.set(&newer, When::Version(version.clone()))).await;
        if swapped.map_err(|error| failure(CODE, &error))? == SetOutcome::Conflict {
            return Err(broken(CODE, "a write on the version that is there was refused"));
        }
        let stale = self.set(&value(round, 'c'), When::Version(version)).await;
        match stale.map_err(|error| failure(CODE, &error))? {
            SetOutcome::Conflict => Ok(()),
            SetOutcome::Written { .. } => {
                Err(broken(CODE, "a write on a stale version was taken, which loses updates"))
            }
        }
    }

    async fn set(&self, value: &Bytes, when: When) -> Result<SetOutcome, StorageError> {
        let ttl = self.capabilities.expiry.then_some(LONGEST);
        self.driver.set(&self.key, value.clone(), when, ttl).await
    }

    /// Whether an item is there before its deadline, and gone after it.
    async fn wait_for_deadline(&self) -> Finding {
        const CODE: &str = "deadline";
        if !self.capabilities.expiry {
            return Finding::ok(CODE, "not tried, since nothing expires in this store");
        }
        let begun = Instant::now();
        let set = self.driver.set(&self.key, value(0, 'd'), When::Always, Some(SHORT)).await;
        if let Err(error) = set {
            return failure(CODE, &error);
        }
        let mut was_there = false;
        loop {
            match self.driver.get(&self.key).await {
                Err(error) => return failure(CODE, &error),
                Ok(None) => break,
                Ok(Some(_)) if begun.elapsed() > SHORT + LATE => {
                    let what = format!(
                        "an item with a deadline of one second is there after {LATE:?} more"
                    );
                    return broken(CODE, &what);
                }
                Ok(Some(_)) => was_there = true,
            }
            tokio::time::sleep(PAUSE).await;
        }
        let lived = begun.elapsed().as_secs_f64();
        match was_there {
            true => Finding::ok(
                CODE,
                format!("an item with one of one second was gone after {lived:.1} s"),
            ),
            false => broken(CODE, "an item was gone before its deadline; are the clocks together?"),
        }
    }

    async fn compare_clocks(&self) -> Finding {
        const CODE: &str = "clock";
        let mut best: Option<(Duration, f64)> = None;
        for _ in 0..LOOKS {
            let (asked, begun) = (since_1970(), Instant::now());
            let told = match self.driver.time().await {
                Ok(Some(told)) => told,
                Ok(None) => {
                    return Finding::ok(
                        CODE,
                        "the store tells no time, or has this machine's clock",
                    );
                }
                Err(error) => return unknown_time(&error),
            };
            let took = begun.elapsed();
            let here = asked + took / 2;
            let skew = told.as_secs_f64() - here.as_secs_f64();
            if best.is_none_or(|(least, _)| took < least) {
                best = Some((took, skew));
            }
        }
        let skew = best.map_or(0.0, |(_, skew)| skew);
        let way = if skew < 0.0 { "behind" } else { "ahead of" };
        let what = format!("the store's is {:.1} s {way} this machine's", skew.abs());
        let finding = match skew.abs() <= SKEW {
            true => Finding::ok(CODE, what),
            false => Finding::new(
                Level::Warning,
                CODE,
                what,
                "keep both right by NTP: `absolute` and the entries' own `ttl` go by the servers' clocks, deadlines by the store's",
            ),
        };
        finding.with("skew", (skew * 1000.0).round() / 1000.0)
    }

    /// Whether keys can be listed: one is enough.
    async fn list(&self) -> Finding {
        const CODE: &str = "list";
        let hides_keys = self.driver.alias(&self.key).is_ok_and(|alias| alias != self.key);
        if !self.capabilities.iteration && !hides_keys {
            let remedy = "`list`, `count` and `revoke --all` do not work with it; what a principal has can be listed and ended";
            return Finding::new(Level::Note, CODE, "the store cannot list its keys", remedy);
        }
        if self.can_write() {
            // So that there is one.
            if let Err(error) = self.set(&value(0, 'e'), When::Always).await {
                return failure(CODE, &error);
            }
        }
        match self.driver.keys("").next().await {
            Some(Err(error)) => failure(CODE, &error),
            None if self.can_write() => broken(CODE, "what is there is not listed"),
            _ => Finding::ok(CODE, "keys can be listed"),
        }
    }

    fn can_write(&self) -> bool {
        self.capabilities.retains && !self.capabilities.read_only
    }
}

/// A value that is no session to anybody who lists hashed keys, and another one each time.
fn value(round: u32, letter: char) -> Bytes {
    let mut value = format!("{{\"round\":{round},\"{letter}\":\"");
    value.extend(std::iter::repeat_n('.', LENGTH.saturating_sub(value.len() + 2)));
    value.push_str("\"}");
    value.into()
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn speed(code: &'static str, timed: &Timed) -> Finding {
    let (median, worst) = (timed.median(), timed.worst());
    let what = format!("median {median:.2} ms, worst {worst:.2} ms");
    let finding = match median <= SLOW {
        true => Finding::ok(code, what),
        false => Finding::new(
            Level::Warning,
            code,
            what,
            "let the store be nearer to the servers, or less busy: each request that uses its session waits so long",
        ),
    };
    finding.timed(timed)
}

/// A store that says one thing and does another.
fn broken(code: &'static str, what: &str) -> Finding {
    let remedy =
        "look whether a proxy, a cache or a replica stands before the store, and take it away";
    Finding::new(Level::Failure, code, what, remedy)
}

fn failure(code: &'static str, error: &StorageError) -> Finding {
    let remedy = match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Timeout => {
            "see that the store is up, and that this machine reaches it"
        }
        ErrorKind::PermissionDenied => "let the user of the configuration do this in the store",
        ErrorKind::ReadOnly => "see that it is no replica, and that its disk takes writes",
        ErrorKind::StorageFull => "make room; do not let the store throw out what it has",
        ErrorKind::Corrupt => {
            "see that the keys of `encryption` are those that the records were sealed with"
        }
        _ => return Finding::failed(code, &error.to_string()),
    };
    Finding::new(Level::Failure, code, error.to_string(), remedy)
}

/// That a user may not ask for the time is no harm.
fn unknown_time(error: &StorageError) -> Finding {
    let remedy = "let the user ask for it where you want to know, as with `+time` in Redis";
    Finding::new(Level::Note, "clock", error.to_string(), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_as_long_as_a_session_and_no_session() {
        let value = value(7, 'a');
        assert_eq!(value.len(), LENGTH);
        assert!(
            value.starts_with(b"{") && serde_json::from_slice::<serde_json::Value>(&value).is_ok()
        );
    }
}
