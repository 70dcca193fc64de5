//! Freeing what has expired, a bit at a time.

use std::fs;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::lock::Stripe;
use super::store::Store;
use super::walk::Walk;
use crate::{Result, Swept};

/// How many files one call looks at for each that it may remove.
const EXAMINED_PER_REMOVAL: usize = 32;

/// Where the next sweep goes on.
#[derive(Debug, Default)]
pub(super) struct Cursor(Mutex<Option<Walk>>);

impl Cursor {
    pub(super) fn sweep(&self, store: &Store, budget: usize) -> Result<Swept> {
        let mut swept = Swept::default();
        // A walk can be used again wherever it was left.
        let mut cursor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if budget > 0 && cursor.is_none() {
            remove_left_over(store)?;
            *cursor = Some(store.walk());
        }
        let Some(walk) = cursor.as_mut() else { return Ok(swept) };
        while swept.removed < budget && swept.examined < budget.saturating_mul(EXAMINED_PER_REMOVAL)
        {
            let Some(entry) = walk.next() else {
                *cursor = None;
                swept.finished = true;
                break;
            };
            let (path, key) = entry.map_err(|error| store.failure(error))?;
            swept.examined += 1;
            if store.remove_expired(&path, &key).map_err(|error| error.with_key(&key))? {
                swept.removed += 1;
            }
        }
        Ok(swept)
    }
}

/// Removes the temporary files of killed processes: those whose lock nobody holds.
fn remove_left_over(store: &Store) -> Result<()> {
    let entries = match fs::read_dir(store.own_folder()) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => return Ok(()),
        Err(error) => return Err(store.failure(error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| store.failure(error))?;
        let Some(stripe) = entry.file_name().to_str().and_then(Stripe::of_temporary) else {
            continue;
        };
        let _lock = store.lock(stripe)?;
        match fs::remove_file(entry.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(store.failure(error));
            }
            _ => {}
        }
    }
    Ok(())
}
