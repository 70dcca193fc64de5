//! Sweeping in the background.

use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::{Instrument, field};

use crate::platform::random::fraction;
use crate::traced::{TARGET, fail};
use crate::{DynDriver, platform};

/// How many items one call may free, so that the store is never busy with it for long.
const BUDGET: usize = 256;

/// How long requests have the store to themselves between two calls.
const BREATH: Duration = Duration::from_millis(10);

/// A task that frees expired items now and then. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "the sweeper ends when it is dropped"]
pub struct Sweeper {
    task: Option<JoinHandle<()>>,
}

/// Sweeps the whole store about once per `interval`, the first time somewhere within the first one.
///
/// The times vary by a tenth or so, so that the processes of a fleet do not sweep in step. A failure is logged
/// and the next round begins afresh. Does nothing for a store that frees expired items
/// [by itself](crate::Capabilities::native_ttl), that has none, or that cannot be written to; nor inside of a
/// Worker, which does not live between requests: call [`Driver::sweep`](crate::Driver::sweep) there when a cron
/// trigger fires.
///
/// # Panics
/// Outside a tokio runtime.
pub fn spawn_sweeper(driver: DynDriver, interval: Duration) -> Sweeper {
    let capabilities = driver.capabilities();
    let useless = capabilities.native_ttl
        || !capabilities.expiry
        || capabilities.read_only
        || !platform::OUTLIVES_REQUESTS;
    Sweeper { task: (!useless).then(|| tokio::spawn(sweep_for_ever(driver, interval))) }
}

impl Sweeper {
    /// Whether there is anything to sweep, and the task runs.
    pub fn is_running(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn sweep_for_ever(driver: DynDriver, interval: Duration) {
    platform::sleep(interval.mul_f64(fraction())).await;
    loop {
        sweep_once(&driver).await;
        platform::sleep(interval.mul_f64(0.9 + 0.2 * fraction())).await;
    }
}

/// Goes through the whole store, in small steps.
async fn sweep_once(driver: &DynDriver) {
    let span = tracing::debug_span!(
        target: TARGET,
        "cloakroom.sweep",
        otel.status_code = field::Empty,
        error.type = field::Empty,
        removed = field::Empty,
    );
    let sweeping = async {
        let mut removed = 0;
        loop {
            match driver.sweep(BUDGET).await {
                Ok(swept) => {
                    removed += swept.removed;
                    if swept.finished {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(driver = driver.name(), %error, "cannot free expired items; trying again later");
                    fail(&span, &error);
                    break;
                }
            }
            platform::sleep(BREATH).await;
        }
        if removed > 0 {
            tracing::debug!(driver = driver.name(), removed, "freed expired items");
        }
        span.record("removed", removed);
    };
    sweeping.instrument(span.clone()).await;
}
