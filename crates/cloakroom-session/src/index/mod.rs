//! Which sessions a principal has.
//!
//! Kept in the store of the sessions, as pages that change by compare-and-swap alone, so that it holds on every driver that can.
//! The commit enters sessions, in step with their records: why none is ever alive and missing is told in `machine::entering`.
//! Whoever ends sessions marks their entries, retires what is under their IDs, and takes the entries out; who comes across a mark
//! finishes the job, so that an end that was begun comes about whoever crashes.
//!
//! Entries may outlive their sessions: one that expires, is destroyed or moves to another ID leaves its entry behind, and pays
//! nothing for it. Who lists them, or needs their place, takes them out.
//!
//! A principal with many sessions has many pages of [`ROOM`] each. The first says how many there are, and a new session goes to
//! the last; so a sign-in reads and writes one page, or two pages, whatever the number of sessions.

mod ending;
mod entering;
mod listing;
mod page;
mod verifying;

use std::time::Duration;

use cloakroom_storage::{ItemKey, Version, When, platform::Instant};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::config::{Config, IndexSecret, LONGEST_MAX_AGE, WhenFull};
use crate::error::{Error, ErrorKind, Result};
use crate::machine::Entered;
use crate::store::{Name, Store, from_storage, pause};

pub(crate) use ending::end_one;
pub(crate) use listing::Listed;
pub use page::SessionHandle;
use page::{Item, Page};
pub(crate) use verifying::PageState;

/// What a page's key begins with. No cookie leads there: what is no UUID reaches no driver.
const PREFIX: &str = "principal";

/// After so many conflicts in a row, something else is wrong.
const ATTEMPTS: u32 = 1000;

/// How many sessions are looked at, or retired, at once.
const AT_ONCE: usize = 32;

/// How long a page is kept beyond the last session that is entered on it can live, for clocks that are apart.
const BEYOND: Duration = Duration::from_secs(3600);

/// How long a page is kept at least: as long as a browser keeps a cookie, whatever `absolute` is changed to.
const KEPT: Duration = Duration::from_secs(LONGEST_MAX_AGE);

/// The sessions of all principals.
#[derive(Debug)]
pub(crate) struct Index {
    secret: Option<IndexSecret>,
    limit: Option<Limit>,
    /// How long a page is kept after the last session was entered on it.
    ttl: Option<Duration>,
}

/// How many sessions a principal may have.
#[derive(Clone, Copy, Debug)]
struct Limit {
    most: usize,
    when_full: WhenFull,
}

/// What becomes of a page.
enum Change<T> {
    /// It is written, unless another was faster.
    Write(T),
    /// It stays as it is.
    Keep(T),
}

impl Index {
    pub(crate) fn new(config: &Config) -> Index {
        let limit = config.max_sessions.map(|most| Limit {
            most: most.try_into().unwrap_or(usize::MAX),
            when_full: config.when_full,
        });
        let ttl = config.absolute.map(|absolute| absolute.saturating_add(BEYOND).max(KEPT));
        Index { secret: config.index_secret.clone(), limit, ttl }
    }

    /// Whether a session that was entered still stands there, and is not to be ended.
    pub(crate) async fn has(&self, store: &Store, entered: &Entered) -> Result<bool> {
        let name = store.name(entered.id)?;
        // Written as it is, so that what was read is how it stands: a near cache may show what it was a moment ago.
        self.change(store, &entered.principal, entered.page, |page| {
            Change::Write(page.find(&name).is_some_and(|item| !item.is_ending))
        })
        .await
    }

    /// The sign-ins that these are names of.
    pub(crate) async fn handles(
        &self,
        store: &Store,
        principal: &str,
        names: &[Name],
    ) -> Result<Vec<SessionHandle>> {
        let mut handles = Vec::new();
        for page in self.read_all(store, principal).await? {
            let items = page.items.iter().filter(|item| names.contains(&item.name));
            handles.extend(items.map(|item| item.handle));
        }
        Ok(handles)
    }

