//! `fs-lite`, which is Astro's `fs` too: one file per item.
//!
//! # Layout
//! unstorage's: the item `a:b` is the file `<base>/a/b`, without extension, holding the value and nothing
//! else. Temporary files, locks and the index live in `<base>/.cloakroom`, and no key reaches a folder of that name, at any
//! depth; their names end in `$`, so that unstorage's listing leaves them out.
//!
//! # Reading
//! On Linux a file that the kernel has in its memory is read where the call is made, by system calls that give up
//! instead of waiting for a disk. Any other is read in a thread that may wait.
//!
//! # Writing
//! A value is written to a temporary file and renamed, so that a reader sees the old value or the new one,
//! also when the process is killed in between. A JavaScript writer truncates and rewrites in place instead;
//! while it does, a reader would see an empty or cut file. So a file that was written in place within the last
//! few milliseconds is read again until it has settled.
//!
//! Few threads write at once, because each has its folder to itself for so long. The old file that a write has compared stays
//! open until it is answered: it is freed then, and keeps nobody waiting, neither for the folder nor for the lock. So for a
//! moment each of these threads may have a file more open, and its room taken, than there are items. On Linux the disk begins
//! to write a new file of up to 8 KiB before it is renamed over the old one, and not while it is, so that a power cut leaves
//! one of the two: see [`Options::sync`].
//!
//! # Expiry
//! A file's modification time is the item's deadline, 46 years early: what ends in 2027 is dated 1981. Nobody else writes
//! such times, and no other time is looked at, so that an item keeps its deadline whoever owns, moves, links, copies or
//! restores its file, as long as the modification time is kept. A JavaScript writer sets that to now and thereby takes the
//! deadline away. A job that removes what was not modified for long would remove what is alive: the sweep does that
//! instead. Moving the deadline writes no data.
//!
//! Where the whole folder was copied without times, or touched, the next to open or sweep it sees that, and the items get
//! the deadlines back that the index tells of, also those that JavaScript has written over since. A copy that leaves out
//! both the times and `.cloakroom`, or loses the times of some files alone, leaves items without a deadline.
//!
//! Deadlines are wall-clock time, and the clocks of machines that share a folder must agree. What would end after 2067
//! does not end.
//!
//! # File systems
//! Whether the one below the folder keeps times and locks is tried when the store is opened, or with the first write
//! where that makes the folder. Where nothing can expire there [`Capabilities::expiry`] says so, where locks exclude nobody
//! [`Capabilities::shared`] does, and there is one warning in the log. Where times are kept to the second or two, items end
//! that much later, and a reader waits that much longer for what JavaScript has just written. Where names do not tell upper from lower case, keys
//! that differ in nothing else are one item, under one lock.
//!
//! # Sweeping
//! `.cloakroom` also holds an index of what expires when, so that a sweep costs what there is to remove and not what
//! there is. An item that has expired stays on the disk for the time until the next sweep, and for at most a second or
//! a sixteenth of its ttl longer. A folder without an index, as an earlier version or unstorage's `clear` leaves it,
//! is walked through once. So after a power cut without `sync`, or when a file with a deadline was restored from a
//! backup, removing `.cloakroom/indexed$` makes the next sweep look at every item again. Until then it is not returned,
//! but not freed either.
//!
//! # Compare and swap
//! Bytes are compared under a lock file, one of a fixed number chosen by the key. It excludes every thread and
//! process that uses this driver, also by another base: where one lies in the folder of another, the inner one's locks
//! count, from the first write after it was made. A JavaScript writer knows no lock: what it wrote is seen by the
//! comparison, except in the microseconds between comparing and renaming.

#[cfg(target_os = "linux")]
mod cached;
mod deadline;
mod failure;
mod index;
mod lock;
mod platform;
mod probe;
mod read;
mod recover;
mod store;
mod sweep;
mod temporary;
mod walk;
mod writers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, Swept, When, options,
};
use lock::{Queues, Turn};
use store::Store;
use sweep::Sweep;
use writers::{Lost, Writers};

const NAME: &str = "fs-lite";

/// The folder inside the base that is ours.
const OWN_FOLDER: &str = ".cloakroom";

