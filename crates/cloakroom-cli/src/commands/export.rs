//! `cloakroom export`.

use std::cell::Cell;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use cloakroom_drivers::overlay::is_word;
use cloakroom_storage::{Driver as _, DynDriver, ErrorKind, ItemKey};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde_json::json;

use super::backup::{Exported, Line};
use super::rotate::called;
use crate::output::{Format, Outcome};
use crate::progress::Progress;
use crate::store::Store;

/// How many items are read at once.
const AT_ONCE: usize = 32;

/// Writes what is in a store as lines of JSON, for a backup or a test.
///
/// All items are there with their deadlines, as the store has them: what is sealed stays sealed, and what is hashed hashed. Keys are
/// IDs otherwise, and **whoever has an ID is logged in by it**: keep the file as secret as the store.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom export --config cloakroom.toml --output sessions.jsonl
  cloakroom export --config cloakroom.toml | age -r RECIPIENT > sessions.jsonl.age

With --output and --json, one object: items, bytes, unreadable.")]
pub(crate) struct Export {
    #[command(flatten)]
    store: Store,

    /// A file that is not there yet; nobody but its owner can read it. The standard output unless given.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print it also where the output is a terminal.
    #[arg(long, conflicts_with = "output")]
    reveal: bool,

    #[command(flatten)]
    format: Format,
}

/// What was written.
#[derive(Default)]
struct Written {
    items: usize,
    bytes: usize,
    unreadable: usize,
}

impl Export {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        if self.output.is_none() && io::stdout().is_terminal() && !self.reveal {
            return Err("an export has the IDs of all sessions in it, which are credentials: name a file by --output, or say --reveal"
                .into());
        }
        let (_, driver) = self.store.driver().await?;
        let Some(path) = &self.output else {
            let written = self.write(&driver, io::stdout().lock()).await?;
            return Ok(Outcome::of(written.unreadable));
        };
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!(
                    "{} is there already, and stays as it is: name another file",
                    path.display()
                )
            }
            _ => format!("cannot write {}: {error}", path.display()),
        };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(refused)?;
        let written = match self.write(&driver, &file).await {
            Ok(written) => written,
            Err(error) => {
                // Half a backup looks like one.
                std::fs::remove_file(path).map_err(refused)?;
                return Err(error);
            }
        };
        file.sync_all().map_err(refused)?;
        let Written { items, bytes, unreadable } = written;
        let json = json!({ "items": items, "bytes": bytes, "unreadable": unreadable });
        self.format.print(|| json, || format!("{items} items were written"))?;
        Ok(Outcome::of(unreadable))
    }

    async fn write(
        &self,
        driver: &DynDriver,
        output: impl Write,
    ) -> Result<Written, Box<dyn Error>> {
        let mut output = BufWriter::new(output);
        let mut line = |line: &Line<'_>| -> Result<(), Box<dyn Error>> {
            serde_json::to_writer(&mut output, line).map_err(io::Error::from)?;
            Ok(output.write_all(b"\n")?)
        };
        line(&Line::head(Timestamp::now()))?;
        let progress = Progress::through(self.format, "exporting", driver).await;
        let mut written = Written::default();
        let unreadable = Cell::new(0);
        let items = driver.keys("").map(|key| async {
            let key = key?;
            match exported(driver, &key).await {
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    progress.say(&format!("cloakroom: {}: {error}", called(&key)));
                    unreadable.set(unreadable.get() + 1);
                    Ok(None)
                }
                result => result,
            }
        });
        let mut items = items.buffer_unordered(AT_ONCE);
        while let Some(item) = items.try_next().await? {
            progress.tick();
            if let Some(item) = item {
                line(&item.to_line())?;
                written.items += 1;
                written.bytes += item.value.len();
            }
        }
        line(&Line::End { items: written.items })?;
        output.flush()?;
        written.unreadable = unreadable.get();
        Ok(written)
    }
}

/// The item under a key; `None` where it is no more, and where an overlay says so.
async fn exported(
    driver: &DynDriver,
    key: &ItemKey,
) -> cloakroom_storage::Result<Option<Exported>> {
    let found = driver.get_with_ttl(key).await?.filter(|(item, _)| !is_word(&item.value));
    Ok(found.map(|(item, ttl)| {
        let expires = ttl.and_then(|ttl| SystemTime::now().checked_add(ttl));
        // What lives longer than there are dates lives for ever.
        let expires = expires.and_then(|at| Timestamp::try_from(at).ok());
        Exported { key: key.clone(), value: item.value, expires: expires.map(to_milliseconds) }
    }))
}

fn to_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