    /// Where a page is kept: its name does not show the principal. Without a secret, whoever reads the store may guess one and
    /// see whether he was right.
    fn key(&self, principal: &str, number: u32) -> Result<ItemKey> {
        let digest: [u8; 32] = match &self.secret {
            Some(IndexSecret(secret)) => {
                let secret: Hmac<Sha256> = secret.clone();
                secret.chain_update(principal).finalize().into_bytes().into()
            }
            None => Sha256::digest(principal).into(),
        };
        let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
        let name: String =
            digest.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect();
        let key = match number {
            0 => format!("{PREFIX}:{name}"),
            number => format!("{PREFIX}:{name}-{number}"),
        };
        ItemKey::new(&key).map_err(from_storage)
    }

    /// A page, and the version to change it at; `None` for the latter where it is not there.
    async fn read(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
    ) -> Result<(Page, Option<Version>)> {
        self.read_at(store, &self.key(principal, number)?).await
    }

    async fn read_at(&self, store: &Store, key: &ItemKey) -> Result<(Page, Option<Version>)> {
        ensure_comparing(store)?;
        match store.page(key).await? {
            Some(item) => Ok((Page::parse(&item.value)?, Some(item.version))),
            None => Ok((Page::default(), None)),
        }
    }

    /// Writes a page that was read at this version; answers whether nobody was faster.
    async fn write(
        &self,
        store: &Store,
        key: &ItemKey,
        page: &Page,
        version: Option<Version>,
    ) -> Result<bool> {
        match version {
            Some(version) if *page == Page::default() => store.remove_page(key, version).await,
            version => {
                let when = version.map_or(When::Absent, When::Version);
                store.set_page(key, page.to_bytes()?, when, self.ttl).await
            }
        }
    }

    /// Changes a page, again where another was faster.
    async fn change<T>(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
        change: impl FnMut(&mut Page) -> Change<T>,
    ) -> Result<T> {
        self.change_at(store, &self.key(principal, number)?, change).await
    }

    async fn change_at<T>(
        &self,
        store: &Store,
        key: &ItemKey,
        mut change: impl FnMut(&mut Page) -> Change<T>,
    ) -> Result<T> {
        let began = Instant::now();
        for conflicts in 1..=ATTEMPTS {
            let (mut page, version) = self.read_at(store, key).await?;
            match change(&mut page) {
                Change::Keep(kept) => return Ok(kept),
                // Nor is there anything to be written.
                Change::Write(made) if version.is_none() && page == Page::default() => {
                    return Ok(made);
                }
                Change::Write(made) => {
                    if self.write(store, key, &page, version).await? {
                        return Ok(made);
                    }
                }
            }
            pause(conflicts, began.elapsed() / conflicts).await;
        }
        Err(too_many_conflicts())
    }

    /// All pages, in their order.
    async fn read_all(&self, store: &Store, principal: &str) -> Result<Vec<Page>> {
        let (first, _) = self.read(store, principal, 0).await?;
        let further = 1..first.pages;
        let mut pages = vec![first];
        for number in further {
            pages.push(self.read(store, principal, number).await?.0);
        }
        Ok(pages)
    }
}

/// Whether a key is a page's, where the store shows keys as they are.
pub(crate) fn is_key(key: &ItemKey) -> bool {
    let Some(page) = key.as_str().strip_prefix(PREFIX).and_then(|page| page.strip_prefix(':'))
    else {
        return false;
    };
    let (name, number) = page.split_once('-').unwrap_or((page, "1"));
    name.len() == 64
        && name.bytes().all(|byte| byte.is_ascii_hexdigit())
        && number.parse::<u32>().is_ok()
}

/// Refuses what a driver cannot do.
pub(crate) fn ensure_comparing(store: &Store) -> Result<()> {
    match store.rules().compares {
        true => Ok(()),
        false => Err(cannot_compare(store.driver().name())),
    }
}

pub(crate) fn cannot_compare(driver: &str) -> Error {
    Error::config(format!(
        "the driver `{driver}` cannot compare and swap, so that nobody could say for sure which sessions a principal has: \
         choose another driver to sign in with, or leave principal and maxSessions out"
    ))
}

fn too_many_conflicts() -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "others changed the index of a principal's sessions {ATTEMPTS} times while this request tried to: try again"
        ),
    )
}
