//! How time and memory grow from a thousand sessions of 1 KB to a million.

pub(crate) mod files;
mod map;
mod memory;
mod redis;
mod sqlite;
mod start;
pub(crate) mod store;
mod sweep;
mod threads;
mod unstorage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use figures::comparison::{Comparison, Unit};
use figures::measure::{Series, Settings, Side, all_in_turn};
use store::Store;
use threads::Timed;

/// What counts as flat: a million sessions take at most twice the time of a thousand.
const FLAT: f64 = 0.5;

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let target = settings.root.join("bench/target");
    fs::create_dir_all(&target)?;
    let sizes = if settings.quick { &SIZES[..2] } else { &SIZES };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let bench = Bench { settings, runtime, sizes, target };
    let mut rows = memory::run(&bench)?;
    rows.extend(sqlite::run(&bench)?);
    rows.extend(redis::run(&bench)?);
    // Last: ext4 passes over what was deleted in the last minutes one by one, so whoever makes files after others were
    // removed waits for that.
    rows.extend(files::run(&bench)?);
    Ok(rows)
}

/// Waits until a folder's file system has written everything: what is still on its way to the disk would be in the way of
/// what is measured.
pub(crate) fn settle(folder: &Path) -> Result<()> {
    let synced = Command::new("sync").arg("--file-system").arg(folder).status()?;
    ensure!(synced.success(), "`sync` failed");
    Ok(())
}

/// How many sessions there are, and how that is written.
const SIZES: [(usize, &str); 4] =
    [(1_000, "1,000"), (10_000, "10,000"), (100_000, "100,000"), (1_000_000, "1,000,000")];

/// What every store is measured with.
struct Bench<'a> {
    settings: &'a Settings,
    runtime: Runtime,
    sizes: &'static [(usize, &'static str)],
    target: PathBuf,
}

/// What is done with one session.
#[derive(Clone, Copy)]
enum Operation {
    Read,
    Change,
}

impl Operation {
    const ALL: [Operation; 2] = [Operation::Read, Operation::Change];

    fn name(self) -> &'static str {
        match self {
            Operation::Read => "read",
            Operation::Change => "write",
        }
    }
}

impl Bench<'_> {
    /// A folder beside what was built, on a disk: the one for temporary files may be in memory. It goes with its value.
    fn folder(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(&self.target)?)
    }

    /// A number of sessions, as it is written.
    fn size(&self, count: usize) -> &'static str {
        self.sizes.iter().find(|size| size.0 == count).map_or("", |size| size.1)
    }

    fn largest(&self) -> (usize, &'static str) {
        self.sizes[self.sizes.len() - 1]
    }

    /// One side, measured once.
    fn side<'a>(
        &'a self,
        name: &'static str,
        operation: Operation,
        store: &'a mut impl Timed,
    ) -> Side<'a> {
        let sample = self.settings.sample();
        Side::new(name, move || self.runtime.block_on(operation.time(store, sample)))
    }

    /// A read and a write at each size, beside the same at the smallest.
    fn times(&self, name: &str, stores: &mut [Store]) -> Result<Vec<Comparison>> {
        let mut rows = Vec::new();
        for operation in Operation::ALL {
            let sides = self.sizes.iter().zip(stores.iter_mut());
            let sides = sides.map(|((_, size), store)| self.side(size, operation, store));
            let series = all_in_turn(self.settings, sides.collect())?;
            let what = format!("{}, {name}", operation.name());
            rows.extend(self.beside_the_smallest(&what, Unit::Nanoseconds, &series));
        }
        Ok(rows)
    }

    fn beside_the_smallest(&self, what: &str, unit: Unit, series: &[Series]) -> Vec<Comparison> {
        let Some((smallest, others)) = series.split_first() else { return Vec::new() };
        let peer = Series { name: format!("{} sessions", smallest.name), ..smallest.clone() };
        let rows = others.iter().map(|series| {
            let name = format!("{what}, {} sessions", series.name);
            let row = Comparison::new(name, unit, series, &peer);
            if series.name == self.largest().1 { row.target(FLAT) } else { row }
        });
        rows.collect()
    }
}
