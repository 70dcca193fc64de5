//! What sealing and hashing add to a call, around the driver `memory`: one record of 2 KB.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{
    Bytes, Driver, DynDriver, Encrypted, EncryptionKey, HashedKeys, ItemKey, KeyHasher, KeyRing,
    SetOutcome, When,
};
use figures::comparison::{Comparison, Unit::Nanoseconds};
use figures::measure::{Settings, Side, side_by_side};
use figures::sessions::{id, record};
use tokio::runtime::Runtime;

/// Nanoseconds that either may add.
const MOST: f64 = 2_000.0;

/// Calls of one sample.
const CALLS: usize = 5_000;

#[derive(Clone, Copy)]
enum Call {
    Write,
    Read,
}

pub(super) fn run(settings: &Settings, runtime: &Runtime) -> Result<Vec<Comparison>> {
    let key = ItemKey::new(&id(0))?;
    let value = Bytes::from(record(0, 0).repeat(2));
    let mut rows = Vec::new();
    for (call, name) in [(Call::Write, "write"), (Call::Read, "read")] {
        let (key, value) = (&key, &value);
        let side = |name, store: DynDriver| {
            Side::new(name, move || runtime.block_on(time(call, &store, key, value)))
        };
        let sides = [
            side("plain", Arc::new(Memory::new())),
            side("under a hashed ID", Arc::new(hashed(Memory::new()))),
            side("sealed", Arc::new(sealed(Memory::new())?)),
            side("sealed under a hashed ID", Arc::new(hashed(sealed(Memory::new())?))),
        ];
        let [plain, others @ ..] = side_by_side(settings, sides)?;
        rows.extend(others.iter().map(|series| {
            let name = format!("{name} 2 KB, {}", series.name);
            Comparison::limit(name, Nanoseconds, &series.above(&plain), MOST)
        }));
    }
    Ok(rows)
}

fn hashed<D: Driver>(driver: D) -> HashedKeys<D> {
    HashedKeys::new(driver, KeyHasher::sha256())
}

fn sealed<D: Driver>(driver: D) -> Result<Encrypted<D>> {
    Ok(Encrypted::new(driver, KeyRing::new([EncryptionKey::new([1; 32])])?))
}

/// Nanoseconds of one call.
async fn time(call: Call, store: &DynDriver, key: &ItemKey, value: &Bytes) -> Result<f64> {
    let written = store.set(key, value.clone(), When::Always, None).await?;
    ensure!(written != SetOutcome::Conflict, "somebody else has written");
    let begin = Instant::now();
    for _ in 0..CALLS {
        match call {
            Call::Write => _ = store.set(key, value.clone(), When::Always, None).await?,
            Call::Read => _ = store.get(key).await?.context("the item is missing")?,
        }
    }
    Ok(begin.elapsed().as_nanos() as f64 / CALLS as f64)
}
