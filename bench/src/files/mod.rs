//! A compare-and-swap of the driver `fs-lite`, beside the system calls that it makes in a bare loop.

mod floor;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use cloakroom_storage::{DynDriver, ItemKey, SetOutcome, Version, When};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::scale::files::{filled, folder_of};
use crate::scale::settle;
use crate::scale::store::{TTL, key};
use figures::comparison::{Comparison, Unit::Nanoseconds};
use figures::measure::{Settings, Side, side_by_side};
use figures::sessions::record;
use floor::Floor;

const FLOOR: &str = "its system calls alone";

/// How many sessions there are, each of which is written once in a sample.
const SESSIONS: usize = 512;

/// How much more than its system calls a write may take.
const TARGET: f64 = 1.0 / 1.2;

/// How many write at once, and in how many threads: the driver has four.
const WRITERS: [(&str, usize, usize); 2] = [("one writer", 1, 1), ("64 writers", 64, 4)];

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let target = settings.root.join("bench/target");
    fs::create_dir_all(&target)?;
    // Beside what was built, on a disk: the folder for temporary files may be in memory. Both write to the same files in turn,
    // because how long a file system looks for a place for a new one depends on the folder.
    let folder = tempfile::tempdir_in(target)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let driver = runtime.block_on(fill(folder.path()))?;
    let floor = Floor::new(folder.path())?;
    let turn = Cell::new(0);
    settle(folder.path())?;

    let mut rows = Vec::new();
    for clock in [Clock::Wall, Clock::Processor] {
        for (who, writers, threads) in WRITERS {
            let ours = || {
                let writes = writes(&turn)?;
                clock.measure(|| runtime.block_on(write_all(&driver, writes, writers)))
            };
            let alone = || {
                let writes = writes(&turn)?;
                clock.measure(|| floor.write_all(&writes, threads))
            };
            let sides = [Side::new("ours", ours), Side::new(FLOOR, alone)];
            let [ours, floor] = side_by_side(settings, sides)?;
            let name = format!("{}, {who}", clock.name());
            rows.push(Comparison::new(name, Nanoseconds, &ours, &floor).target(TARGET));
        }
    }
    Ok(rows)
}

async fn fill(base: &Path) -> Result<DynDriver> {
    let driver = folder_of(base).await?;
    filled(&driver, base, SESSIONS).await?;
    Ok(driver)
}

/// One compare-and-swap.
struct Write {
    number: usize,
    key: ItemKey,
    expected: Bytes,
    value: Bytes,
}

/// Every session once, and all of them once more in the next turn.
fn writes(turn: &Cell<u32>) -> Result<Vec<Write>> {
    let before = turn.replace(turn.get() + 1);
    let writes = (0..SESSIONS).map(|number| {
        let [expected, value] = [before, turn.get()].map(|turn| record(number, turn).into());
        Ok(Write { number, key: key(number)?, expected, value })
    });
    writes.collect()
}

/// Does them by the driver, so many at once.
async fn write_all(driver: &DynDriver, writes: Vec<Write>, writers: usize) -> Result<()> {
    let mut parts: Vec<Vec<_>> = (0..writers).map(|_| Vec::new()).collect();
    for write in writes {
        parts[write.number % writers].push(write);
    }
    let mut tasks = JoinSet::new();
    for part in parts {
        tasks.spawn(write_each(Arc::clone(driver), part));
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}

async fn write_each(driver: DynDriver, writes: Vec<Write>) -> Result<()> {
    for Write { number, key, expected, value } in writes {
        let when = When::Version(Version::from(expected));
        let outcome = driver.set(&key, value, when, Some(TTL)).await?;
        ensure!(outcome != SetOutcome::Conflict, "session {number} is another one");
    }
    Ok(())
}

/// What is measured of a write.
#[derive(Clone, Copy)]
enum Clock {
    /// From the first to the last.
    Wall,
    /// What all threads of the process took of the processors.
    Processor,
}

impl Clock {
    fn name(self) -> &'static str {
        match self {
            Clock::Wall => "write",
            Clock::Processor => "processor time of a write",
        }
    }

    /// Nanoseconds for each session.
    fn measure(self, work: impl FnOnce() -> Result<()>) -> Result<f64> {
        let nanoseconds = match self {
            Clock::Wall => {
                let begin = Instant::now();
                work()?;
                begin.elapsed().as_nanos() as f64
            }
            Clock::Processor => {
                let begin = processor_time();
                work()?;
                processor_time() - begin
            }
        };
        Ok(nanoseconds / SESSIONS as f64)
    }
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
