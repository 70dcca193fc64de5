//! `cloakroom watch`.

use std::error::Error;
use std::time::Duration;

use clap::Args;
use cloakroom_session::{SessionChange, printable};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::target::Age;
use crate::output::{Format, Outcome, column, moment, say};
use crate::store::Store;

/// Tells what becomes of the sessions of a store, until it is interrupted: created, ended, moved to another ID, expired, removed.
///
/// It reads all sessions each time it looks, so that it sees what any program has done, in any store that can list its keys. What
/// comes and goes between two looks is not seen, and what a server has refused is told by its own log, events and metrics alone.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom watch --config cloakroom.toml
  cloakroom watch --config cloakroom.toml --every 10s --principal ann --json

Each line of --json has: at, what, handle, principal; null where the session has none.")]
pub(crate) struct Watch {
    #[command(flatten)]
    store: Store,

    /// How long after one look the next one begins, as in 500ms or 1m.
    #[arg(long, value_name = "TIME", default_value = "2s")]
    every: Age,

    /// Those of this principal alone.
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,

    #[command(flatten)]
    format: Format,
}

impl Watch {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let Age(every) = self.every;
        if every < SHORTEST {
            return Err(format!("--every is {every:?}: it must be at least {SHORTEST:?}").into());
        }
        let sessions = self.store.sessions().await?;
        let mut watch = sessions.all().watch().await?;
        say(format_args!("there are {} sessions; what becomes of them follows", watch.count()));
        let mut looks = interval(every);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                stopped = tokio::signal::ctrl_c() => return Ok(stopped.map(|()| Outcome::Done)?),
            }
            match watch.look().await {
                Ok(changes) => {
                    for change in changes.iter().filter(|change| self.is_wanted(change)) {
                        self.format.print(|| row(change), || line(change))?;
                    }
                }
                // The next look tells what this one would have told.
                Err(error) => say(error),
            }
        }
    }

    fn is_wanted(&self, change: &SessionChange) -> bool {
        self.principal.as_deref().is_none_or(|wanted| change.principal.as_deref() == Some(wanted))
    }
}

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(100);

fn row(change: &SessionChange) -> Value {
    json!({
        "at": moment(change.at),
        "what": change.kind.name(),
        "handle": change.handle.to_string(),
        "principal": change.principal.as_deref(),
    })
}

fn line(change: &SessionChange) -> String {
    let principal = change.principal.as_deref().unwrap_or("-");
    let (at, what) = (column(Some(change.at)), change.kind.name());
    format!("{at}  {what:<7}  {}  {}", change.handle, printable(principal))
}
