//! How much memory a store in memory takes: `hold SIDE COUNT` prints the bytes of resident memory for each session, besides
//! its ID and its record of 1 KB.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{Driver as _, ItemKey, SetOutcome, When};
use serde_json::Value;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::{MemoryStore, SessionStore as _};

use figures::sessions::{ID_LENGTH, LENGTH, id, record};

/// Each session is written this often, as what is written again may lie elsewhere.
const TURNS: u32 = 2;

const TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let side = arguments.next().context("which store?")?;
    let count: usize = arguments.next().context("how many sessions?")?.parse()?;
    let before = resident()?;
    let (after, given) = match side.as_str() {
        "memory" => (ours(count).await?, ID_LENGTH + LENGTH),
        "tower-sessions" => (tower_sessions(count).await?, size_of::<Id>() + LENGTH),
        _ => bail!("there is no store {side:?}"),
    };
    println!("{}", (after - before) / count as f64 - given as f64);
    Ok(())
}

async fn ours(count: usize) -> Result<f64> {
    let memory = Memory::new();
    for turn in 0..TURNS {
        for number in 0..count {
            let (key, value) = (ItemKey::new(&id(number))?, record(number, turn).into());
            let outcome = memory.set(&key, value, When::Always, Some(TTL)).await?;
            ensure!(outcome != SetOutcome::Conflict, "session {number} was not written");
        }
    }
    let item = memory.get(&ItemKey::new(&id(count - 1))?).await?.context("it is missing")?;
    ensure!(item.value == record(count - 1, TURNS - 1), "another record is there");
    resident()
}

/// The same record as the text of one entry.
async fn tower_sessions(count: usize) -> Result<f64> {
    let store = MemoryStore::default();
    let expires = OffsetDateTime::now_utc() + TTL;
    for turn in 0..TURNS {
        for number in 0..count {
            let data = HashMap::from([("visitor".to_owned(), Value::String(record(number, turn)))]);
            let record = Record { id: Id(number as i128), data, expiry_date: expires };
            store.save(&record).await?;
        }
    }
    let last = store.load(&Id(count as i128 - 1)).await?.context("it is missing")?;
    ensure!(last.data["visitor"] == record(count - 1, TURNS - 1), "another record is there");
    resident()
}

/// What of this process is in memory, in bytes.
fn resident() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.context("there is no VmRSS")?.trim().parse()?;
    Ok(kilobytes * 1024.0)
}
