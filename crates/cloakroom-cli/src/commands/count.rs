//! `cloakroom count`.

use std::error::Error;

use clap::Args;
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::nothing::{found_none_of, found_nothing};
use crate::output::{Format, Outcome, say};
use crate::store::Store;

/// Says how many sessions there are: all, or those of a principal.
///
/// All are read for it, since the store alone cannot tell a session from one that was just ended. A principal's are found by
/// its index.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom count --config cloakroom.toml
  cloakroom count --driver redis --option url=redis://localhost:6379 --principal ann --json")]
pub(crate) struct Count {
    #[command(flatten)]
    store: Store,

    /// Those of this principal alone.
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,

    #[command(flatten)]
    format: Format,
}

impl Count {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let sessions = self.store.sessions().await?;
        let (mut count, mut unreadable) = (0, 0);
        match &self.principal {
            Some(principal) => count = sessions.of(principal).count().await?,
            None => {
                let all = sessions.all();
                let mut listed = all.list()?;
                while let Some(session) = listed.try_next().await? {
                    count += 1;
                    unreadable += usize::from(session.unreadable().is_some());
                }
            }
        }
        let json = json!({ "sessions": count, "unreadable": unreadable });
        self.format.print(|| json, || count.to_string())?;
        if unreadable > 0 {
            say(format_args!("{unreadable} of them cannot be read; `cloakroom list` names them"));
        }
        match (count, &self.principal) {
            (0, Some(principal)) => found_none_of(&sessions, principal, Outcome::Done).await,
            (0, None) => found_nothing(&sessions, Outcome::Done).await,
            _ => Ok(Outcome::of(unreadable)),
        }
    }
}
