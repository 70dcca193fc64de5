//! `cloakroom doctor`.

mod examination;
mod finding;
mod timed;

use std::error::Error;

use clap::Args;
use cloakroom_session::{Config, Sessions};
use cloakroom_storage::Severity;
use futures_util::TryStreamExt as _;

use crate::output::{Format, Outcome};
use crate::store::{Store, open};
use examination::Examination;
use finding::{Finding, Findings, Level};

/// How many sessions are read to see whether they can be.
const READ: usize = 100;

/// Tells what is unsafe in a configuration and its store, and whether the store does what sessions need of it.
///
/// It measures reads, writes, compare-and-swaps and removals on an item of its own, which no cookie can reach and which is gone at
/// the end. Servers may run meanwhile.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom doctor --config cloakroom.toml
  cloakroom doctor --config cloakroom.toml --json | jq -r 'select(.level == \"failure\") | .what'

Each line of --json has: level (ok, note, warning, failure), code, what, remedy; median and worst, in milliseconds, where something
was measured; and skew, in seconds, where the store tells its time.")]
pub(crate) struct Doctor {
    #[command(flatten)]
    store: Store,

    /// How often each is measured.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    format: Format,
}

impl Doctor {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let config = self.store.config()?;
        let sessions = open(config.clone()).await?;
        let mut findings = Findings::new(self.format);
        advise(&sessions, &mut findings).await?;
        let examination = Examination::new(&sessions, self.rounds)?;
        // However it ends, the store is left as it was.
        let examined = tokio::select! {
            examined = examination.run(&mut findings) => examined,
            stopped = tokio::signal::ctrl_c() => {
                Err(stopped.err().map_or_else(|| "it was interrupted".into(), Box::<dyn Error>::from))
            }
        };
        let cleaned = examination.clean_up().await;
        examined?;
        if let Some(finding) = cleaned {
            findings.tell(finding)?;
        }
        read_some(&config, &sessions, &mut findings).await?;
        Ok(findings.outcome())
    }
}

/// What the configuration and the driver say of themselves.
async fn advise(sessions: &Sessions, findings: &mut Findings) -> Result<(), Box<dyn Error>> {
    let advice = sessions.advice().await;
    if advice.iter().all(|advice| advice.severity() < Severity::Warning) {
        findings.tell(Finding::ok("configuration", "nothing in it is known to be unsafe"))?;
    }
    for advice in advice {
        let level = match advice.severity() {
            Severity::Note => Level::Note,
            _ => Level::Warning,
        };
        findings.tell(Finding::new(level, advice.code(), advice.problem(), advice.remedy()))?;
    }
    Ok(())
}

/// Whether the sessions that there are can be read: with the wrong key none can.
async fn read_some(
    config: &Config,
    sessions: &Sessions,
    findings: &mut Findings,
) -> Result<(), Box<dyn Error>> {
    if !sessions.driver().capabilities().iteration && config.hash_ids.is_none() {
        return Ok(());
    }
    let all = sessions.all();
    let (mut read, mut unreadable) = (0, 0);
    let mut listed = match all.list() {
        Ok(listed) => listed,
        Err(error) => return Ok(findings.tell(Finding::failed("sessions", &error.to_string()))?),
    };
    while read < READ {
        match listed.try_next().await {
            Ok(Some(session)) => {
                read += 1;
                unreadable += usize::from(session.unreadable().is_some());
            }
            Ok(None) => break,
            Err(error) => {
                return Ok(findings.tell(Finding::failed("sessions", &error.to_string()))?);
            }
        }
    }
    let finding = match (read, unreadable) {
        (0, _) => Finding::ok("sessions", "there is none to be read"),
        (read, 0) => Finding::ok("sessions", format!("{read} were read, and all can be")),
        (read, unreadable) => Finding::new(
            Level::Failure,
            "sessions",
            format!("{unreadable} of {read} cannot be read"),
            "remove nothing: `cloakroom list` says why each cannot be read; where a key is missing, give all servers the \
             `encryption.keys` that there were, the newest first",
        ),
    };
    Ok(findings.tell(finding)?)
}
