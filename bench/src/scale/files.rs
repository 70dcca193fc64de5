//! The driver `fs-lite`: as many files as there are sessions.

use std::fs::{self, FileTimes, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use cloakroom_storage::DynDriver;

use super::store::{Store, fill, open};
use super::{Bench, settle, unstorage};
use figures::comparison::{Comparison, Unit::Bytes};
use figures::measure::Series;
use figures::sessions::{LENGTH, id, record};

/// What the blocks of a file are counted in.
const BLOCK: u64 = 512;

/// The driver's own folder.
pub(crate) const OWN: &str = ".cloakroom";

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Comparison>> {
    let folder = bench.folder()?;
    let at = |count: usize| folder.path().join(count.to_string());
    let mut stores = Vec::new();
    for (count, _) in bench.sizes {
        stores.push(bench.runtime.block_on(async {
            fs::create_dir(at(*count))?;
            let driver = folder_of(&at(*count)).await?;
            filled(&driver, &at(*count), *count).await?;
            Store::filled(driver, *count).await
        })?);
    }
    settle(folder.path())?;
    let mut rows = bench.times("fs-lite", &mut stores)?;
    let peers = unstorage::run(bench, &mut stores)?;
    rows.extend(peers);
    rows.extend(bench.starts("fs-lite", async |count| folder_of(&at(count)).await)?);
    let (count, size) = bench.largest();
    let (all, own) = (allocated(&at(count))?, allocated(&at(count).join(OWN))?);
    let each =
        |bytes: u64| Series { name: String::new(), samples: vec![bytes as f64 / count as f64] };
    let besides = format!("disk besides the record, fs-lite, {size} sessions");
    let mut series = each(all);
    series.samples[0] -= LENGTH as f64;
    rows.push(Comparison::alone(besides, Bytes, &series));
    let index = format!("disk for the index of deadlines, fs-lite, {size} sessions");
    rows.push(Comparison::alone(index, Bytes, &each(own)));
    rows.extend(bench.sweeps("fs-lite", &stores)?);
    Ok(rows)
}

pub(crate) async fn folder_of(base: &Path) -> Result<DynDriver> {
    open("fs-lite", &[("base", base.display().to_string().into())]).await
}

/// Fills a folder as the driver would, which takes its time: with the files that it makes, and the lines of its index.
pub(crate) async fn filled(driver: &DynDriver, base: &Path, count: usize) -> Result<()> {
    // An empty folder's index is complete, and the first session shows what the driver makes of one.
    ensure!(driver.sweep(1).await?.finished, "an empty folder was not swept");
    fill(driver, 0..1).await?;
    let first = fs::metadata(base.join(id(0)))?;
    let buckets = fs::read_dir(base.join(OWN))?.map(|entry| Ok(entry?.path()));
    let buckets = buckets.collect::<Result<Vec<_>>>()?;
    let bucket = buckets.iter().find(|path| path.extension().is_some_and(|end| end == "expires$"));
    let index = OpenOptions::new().append(true).open(bucket.context("there is no index")?)?;
    let mut index = BufWriter::new(index);
    for number in 1..count {
        write_file(base, number, first.modified()?)?;
        write!(index, "\n{}", id(number))?;
    }
    index.flush()?;
    let last = fs::metadata(base.join(id(count - 1)))?;
    let kind = |file: &fs::Metadata| (file.mode(), file.len(), file.blocks());
    ensure!(kind(&first) == kind(&last), "the driver makes other files");
    Ok(())
}

/// A session's file. When it expires is in its modification time, as the driver's own say.
pub(super) fn write_file(base: &Path, number: usize, modified: SystemTime) -> Result<()> {
    let path = base.join(id(number));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(record(number, 0).as_bytes())?;
    Ok(file.set_times(FileTimes::new().set_modified(modified))?)
}

/// Bytes of the disk that a folder and all in it take.
fn allocated(folder: &Path) -> Result<u64> {
    let mut blocks = fs::metadata(folder)?.blocks();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        blocks += match entry.file_type()?.is_dir() {
            true => allocated(&entry.path())? / BLOCK,
            false => entry.metadata()?.blocks(),
        };
    }
    Ok(blocks * BLOCK)
}
