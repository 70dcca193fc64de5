//! Freeing what has expired: one session in a hundred, beside as many of a tenth of the sessions.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::store::{Store, fill, key};
use super::{Bench, FLAT};
use figures::comparison::{Comparison, Unit::Milliseconds};
use figures::measure::Series;

/// How much one call may free, as in the background.
const BUDGET: usize = 256;

/// How long the sessions that are to expire still live.
const REST: Duration = Duration::from_secs(1);

impl Bench<'_> {
    /// Each store has to be ten times the one before.
    pub(super) fn sweeps(&self, name: &str, stores: &[Store]) -> Result<Option<Comparison>> {
        let [.., smaller, larger] = stores else { return Ok(None) };
        let expired = larger.count / 100;
        let mut series = [larger, smaller].map(|store| Series {
            name: format!("as many of {} sessions", self.size(store.count)),
            samples: Vec::new(),
        });
        for round in 0..if self.settings.quick { 1 } else { 3 } {
            self.runtime.block_on(async {
                for store in [larger, smaller] {
                    if round > 0 {
                        fill(&store.driver, chosen(store, expired)).await?;
                    }
                    expire(store, expired).await?;
                }
                // A folder frees what expired in a second when that is over.
                tokio::time::sleep(REST + Duration::from_secs(1)).await;
                for (store, series) in [larger, smaller].into_iter().zip(&mut series) {
                    series.samples.push(sweep(store, expired).await?);
                }
                anyhow::Ok(())
            })?;
        }
        let [ours, peer] = series;
        let name = format!("sweep 1% of {} sessions, {name}", self.size(larger.count));
        Ok(Some(Comparison::new(name, Milliseconds, &ours, &peer).target(FLAT)))
    }
}

/// Those that are to expire: here and there in the store.
fn chosen(store: &Store, expired: usize) -> impl Iterator<Item = usize> + Clone + use<> {
    (1..store.count).step_by(store.count / expired)
}

async fn expire(store: &Store, expired: usize) -> Result<()> {
    for number in chosen(store, expired) {
        let touched = store.driver.touch(&key(number)?, Some(REST)).await?;
        ensure!(touched, "session {number} is missing");
    }
    Ok(())
}

/// Milliseconds until all of them are gone, and nothing else.
async fn sweep(store: &Store, expired: usize) -> Result<f64> {
    let begin = Instant::now();
    let mut removed = 0;
    loop {
        let swept = store.driver.sweep(BUDGET).await?;
        removed += swept.removed;
        if swept.finished {
            break;
        }
    }
    let elapsed = begin.elapsed();
    ensure!(removed == expired, "{removed} of {expired} sessions were removed");
    for number in chosen(store, expired).take(100) {
        ensure!(store.driver.get(&key(number)?).await?.is_none(), "session {number} is there");
        ensure!(store.driver.get(&key(number + 1)?).await?.is_some(), "session is missing");
    }
    Ok(elapsed.as_secs_f64() * 1e3)
}
