//! How long it takes until a store that is there answers.

use std::time::Instant;

use anyhow::{Result, ensure};
use cloakroom_storage::DynDriver;

use super::Bench;
use super::store::key;
use figures::comparison::{Comparison, Unit::Microseconds};
use figures::measure::{Side, side_by_side};

/// How often a store is opened in one sample.
const OPENED: u32 = 20;

impl Bench<'_> {
    /// Opens a store and reads a session: at the largest size, beside the smallest.
    pub(super) fn starts(
        &self,
        name: &str,
        open: impl AsyncFn(usize) -> Result<DynDriver>,
    ) -> Result<Vec<Comparison>> {
        let open = &open;
        let sides = [self.sizes[0], self.largest()].map(|(count, size)| {
            Side::new(size, move || {
                let begin = Instant::now();
                self.runtime.block_on(async {
                    for _ in 0..OPENED {
                        let found = open(count).await?.get(&key(0)?).await?;
                        ensure!(found.is_some(), "the first session is missing");
                    }
                    Ok(())
                })?;
                Ok(begin.elapsed().as_secs_f64() * 1e6 / f64::from(OPENED))
            })
        });
        let series = side_by_side(self.settings, sides)?;
        Ok(self.beside_the_smallest(&format!("open and read, {name}"), Microseconds, &series))
    }
}
