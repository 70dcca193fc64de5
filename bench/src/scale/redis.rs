//! The driver `redis` on a server of this bench's own, each size in a database of its own.

use anyhow::{Context as _, Result};

use super::Bench;
use super::store::{Store, fill, open};
use crate::served::process;
use figures::comparison::{Comparison, Unit::Bytes};
use figures::measure::Series;
use figures::sessions::{ID_LENGTH, LENGTH};

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Comparison>> {
    let folder = bench.folder()?;
    let (_server, port) = process::redis(folder.path())?;
    let url = format!("redis://127.0.0.1:{port}");
    let mut connection = ::redis::Client::open(url.as_str())?.get_connection()?;
    let mut stores = Vec::new();
    let mut before = 0.0;
    for (database, (count, _)) in bench.sizes.iter().enumerate() {
        before = used(&mut connection)?;
        stores.push(bench.runtime.block_on(async {
            let url = format!("{url}/{database}");
            let driver = open("redis", &[("url", url.into())]).await?;
            fill(&driver, 0..*count).await?;
            Store::filled(driver, *count).await
        })?);
    }
    let (count, size) = bench.largest();
    let each = (used(&mut connection)? - before) / count as f64 - (ID_LENGTH + LENGTH) as f64;
    let mut rows = bench.times("redis", &mut stores)?;
    let what = format!("Redis's memory besides ID and record, {size} sessions");
    let series = Series { name: String::new(), samples: vec![each] };
    rows.push(Comparison::alone(what, Bytes, &series));
    Ok(rows)
}

/// Bytes that the server has taken for its data.
fn used(connection: &mut ::redis::Connection) -> Result<f64> {
    let report: String = ::redis::cmd("INFO").arg("memory").query(connection)?;
    let used = report.lines().find_map(|line| line.strip_prefix("used_memory:"));
    Ok(used.context("Redis does not tell its memory")?.trim().parse()?)
}