/// Without regard to case, since not every file system has any. Those look beyond ASCII as well: to some the sign of the
/// Kelvin is a `k`, and letters that nobody sees are none.
fn is_own_folder(name: &str) -> bool {
    if name.is_ascii() {
        return name.eq_ignore_ascii_case(OWN_FOLDER);
    }
    name.to_lowercase().chars().filter(char::is_ascii).eq(OWN_FOLDER.chars())
}

/// How many threads write at once: more have to wait for one another, because each has the folder to itself for so long.
const WRITERS: usize = 4;

/// How many, where each waits for the disk.
const SYNCING_WRITERS: usize = 64;

/// How many keys a listing is ahead of its reader.
const LISTED_AHEAD: usize = 64;

/// Items as files in a folder.
///
/// ```
/// use cloakroom_drivers::fs_lite::{FsLite, Options};
/// use cloakroom_storage::{Driver, ItemKey, When};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let files = FsLite::new(Options::new(folder.path()))?;
/// files.set(&ItemKey::new("sess:42")?, "hello".into(), When::Always, None).await?;
/// assert_eq!(std::fs::read_to_string(folder.path().join("sess/42"))?, "hello");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct FsLite {
    store: Arc<Store>,
    queues: Queues,
    writers: Writers,
    sweep: Arc<Sweep>,
}

/// unstorage's options for `fs-lite` and `fs`, and one of ours.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The folder, made when it is missing. Relative to where the process was when it opened the store.
    pub base: PathBuf,
    /// Refuses every write.
    ///
    /// DIFFERENCE: unstorage drops writes silently; here they are errors, for a session that seems saved and
    /// is not helps nobody.
    #[serde(default)]
    pub read_only: bool,
    /// Makes the disk keep each write and removal before it counts as done.
    ///
    /// Off, a killed process loses nothing, but a power cut may lose what was written in the seconds before: a new item
    /// may be missing or be an empty file, which reads as missing; a removed one may be back; and where a value stood
    /// in the place of another, it is there or the one before, as after a rename over it. ext4 and others keep to that
    /// except in the milliseconds in which the disk is at the file's bytes; what is found then cannot be read.
    ///
    /// On, nothing is lost, at the cost of two fsyncs per write and one per removal or touch. On ext4 on a
    /// virtual disk, a write took 0.3 ms without and 8 ms with it, a touch 0.03 ms and 1.2 ms.
    #[serde(default)]
    pub sync: bool,
    /// Accepted for unstorage's sake: there is no `clear` here that it could forbid.
    #[serde(default)]
    #[allow(dead_code)]
    no_clear: bool,
    /// Accepted for unstorage's sake: it filters what is watched and listed there, by a function or by
    /// patterns. Listings here leave out only what cannot be a key.
    #[serde(default)]
    #[allow(dead_code)]
    ignore: Option<IgnoredAny>,
}

impl Options {
    /// The default options for the folder `base`.
    pub fn new(base: impl AsRef<Path>) -> Options {
        Options {
            base: base.as_ref().to_owned(),
            read_only: false,
            sync: false,
            no_clear: false,
            ignore: None,
        }
    }
}

impl FsLite {
    /// A store in a folder.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] when the base is empty or no folder.
    pub fn new(options: Options) -> Result<FsLite> {
        let base = std::path::absolute(&options.base).map_err(|error| {
            options::invalid(NAME, "option `base` is not a path").with_source(error)
        })?;
        if base.metadata().is_ok_and(|metadata| !metadata.is_dir()) {
            let message = format!("option `base`: `{}` is a file, not a folder", base.display());
            return Err(options::invalid(NAME, message));
        }
        let store = Arc::new(Store::new(base, options.read_only, options.sync));
        let writers = Writers::new(if options.sync { SYNCING_WRITERS } else { WRITERS });
        Ok(FsLite { store, queues: Queues::new(), writers, sweep: Arc::default() })
    }

    /// A store with options as a configuration gives them.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`].
    pub fn open(options: &Map<String, Value>) -> Result<FsLite> {
        FsLite::new(options::parse(NAME, options)?)
    }

