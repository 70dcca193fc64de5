//! `cloakroom sweep`.

use std::cell::Cell;
use std::error::Error;

use clap::Args;
use cloakroom_drivers::overlay::is_word;
use cloakroom_storage::{Driver, DynDriver, ItemKey, RemoveOutcome, Swept, When};
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::nothing::NOBODY;
use crate::output::{Format, Outcome};
use crate::progress::Progress;
use crate::store::Store;

/// How much is looked at before others have their turn.
const BUDGET: usize = 1_000;

/// How many items are looked at at once.
const AT_ONCE: usize = 32;

/// Frees what has expired, once through the store: for stores that do not do so by themselves, where no server runs that does.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom sweep --driver fs-lite --option base=.data/sessions
  cloakroom sweep --config cloakroom.toml --json")]
pub(crate) struct Sweep {
    #[command(flatten)]
    store: Store,

    /// Also take out the words that an overlay has left in its first layer: once no server has the overlay any more.
    #[arg(long)]
    after_overlay: bool,

    #[command(flatten)]
    format: Format,
}

impl Sweep {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let (_, driver) = self.store.driver().await?;
        if driver.capabilities().native_ttl {
            // Nothing else is asked of it, and one that is away has freed nothing.
            driver.get(&ItemKey::new(NOBODY)?).await?;
        }
        let progress = Progress::spinner(self.format, "sweeping");
        let Swept { mut removed, examined, .. } = all(&driver, &progress).await?;
        drop(progress);
        if self.after_overlay {
            removed += words_removed(&driver, self.format).await?;
        }
        let line = match driver.capabilities().native_ttl {
            true => {
                format!("the store frees by itself what has expired; {removed} were freed here")
            }
            false => format!("{removed} expired items were freed"),
        };
        self.format.print(|| json!({ "removed": removed, "examined": examined }), || line)?;
        Ok(Outcome::Done)
    }
}

/// Sweeps once through a store.
///
/// # Errors
/// When it fails, or has something that cannot be removed.
pub(super) async fn all(
    driver: &dyn Driver,
    progress: &Progress,
) -> cloakroom_storage::Result<Swept> {
    let mut all = Swept::default();
    while !all.finished {
        let swept = driver.sweep(BUDGET).await?;
        progress.advance(swept.examined as u64);
        all.removed += swept.removed;
        all.examined += swept.examined;
        all.finished = swept.finished;
    }
    Ok(all)
}

/// Takes out what an overlay has left behind; how much it was.
async fn words_removed(driver: &DynDriver, format: Format) -> Result<usize, Box<dyn Error>> {
    let progress = Progress::through(format, "looking", driver).await;
    let compares = driver.capabilities().compare_and_swap;
    let removed = Cell::new(0);
    let keys = driver.keys("").map_err(Box::<dyn Error>::from);
    keys.try_for_each_concurrent(AT_ONCE, async |key| {
        progress.tick();
        let Some(item) = driver.get(&key).await?.filter(|item| is_word(&item.value)) else {
            return Ok(());
        };
        let when = if compares { When::Version(item.version) } else { When::Always };
        if driver.remove(&key, when).await? == RemoveOutcome::Removed {
            removed.set(removed.get() + 1);
        }
        Ok(())
    })
    .await?;
    Ok(removed.into_inner())
}
