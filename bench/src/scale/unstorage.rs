//! unstorage's `fs-lite` in Node.js, beside ours, on folders that are alike.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Result, ensure};

use super::files::write_file;
use super::store::Store;
use super::{Bench, Operation};
use crate::javascript::JavaScript;
use figures::comparison::{Comparison, Unit::Nanoseconds};
use figures::measure::{Side, side_by_side};
use figures::sessions::is_of;
use figures::sessions::{LENGTH, id};
use figures::walk::Walk;

const NAME: &str = "unstorage 1.17.6, Node.js";

/// At how many sessions.
const COUNTS: [usize; 2] = [1_000, 100_000];

pub(super) fn run(bench: &Bench<'_>, stores: &mut [Store]) -> Result<Vec<Comparison>> {
    let milliseconds = bench.settings.sample().as_millis().to_string();
    let javascript = JavaScript::start(&bench.settings.root, "files.mjs", &[&milliseconds])?;
    let javascript = RefCell::new(javascript);
    let mut rows = Vec::new();
    for store in stores.iter_mut().filter(|store| COUNTS.contains(&store.count)) {
        let size = bench.size(store.count);
        let folder = bench.folder()?;
        let now = SystemTime::now();
        (0..store.count).try_for_each(|number| write_file(folder.path(), number, now))?;
        for operation in Operation::ALL {
            let line = format!("{} {}", operation.name(), folder.path().display());
            let sides = [
                bench.side("ours", operation, store),
                Side::new(NAME, || javascript.borrow_mut().ask(&line)),
            ];
            let [ours, peer] = side_by_side(bench.settings, sides)?;
            let name = format!("{}, fs-lite, {size} sessions", operation.name());
            rows.push(Comparison::new(name, Nanoseconds, &ours, &peer));
        }
        check(folder.path(), store.count)?;
    }
    Ok(rows)
}

/// Sees that the records are whole, and that they were written.
fn check(folder: &Path, count: usize) -> Result<()> {
    let mut changed = 0;
    for number in Walk::new(count).take(1000) {
        let record = fs::read(folder.join(id(number)))?;
        let is_whole = record.len() == LENGTH && is_of(number, &record);
        ensure!(is_whole, "unstorage left something else of session {number}");
        changed += usize::from(record != figures::sessions::record(number, 0).as_bytes());
    }
    ensure!(changed > 0, "unstorage wrote nothing");
    Ok(())
}