    /// Does blocking work where it blocks nobody.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(result) => result,
            Err(error) if error.is_cancelled() => Err(lost(Lost::Cancelled)),
            Err(_) => Err(lost(Lost::Panicked)),
        }
    }

    /// Writes when it is this key's turn: waiting here costs no thread.
    async fn change<T: Send + 'static>(
        &self,
        operation: Operation,
        key: &ItemKey,
        work: impl Fn(&Store, &ItemKey, &mut Turn) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let mut turn = self.queues.wait(key).await;
        let (store, own_key, own_work) = (self.store.clone(), key.clone(), work.clone());
        let attempt = self.writers.run(move || {
            let result = own_work(&store, &own_key, &mut turn);
            match turn.is_refused() {
                true => ((result, Some(turn)), None),
                false => ((result, None), turn.end()),
            }
        });
        let result = match attempt.await {
            Ok((result, None)) => result,
            // Another process is at it, which may take long: not in a thread that others wait for.
            Ok((_, Some(mut turn))) => {
                let own_key = key.clone();
                turn.wait_for_others();
                self.blocking(move |store| work(store, &own_key, &mut turn)).await
            }
            Err(why) => Err(lost(why)),
        };
        result.map_err(|error| explain(error, operation).with_key(key))
    }
}

/// Work that has no result.
fn lost(why: Lost) -> Error {
    match why {
        Lost::Cancelled => Error::new(ErrorKind::Cancelled, "the runtime is shutting down"),
        Lost::Panicked => Error::new(ErrorKind::Other, "the file operation panicked"),
    }
}

fn explain(error: Error, operation: Operation) -> Error {
    error.with_driver(NAME).with_operation(operation)
}

#[async_trait]
impl Driver for FsLite {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        let abilities = self.store.abilities();
        Capabilities {
            retains: true,
            compare_and_swap: true,
            expiry: abilities.keeps_times,
            iteration: true,
            durable: true,
            shared: abilities.excludes,
            read_only: self.store.read_only(),
            ..Capabilities::none()
        }
    }

    async fn advice(&self) -> Vec<Advice> {
        let advice = self.blocking(|store| Ok(store.advice())).await;
        advice.unwrap_or_default()
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        // A session that was written or read of late is in the kernel's memory: there is nothing to wait for, and
        // to wake a thread would take longer than to read.
        #[cfg(target_os = "linux")]
        if let Some(found) = self.store.get_cached(key) {
            return Ok(Some(found));
        }
        let own_key = key.clone();
        let found = self.blocking(move |store| store.get(&own_key)).await;
        found.map_err(|error| explain(error, Operation::Get).with_key(key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let set = move |store: &Store, key: &ItemKey, turn: &mut Turn| {
            store.set(key, value.clone(), when.clone(), ttl, turn)
        };
        self.change(Operation::Set, key, set).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let remove = move |store: &Store, key: &ItemKey, turn: &mut Turn| {
            store.remove(key, when.clone(), turn)
        };
        self.change(Operation::Remove, key, remove).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let touch =
            move |store: &Store, key: &ItemKey, turn: &mut Turn| store.touch(key, ttl, turn);
        self.change(Operation::Touch, key, touch).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let (store, prefix) = (self.store.clone(), prefix.to_owned());
        stream::once(async move {
            let (sender, receiver) = mpsc::channel(LISTED_AHEAD);
            // Ends by itself when the receiver is dropped.
            tokio::task::spawn_blocking(move || {
                for key in store.keys(&prefix) {
                    let key = key.map_err(|error| explain(error, Operation::Keys));
                    if sender.blocking_send(key).is_err() {
                        return;
                    }
                }
            });
            stream::unfold(receiver, async |mut receiver| {
                receiver.recv().await.map(|key| (key, receiver))
            })
        })
        .flatten()
        .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let sweep = self.sweep.clone();
        let swept = self.blocking(move |store| sweep.sweep(store, budget)).await;
        swept.map_err(|error| explain(error, Operation::Sweep))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_system_takes_another_name_for_our_own_folder() {
        for name in [".cloakroom", ".CloakRoom", ".cloa\u{212a}room", ".cloak\u{200d}room\u{ad}"] {
            assert!(is_own_folder(name), "{name}");
        }
        for name in ["cloakroom", ".cloakrooms", ".clo\u{e4}kroom", ".", "\u{212a}"] {
            assert!(!is_own_folder(name), "{name}");
        }
    }
}
