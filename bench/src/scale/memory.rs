//! The driver `memory`, beside a map that anybody can make, and what a session takes of this machine's memory.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use super::map::Map;
use super::store::{Store, fill, open};
use super::threads::both;
use super::{Bench, Operation};
use figures::comparison::Comparison;
use figures::comparison::Unit::{Bytes, Nanoseconds};
use figures::measure::{Series, Side, side_by_side};

/// How many bytes a session may take besides its ID and its record.
const MOST_OVERHEAD: f64 = 250.0;

/// How fast a store of the largest size is beside a map: by one thread, and by two at once.
const BESIDE_A_MAP: f64 = 0.95;
const BY_TWO_THREADS: f64 = 1.5;

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

/// At the smallest and the largest size, and by two threads at once at the largest.
fn beside_a_map(bench: &Bench<'_>, stores: &mut [Store]) -> Result<Vec<Comparison>> {
    let mut rows = Vec::new();
    let last = stores.len() - 1;
    for place in [0, last] {
        let (store, (count, size)) = (&mut stores[place], bench.sizes[place]);
        let mut map = Map::filled(count);
        for operation in Operation::ALL {
            let sides =
                [bench.side("ours", operation, store), bench.side(Map::NAME, operation, &mut map)];
            let [ours, peer] = side_by_side(bench.settings, sides)?;
            let name = format!("{}, memory, {size} sessions", operation.name());
            let row = Comparison::new(name, Nanoseconds, &ours, &peer);
            rows.push(if place == last { row.target(BESIDE_A_MAP) } else { row });
        }
        if place == last {
            rows.extend(by_two_threads(bench, store, &map)?);
        }
    }
    Ok(rows)
}

fn by_two_threads(bench: &Bench<'_>, store: &Store, map: &Map) -> Result<Vec<Comparison>> {
    let (count, size) = bench.largest();
    let (mut stores, mut maps) = (store.apart(), map.apart(count));
    let sample = bench.settings.sample();
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        let sides = [
            Side::new("ours", || both(&mut stores, operation, sample)),
            Side::new(Map::NAME, || both(&mut maps, operation, sample)),
        ];
        let [ours, peer] = side_by_side(bench.settings, sides)?;
        let name = format!("{} by two threads, memory, {size} sessions", operation.name());
        rows.push(Comparison::new(name, Nanoseconds, &ours, &peer).target(BY_TWO_THREADS));
    }
    Ok(rows)
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
