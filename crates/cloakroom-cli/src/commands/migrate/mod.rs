//! `cloakroom migrate`: from any store to any other.
//!
//! # What is copied
//! The items of the driver: their bytes, and what is left of their time. Tombstones and the pages of the principals' indexes are
//! items like sessions, and go along: without them a logout could be undone, and a session be in nobody's list. What is neither is
//! somebody else's, and stays where it is. Where both configurations have the same `hashIds` and `encryption`, bytes go as they
//! are; otherwise each value is opened and sealed anew, and keys are hashed on their way. A hash cannot become another one.
//!
//! # Why nothing in the target is lost
//! Nothing is written there but on a condition: that there is nothing, or that there is, at the very version that was looked at, a
//! value that this command itself has written ([`ledger`]). What a server has changed in the target is neither, so it stays: an
//! update, a tombstone, a deadline. What was written and is missing before its time was ended there, and is not brought back. And
//! where the target is the first layer of an overlay that a site already uses, its word that the layers below count no more stands
//! like a tombstone. Between that look and the write lies one call, as within the overlay itself.
//!
//! # Why nothing of the source is lost
//! One pass copies each item once, as it is at that moment. What changes meanwhile is different in the next pass, and what is gone
//! from the source is taken out of the target, unless somebody has changed it there. So passes are made until one finds both stores
//! alike, reading each item in both: that one is the verification. It ends where the source is at rest; while a site writes to it,
//! `--follow` goes on.
//!
//! # Why it can be killed
//! A pass looks at what there is and at nothing else, so the next run goes on from there. What is equal is done. What differs is
//! replaced only where the ledger knows it; it is entered there before it is written, and with `--state` it is kept in a file.
//! Without that file what differs stays and is counted: nobody can tell then who was the last to change it.
//!
//! # Deadlines
//! What is left of an item's time when it is read goes along, less the time that passes until it is written; so none becomes longer.
//! One that was moved in the source is moved in the target, to two seconds, unless a server has moved it there. Where a run died
//! while it moved one, the later of the two stays.

mod copy;
mod ledger;
mod pass;
mod stores;

use std::error::Error;
use std::path::PathBuf;
use std::pin::pin;

use bytesize::ByteSize;
use clap::Args;
use cloakroom_storage::Driver as _;
use serde_json::json;
use tokio::time::timeout;

use self::copy::{Copier, Look};
use self::ledger::Ledger;
use self::pass::Pass;
use self::stores::Stores;
use super::target::Age;
use crate::output::{Format, Outcome};
use crate::progress::Progress;
use crate::serve::stopped;

/// After so many passes that found something new, the source is in use.
const PASSES: usize = 10;

/// Copies the sessions of a store to another one, and makes sure that all are there.
///
/// Nothing that a server has changed in the target is overwritten or brought back. It ends when a pass through both stores has found
/// them alike, byte by byte; where it was interrupted, run it again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom migrate --from files.toml --to redis.toml
  cloakroom migrate --from files.toml --to redis.toml --state migration.state --follow

The object of --json has: items and bytes, of the source; same, newer, ended, unreadable and refused, which together are the items;
missing, those of the ended that left nothing behind; copied and removed, what was done in the target; and onlyInTarget, null where the target cannot be listed.")]
pub(crate) struct Migrate {
    /// The configuration of the store that has the sessions, TOML or JSON.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,

    /// The configuration of the store that shall have them.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,

    /// Keep in this file what was written, some 30 bytes for each item: with it another run knows what of the target is its own, and
    /// replaces or removes that where the source has changed. No key and no value is in it. For these two stores alone; remove it
    /// to begin anew.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Go on copying what changes until told to stop, by Ctrl-C or SIGTERM: then once more, and make sure. A second one stops at
    /// once.
    #[arg(long, requires = "state")]
    follow: bool,

    /// How long to wait between two passes that follow.
    #[arg(long, value_name = "TIME", default_value = "5s", requires = "follow")]
    every: Age,

    #[command(flatten)]
    format: Format,
}

/// What all passes have done together.
#[derive(Default)]
struct Done {
    copied: usize,
    removed: usize,
}

impl Done {
    fn add(&mut self, pass: &Pass) {
        self.copied += pass.written;
        self.removed += pass.taken_out;
    }
}

