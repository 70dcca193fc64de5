//! `cloakroom import`.

use std::cell::Cell;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use cloakroom_session::Config;
use cloakroom_storage::{Driver as _, DynDriver, ErrorKind, KeyHasher, SetOutcome, When};
use futures_util::{TryStreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;

use super::backup::{Exported, Read, read};
use super::rotate::{called, is_session_or_index};
use crate::output::{Format, Outcome};
use crate::progress::Progress;
use crate::store::Store;

/// How many items are written at once.
const AT_ONCE: usize = 32;

/// The longest line: what is longer is no session's in any store.
const LONGEST_LINE: u64 = 256 * 1024 * 1024;

/// Writes what `cloakroom export` has written into a store, with its deadlines.
///
/// What the store has already stays as it is, unless --overwrite is given. What has expired since is left out. A line that cannot be
/// read is named by its number, and costs nothing else.
///
/// **Who restores a backup undoes each logout and each revocation since.**
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom import --config cloakroom.toml --input sessions.jsonl
  age -d -i KEY sessions.jsonl.age | cloakroom import --config cloakroom.toml --json

The object of --json has: imported, already, differing, expired, broken, refused.")]
pub(crate) struct Import {
    #[command(flatten)]
    store: Store,

    /// The file; the standard input unless given.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,

    /// Replace what the store has under the same keys.
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    format: Format,
}

/// What became of the lines.
#[derive(Default)]
struct Counts {
    imported: Cell<usize>,
    already: Cell<usize>,
    differing: Cell<usize>,
    expired: Cell<usize>,
    broken: Cell<usize>,
    refused: Cell<usize>,
}

impl Import {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let (input, length): (Box<dyn BufRead>, u64) = match &self.input {
            None => (Box::new(io::stdin().lock()), 0),
            Some(path) => {
                let file = File::open(path)
                    .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                let length = file.metadata()?.len();
                (Box::new(BufReader::new(file)), length)
            }
        };
        let (config, driver) = self.store.driver().await?;
        let progress = match length {
            0 => Progress::spinner(self.format, "importing"),
            length => Progress::bytes(self.format, "importing", length),
        };
        let counts = Counts::default();
        let mut lines = Lines {
            input,
            number: 0,
            items: 0,
            is_over: false,
            counts: &counts,
            progress: &progress,
        };
        lines.read_head()?;
        let items = stream::iter(std::iter::from_fn(|| lines.next_item().transpose()));
        items
            .try_for_each_concurrent(AT_ONCE, async |item| {
                if let Some(why) = misfit(&config, &item) {
                    progress.say(&format!("cloakroom: {} is not taken: {why}", called(&item.key)));
                    increment(&counts.refused);
                    return Ok(());
                }
                self.import(&driver, item, &counts, &progress).await
            })
            .await?;
        drop(progress);
        self.report(&counts)
    }

    async fn import(
        &self,
        driver: &DynDriver,
        item: Exported,
        counts: &Counts,
        progress: &Progress,
    ) -> Result<(), Box<dyn Error>> {
        let Exported { key, value, expires } = item;
        let ttl = expires
            .map(|at| Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default());
        if ttl.is_some_and(|ttl| ttl.is_zero()) {
            increment(&counts.expired);
            return Ok(());
        }
        let compares = driver.capabilities().compare_and_swap;
        let is_there = !self.overwrite && !compares && driver.get(&key).await?.is_some();
        let when = if self.overwrite || !compares { When::Always } else { When::Absent };
        let outcome = match is_there {
            true => Ok(SetOutcome::Conflict),
            false => driver.set(&key, value.clone(), when, ttl).await,
        };
        match outcome {
            Ok(SetOutcome::Written { .. }) => increment(&counts.imported),
            Ok(SetOutcome::Conflict) => {
                let there = driver.get(&key).await?;
                let is_same = there.is_some_and(|there| there.value == value);
                increment(if is_same { &counts.already } else { &counts.differing });
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::TooLarge | ErrorKind::InvalidKey | ErrorKind::Unsupported
                ) =>
            {
                progress.say(&format!("cloakroom: {} is not taken: {error}", called(&key)));
                increment(&counts.refused);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn report(&self, counts: &Counts) -> Result<Outcome, Box<dyn Error>> {
        let Counts { imported, already, differing, expired, broken, refused } = counts;
        let [imported, already, differing, expired, broken, refused] =
            [imported, already, differing, expired, broken, refused].map(Cell::get);
        let json = json!({
            "imported": imported,
            "already": already,
            "differing": differing,
            "expired": expired,
            "broken": broken,
            "refused": refused,
        });
        let line = format!(
            "{imported} items were imported; {already} were there already, {differing} are there with other bytes and stay so, \
             {expired} have expired"
        );
        self.format.print(|| json, || line)?;
        Ok(match (broken, refused) {
            (0, 0) => Outcome::Done,
            (0, _) => Outcome::SomeRefused,
            _ => Outcome::SomeUnreadable,
        })
    }
}

/// Why nobody who is configured so would find the item, or could open it. What is plain would be so in a store that is said not to be.
fn misfit(config: &Config, item: &Exported) -> Option<&'static str> {
    let key = item.key.as_str();
    let is_plain = is_session_or_index(key);
    let is_ours = is_plain || KeyHasher::is_hash(key);
    let wants_sealed = config.encryption.as_ref().is_some_and(|it| !it.accept_plain);
    if config.hash_ids.is_some() && is_plain {
        return Some("its ID is not hashed, and the configuration has `hashIds`");
    }
    let is_sealed = item.value.starts_with(b"sealed.");
    (wants_sealed && is_ours && !is_sealed)
        .then_some("it is not sealed, and the configuration has `encryption`")
}

/// The lines of an export, one at a time.
struct Lines<'a> {
    input: Box<dyn BufRead>,
    number: usize,
    items: usize,
    is_over: bool,
    counts: &'a Counts,
    progress: &'a Progress,
}

impl Lines<'_> {
    fn read_head(&mut self) -> Result<(), Box<dyn Error>> {
        let refused = |reason: &str| format!("this is no export of `cloakroom export`: {reason}");
        match self.next_line()? {
            None => Err(refused("it is empty").into()),
            Some(line) => match read(&line) {
                Ok(Read::Head) => Ok(()),
                Ok(_) => Err(refused("its first line says no version").into()),
                Err(reason) => Err(refused(&format!("of its first line, {reason}")).into()),
            },
        }
    }

    /// The next item; what is none is named on the way. `None` at the end.
    fn next_item(&mut self) -> Result<Option<Exported>, Box<dyn Error>> {
        while !self.is_over {
            let Some(line) = self.next_line()? else {
                self.is_over = true;
                self.name("the last line is missing: the file was cut off");
                break;
            };
            match read(&line) {
                Ok(Read::Item(item)) => {
                    self.items += 1;
                    return Ok(Some(item));
                }
                Ok(Read::End(items)) => {
                    self.is_over = true;
                    if items != self.items + self.counts.broken.get() {
                        self.name(&format!(
                            "there were {items} items, and {} are here",
                            self.items
                        ));
                    }
                }
                Ok(Read::Head) => self.name("a second first line"),
                Err(reason) => self.name(&reason),
            }
        }
        Ok(None)
    }

    fn name(&self, reason: &str) {
        self.progress.say(&format!("cloakroom: line {}: {reason}", self.number));
        increment(&self.counts.broken);
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let length = self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        self.number += 1;
        self.progress.advance(length as u64);
        Ok((length > 0).then_some(line))
    }
}

fn increment(counter: &Cell<usize>) {
    counter.set(counter.get() + 1);
}
