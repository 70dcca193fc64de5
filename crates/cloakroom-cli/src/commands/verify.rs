//! `cloakroom verify`.

use std::cell::RefCell;
use std::error::Error;

use clap::Args;
use cloakroom_session::{
    Fault, Repaired, Sessions, StoredHandle, Verified, VerifiedKind, printable,
};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::nothing::found_nothing;
use super::sweep;
use crate::output::{Format, Outcome};
use crate::progress::Progress;
use crate::store::Store;

/// How many faults are mended at once.
const AT_ONCE: usize = 32;

/// Reads every record and every index of a store, and names what is not as it should be.
///
/// With --repair it mends what it can while servers run: bytes that nobody can read are moved aside within the store and never
/// deleted, and indexes are made to have what is alive.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom verify --config cloakroom.toml
  cloakroom verify --driver fs-lite --option base=.data/sessions --repair --json

Each line of --json has: handle, fault, detail and repaired (null without --repair); the last one has the counts: sessions, indexes,
ended, aside, others, faults, left.")]
pub(crate) struct Verify {
    #[command(flatten)]
    store: Store,

    /// Mend what can be mended without anybody losing anything.
    #[arg(long)]
    repair: bool,

    #[command(flatten)]
    format: Format,
}

/// How much there is of what.
#[derive(Default)]
struct Counts {
    sessions: usize,
    indexes: usize,
    ended: usize,
    aside: usize,
    others: usize,
    faults: usize,
    /// Faults that are there still.
    left: usize,
}

impl Counts {
    fn add(&mut self, kind: VerifiedKind) {
        match kind {
            VerifiedKind::Session => self.sessions += 1,
            VerifiedKind::Index => self.indexes += 1,
            VerifiedKind::Ended => self.ended += 1,
            VerifiedKind::Aside => self.aside += 1,
            _ => self.others += 1,
        }
    }

    fn found(&mut self, repaired: Option<Repaired>) {
        self.faults += 1;
        self.left += usize::from(repaired.is_none_or(|repaired| repaired == Repaired::Left));
    }

    fn json(&self) -> Value {
        json!({
            "sessions": self.sessions, "indexes": self.indexes, "ended": self.ended, "aside": self.aside,
            "others": self.others, "faults": self.faults, "left": self.left,
        })
    }

    fn line(&self) -> String {
        let Counts { sessions, indexes, ended, aside, others, faults, left } = self;
        format!(
            "{sessions} sessions and {indexes} pages of indexes were read, beside {ended} ended sessions, {aside} records that were \
             moved aside, and {others} things of others': {faults} faults, {left} of which are left"
        )
    }
}

impl Verify {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let sessions = self.store.sessions().await?;
        let all = sessions.all().by("cloakroom verify");
        let mut counts = Counts::default();
        if self.repair {
            self.sweep(&sessions, &mut counts).await?;
        }
        let progress = Progress::through(self.format, "reading", sessions.driver()).await;
        let counts = RefCell::new(counts);
        let verified = all.verify()?.map_err(Box::<dyn Error>::from);
        // Many at once: a record that is moved aside is looked at for a second first.
        verified
            .try_for_each_concurrent(AT_ONCE, async |Verified { kind, faults }| {
                progress.tick();
                counts.borrow_mut().add(kind);
                for fault in &faults {
                    let handle = Some(fault.handle());
                    let repaired = match self.repair {
                        false => None,
                        // What cannot be mended keeps nothing else from it.
                        true => Some(all.repair(fault).await.unwrap_or_else(|error| {
                            progress.say(&format!("cloakroom: {}: {error}", fault.handle()));
                            Repaired::Left
                        })),
                    };
                    match fault {
                        // Each session that ends leaves one, until somebody lists its principal's.
                        Fault::Outlived(..) if !self.repair => counts.borrow_mut().faults += 1,
                        _ => counts.borrow_mut().found(repaired),
                    }
                    let detail = fault.to_string();
                    progress.beside(|| self.print(handle, fault.name(), &detail, repaired))?;
                }
                Ok(())
            })
            .await?;
        drop(progress);
        let counts = counts.into_inner();
        self.format.print(|| counts.json(), || counts.line())?;
        let outcome = if counts.left == 0 { Outcome::Done } else { Outcome::Faulty };
        match counts.sessions {
            0 => found_nothing(&sessions, outcome).await,
            _ => Ok(outcome),
        }
    }

    /// Frees what has expired, and what killed processes have left: what cannot be removed is a fault of its own.
    async fn sweep(&self, sessions: &Sessions, counts: &mut Counts) -> Result<(), Box<dyn Error>> {
        let progress = Progress::spinner(self.format, "sweeping");
        let Err(error) = sweep::all(&**sessions.driver(), &progress).await else { return Ok(()) };
        drop(progress);
        let left = Some(Repaired::Left);
        counts.found(left);
        self.print(None, "leftover", &error.to_string(), left)
    }

    fn print(
        &self,
        handle: Option<StoredHandle>,
        name: &str,
        detail: &str,
        repaired: Option<Repaired>,
    ) -> Result<(), Box<dyn Error>> {
        let handle = handle.map(|handle| handle.to_string());
        let became = repaired.map(became);
        let json =
            || json!({ "handle": handle, "fault": name, "detail": detail, "repaired": became });
        let line = || {
            let handle = handle.as_deref().unwrap_or("-");
            let became = became.map(|became| format!(" [{became}]")).unwrap_or_default();
            format!("{handle:16}  {name}: {}{became}", printable(detail))
        };
        Ok(self.format.print(json, line)?)
    }
}

fn became(repaired: Repaired) -> &'static str {
    match repaired {
        Repaired::Mended => "mended",
        Repaired::MovedAside => "movedAside",
        Repaired::Gone => "gone",
        _ => "left",
    }
}