impl Migrate {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let stores = Stores::open(&self.from, &self.to).await?;
        let ledger = match &self.state {
            Some(path) => Ledger::open(path, &stores.about)?,
            None => Ledger::in_memory()?,
        };
        let compares = stores.to.capabilities().compare_and_swap;
        let copier = Copier { stores: &stores, ledger: &ledger, compares };
        let mut done = Done::default();
        if !self.follow {
            let pass = self.settle(&copier, &mut done).await?;
            return self.report(&pass, &done);
        }
        self.follow(&copier, &mut done).await?;
        let again = stopped()?;
        tokio::select! {
            pass = self.settle(&copier, &mut done) => self.report(&pass?, &done),
            () = again => Err("it was stopped before it was sure that all is copied: run it again".into()),
        }
    }

    /// Copies what changes, until it is told to stop.
    async fn follow(&self, copier: &Copier<'_>, done: &mut Done) -> Result<(), Box<dyn Error>> {
        let mut stop = pin!(stopped()?);
        loop {
            let progress = Progress::spinner(self.format, "following");
            let pass = tokio::select! {
                pass = copier.pass(Look::AtTheSource, &progress) => pass,
                () = &mut stop => return Ok(()),
            };
            match pass {
                Ok(pass) => done.add(&pass),
                // A store that is away comes back.
                Err(error) if is_passing(error.as_ref()) => {
                    progress.say(&format!("cloakroom: {error}; it is tried again"));
                }
                Err(error) => return Err(error),
            }
            drop(progress);
            let Age(every) = self.every;
            if timeout(every, &mut stop).await.is_ok() {
                return Ok(());
            }
        }
    }

    /// Makes passes until one finds both stores alike.
    async fn settle(&self, copier: &Copier<'_>, done: &mut Done) -> Result<Pass, Box<dyn Error>> {
        let progress = Progress::through(self.format, "copying", &copier.stores.from).await;
        let mut pass = copier.pass(Look::AtTheSource, &progress).await?;
        drop(progress);
        done.add(&pass);
        for _ in 0..PASSES {
            let progress = Progress::bar(self.format, "comparing", pass.items());
            pass = copier.pass(Look::AtBoth, &progress).await?;
            done.add(&pass);
            if pass.is_quiet() {
                return Ok(pass);
            }
        }
        Err(format!(
            "the source is in use: after {PASSES} passes there were still {} that had changed. Stop the servers that write to it, or \
             give --follow",
            pass.written + pass.taken_out
        )
        .into())
    }

    fn report(&self, pass: &Pass, done: &Done) -> Result<Outcome, Box<dyn Error>> {
        let json = json!({
            "items": pass.items(),
            "bytes": pass.bytes,
            "same": pass.same,
            "newer": pass.newer,
            "ended": pass.ended,
            "missing": pass.missing,
            "unreadable": pass.unreadable,
            "refused": pass.refused,
            "copied": done.copied,
            "removed": done.removed,
            "onlyInTarget": pass.only_there,
        });
        self.format.print(|| json, || lines(pass, done))?;
        pass.name_what_is_left();
        Ok(match (pass.unreadable, pass.refused) {
            (0, 0) => Outcome::Done,
            (0, _) => Outcome::SomeRefused,
            _ => Outcome::SomeUnreadable,
        })
    }
}

/// The result for people: what is not there is not said.
fn lines(pass: &Pass, done: &Done) -> String {
    let mut lines = vec![format!(
        "{} of {} items are in the target byte by byte, {}; {} were copied and {} removed",
        pass.same,
        pass.items(),
        ByteSize(pass.bytes),
        done.copied,
        done.removed
    )];
    for (count, what) in [
        (pass.newer, "have changed in the target, and stay so"),
        (pass.ended, "have ended in the target, and stay so"),
        (
            pass.missing,
            "of those left nothing behind: where nobody uses the target yet, it has lost them; remove the state to copy all anew",
        ),
        (pass.unreadable, "cannot be read, and are not copied"),
        (pass.refused, "are not taken by the target"),
        (pass.only_there.unwrap_or_default(), "are in the target alone, and stay there"),
    ] {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    if pass.only_there.is_none() {
        lines.push(
            "the target cannot list what it has: what is there alone is not known".to_owned(),
        );
    }
    lines.join("\n")
}

/// Whether a store has failed in a way that may be over in a moment.
fn is_passing(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<cloakroom_storage::Error>()
        .is_some_and(cloakroom_storage::Error::is_retryable)
}
