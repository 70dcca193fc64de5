//! The driver `sql` on SQLite: a row for each session.

use std::fs;
use std::path::Path;

use anyhow::Result;
use cloakroom_storage::DynDriver;

use super::store::{Store, fill, open};
use super::{Bench, settle};
use figures::comparison::{Comparison, Unit::Bytes};
use figures::measure::Series;
use figures::sessions::{ID_LENGTH, LENGTH};

const NAME: &str = "sql on SQLite";

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Comparison>> {
    let folder = bench.folder()?;
    let at = |count: usize| folder.path().join(count.to_string()).join("sessions.db");
    let mut stores = Vec::new();
    for (count, _) in bench.sizes {
        stores.push(bench.runtime.block_on(async {
            let driver = database(&at(*count)).await?;
            fill(&driver, 0..*count).await?;
            Store::filled(driver, *count).await
        })?);
    }
    settle(folder.path())?;
    let mut rows = bench.times(NAME, &mut stores)?;
    rows.extend(bench.starts(NAME, async |count| database(&at(count)).await)?);
    let (count, size) = bench.largest();
    let each = length(&at(count))? as f64 / count as f64 - (ID_LENGTH + LENGTH) as f64;
    let series = Series { name: String::new(), samples: vec![each] };
    let what = format!("disk besides ID and record, {NAME}, {size} sessions");
    rows.push(Comparison::alone(what, Bytes, &series));
    rows.extend(bench.sweeps(NAME, &stores)?);
    Ok(rows)
}

async fn database(file: &Path) -> Result<DynDriver> {
    open("sql", &[("url", format!("sqlite:{}", file.display()).into())]).await
}

/// Bytes of the database's folder, with the log in it.
fn length(file: &Path) -> Result<u64> {
    let mut length = 0;
    for entry in fs::read_dir(file.parent().unwrap_or(file))? {
        length += entry?.metadata()?.len();
    }
    Ok(length)
}
