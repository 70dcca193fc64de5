//! `cloakroom sweep`.

use std::error::Error;

use clap::Args;
use cloakroom_storage::{Driver, Swept};
use serde_json::json;

use crate::output::{Format, Outcome};
use crate::store::Store;

/// How much is looked at before others have their turn.
const BUDGET: usize = 1_000;

/// Frees what has expired, once through the store: for stores that do not do so by themselves, where no server runs that does.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom sweep --driver fs-lite --option base=.data/sessions
  cloakroom sweep --config cloakroom.toml --json")]
pub(crate) struct Sweep {
    #[command(flatten)]
    store: Store,

    #[command(flatten)]
    format: Format,
}

impl Sweep {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let (_, driver) = self.store.driver().await?;
        let Swept { removed, examined, .. } = all(&driver).await?;
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
pub(super) async fn all(driver: &dyn Driver) -> cloakroom_storage::Result<Swept> {
    let mut all = Swept::default();
    while !all.finished {
        let swept = driver.sweep(BUDGET).await?;
        all.removed += swept.removed;
        all.examined += swept.examined;
        all.finished = swept.finished;
    }
    Ok(all)
}
