//! The driver `memory`, beside a map that anybody can make, and what a session takes of this machine's memory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::store::{Store, fill, open, time};
use super::{Bench, Operation};
use figures::comparison::Comparison;
use figures::comparison::Unit::{Bytes, Nanoseconds};
use figures::measure::{Series, Side, side_by_side};
use figures::sessions::is_of;
use figures::sessions::{id, record};
use figures::walk::Walk;

/// How many bytes a session may take besides its ID and its record.
const MOST_OVERHEAD: f64 = 250.0;

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Comparison>> {
    let mut stores = Vec::new();
    for (count, _) in bench.sizes {
        stores.push(bench.runtime.block_on(async {
            let driver = open("memory", &[]).await?;
            fill(&driver, 0..*count).await?;
            Store::filled(driver, *count).await
        })?);
    }
    let mut rows = bench.times("memory", &mut stores)?;
    rows.extend(beside_a_map(bench, &mut stores)?);
    rows.extend(bench.sweeps("memory", &stores)?);
    drop(stores);

    let (count, size) = bench.largest();
    let [ours, tower_sessions] = ["memory", "tower-sessions"].map(|side| held(side, count));
    let (ours, tower_sessions) = (ours?, tower_sessions?);
    let name = format!("memory besides ID and record, {size} sessions");
    rows.push(Comparison::limit(&name, Bytes, &ours, MOST_OVERHEAD));
    rows.push(Comparison::new(&name, Bytes, &ours, &tower_sessions));
    Ok(rows)
}

/// At the smallest and the largest size.
fn beside_a_map(bench: &Bench<'_>, stores: &mut [Store]) -> Result<Vec<Comparison>> {
    let mut rows = Vec::new();
    let last = stores.len() - 1;
    for place in [0, last] {
        let (store, (count, size)) = (&mut stores[place], bench.sizes[place]);
        let mut map = Map::filled(count);
        for operation in Operation::ALL {
            let sample = bench.settings.sample();
            let map = &mut map;
            let sides = [
                bench.side("ours", operation, store),
                Side::new("a HashMap in a Mutex", move || match operation {
                    Operation::Read => bench.runtime.block_on(map.read(sample)),
                    Operation::Change => bench.runtime.block_on(map.change(sample)),
                }),
            ];
            let [ours, peer] = side_by_side(bench.settings, sides)?;
            let name = format!("{}, memory, {size} sessions", operation.name());
            rows.push(Comparison::new(name, Nanoseconds, &ours, &peer));
        }
    }
    Ok(rows)
}

/// What is left of a store where there are no versions, no deadlines and no other shards.
struct Map {
    sessions: Mutex<HashMap<Box<str>, Arc<[u8]>>>,
    walk: Walk,
    turn: u32,
}

impl Map {
    fn filled(count: usize) -> Map {
        let sessions =
            (0..count).map(|number| (id(number).into(), record(number, 0).as_bytes().into()));
        Map { sessions: Mutex::new(sessions.collect()), walk: Walk::new(count), turn: 0 }
    }

    async fn read(&mut self, sample: Duration) -> Result<f64> {
        let Map { sessions, walk, .. } = self;
        time(
            sample,
            walk,
            |number| Ok(id(number)),
            async |number, id| {
                let record =
                    lock(sessions).get(id.as_str()).cloned().context("a session is missing")?;
                ensure!(is_of(number, &record), "session {number} is another one");
                Ok(())
            },
        )
        .await
    }

    async fn change(&mut self, sample: Duration) -> Result<f64> {
        self.turn += 1;
        let Map { sessions, walk, turn } = self;
        let prepare = |number| Ok((id(number), record(number, *turn)));
        time(sample, walk, prepare, async |number, (id, value)| {
            let record =
                lock(sessions).get(id.as_str()).cloned().context("a session is missing")?;
            ensure!(is_of(number, &record), "session {number} is another one");
            lock(sessions).insert(id.into(), value.as_bytes().into());
            Ok(())
        })
        .await
    }
}

fn lock<T>(sessions: &Mutex<T>) -> MutexGuard<'_, T> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of resident memory for a session besides its ID and its record, in a process of its own.
fn held(side: &'static str, count: usize) -> Result<Series> {
    // Cargo leaves it beside this program.
    let hold: PathBuf = std::env::current_exe()?.with_file_name("hold");
    let output = Command::new(hold).arg(side).arg(count.to_string()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`hold {side}` failed: {said}");
    let bytes = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(Series { name: side.to_owned(), samples: vec![bytes] })
}
