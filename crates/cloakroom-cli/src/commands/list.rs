//! `cloakroom list`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::io::{self, Write as _};
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use cloakroom_session::{StoredSession, printable};
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use super::nothing::{found_none_of, found_nothing};
use super::target::{Age, is_idle_for};
use crate::output::{Format, Outcome, column, moment};
use crate::progress::Progress;
use crate::store::{Store, open};

/// How many are kept to be sorted, unless a limit says otherwise.
const SORTED: usize = 1_000;

/// Lists the sessions of a store, as they are found: any number of them in the same memory.
///
/// Never an ID, which is a credential: the handle is what the other commands take.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom list --config cloakroom.toml --principal ann
  cloakroom list --driver fs-lite --option base=.data/sessions --sort size --limit 10
  cloakroom list --config cloakroom.toml --idle-for 30d --json | jq -r .handle

Each line of --json has: handle, bytes, entries, created, lastUsed, expires, principal; null where nobody notes it, and
unreadable, with the reason, where the session cannot be read.")]
pub(crate) struct List {
    #[command(flatten)]
    store: Store,

    /// Those of this principal alone.
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,

    /// Those that nobody has used for so long, as in 30d or "2h 30m"; needs `idle` in the configuration.
    #[arg(long, value_name = "TIME")]
    idle_for: Option<Age>,

    /// At most so many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,

    /// In this order, the largest or the newest first: 1,000 of them unless --limit says otherwise.
    #[arg(long, value_enum, value_name = "BY")]
    sort: Option<Order>,

    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Size,
    Created,
    Used,
    Expires,
}

impl Order {
    /// Where a session stands: what is more comes first, and what has no such moment last.
    fn place(self, session: &StoredSession) -> Option<u128> {
        let at = match self {
            Order::Size => return Some(session.size() as u128),
            Order::Created => session.created_at(),
            Order::Used => session.last_used_at(),
            Order::Expires => session.expires_at(),
        };
        let since = at?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(since.as_nanos())
    }
}

/// The first sessions in an order, as they are printed: records are larger than what is said of them, by far where they are large.
struct First {
    order: Order,
    limit: usize,
    /// The last of them on top.
    lines: BinaryHeap<Reverse<(Option<u128>, String)>>,
}

impl First {
    fn add(&mut self, session: &StoredSession, line: impl FnOnce() -> String) {
        let place = self.order.place(session);
        if self.lines.len() >= self.limit {
            match self.lines.peek() {
                Some(Reverse((last, _))) if *last < place => drop(self.lines.pop()),
                _ => return,
            }
        }
        self.lines.push(Reverse((place, line())));
    }

    fn into_lines(self) -> impl Iterator<Item = String> {
        self.lines.into_sorted_vec().into_iter().map(|Reverse((_, line))| line)
    }
}

impl List {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let config = self.store.config()?;
        if self.idle_for.is_some() && config.idle.is_none() {
            return Err(
                "the configuration has no `idle`, so nobody notes when a session was last used"
                    .into(),
            );
        }
        let sessions = open(config).await?;
        if !self.format.json {
            writeln!(io::stdout(), "{HEAD}")?;
        }
        // Where nothing is printed before all is read.
        let progress = match self.sort {
            Some(_) => Some(Progress::through(self.format, "reading", sessions.driver()).await),
            None => None,
        };
        let all = sessions.all();
        let mut listed = all.list()?;
        let limit = self.limit.unwrap_or(if self.sort.is_some() { SORTED } else { usize::MAX });
        let first = |order| First { order, limit, lines: BinaryHeap::new() };
        let mut sorted = self.sort.map(first);
        let (mut found, mut wanted, mut printed, mut unreadable) = (0_usize, 0_usize, 0, 0);
        while printed < limit {
            let Some(session) = listed.try_next().await? else { break };
            progress.as_ref().inspect(|progress| progress.tick());
            found += 1;
            if !self.is_wanted(&session) {
                continue;
            }
            wanted += 1;
            unreadable += usize::from(session.unreadable().is_some());
            let text = || self.format.text(|| row(&session), || line(&session));
            match &mut sorted {
                Some(sorted) => sorted.add(&session, text),
                None => {
                    writeln!(io::stdout(), "{}", text())?;
                    printed += 1;
                }
            }
        }
        drop(progress);
        for line in sorted.into_iter().flat_map(First::into_lines) {
            writeln!(io::stdout(), "{line}")?;
        }
        match (found, &self.principal) {
            (_, Some(principal)) if wanted == 0 && limit > 0 => {
                found_none_of(&sessions, principal, Outcome::Done).await
            }
            (0, None) if limit > 0 => found_nothing(&sessions, Outcome::Done).await,
            _ => Ok(Outcome::of(unreadable)),
        }
    }

    fn is_wanted(&self, session: &StoredSession) -> bool {
        let is_theirs =
            self.principal.as_deref().is_none_or(|wanted| session.principal() == Some(wanted));
        is_theirs && self.idle_for.is_none_or(|age| is_idle_for(session, age))
    }
}

const HEAD: &str = "HANDLE               BYTES  ENTRIES  CREATED               LAST USED             EXPIRES               PRINCIPAL";

fn line(session: &StoredSession) -> String {
    let entries = session.keys().map_or_else(|_| "-".to_owned(), |keys| keys.len().to_string());
    let whose = match session.unreadable() {
        Some(error) => format!("! {error}"),
        None => session.principal().unwrap_or("-").to_owned(),
    };
    format!(
        "{}  {:>8}  {entries:>7}  {:<20}  {:<20}  {:<20}  {}",
        session.handle(),
        session.size(),
        column(session.created_at()),
        column(session.last_used_at()),
        column(session.expires_at()),
        printable(&whose),
    )
}

/// A session as one object, without its entries.
pub(super) fn row(session: &StoredSession) -> Value {
    let mut row = json!({
        "handle": session.handle().to_string(),
        "bytes": session.size(),
        "entries": session.keys().ok().map(|keys| keys.len()),
        "created": session.created_at().and_then(moment),
        "lastUsed": session.last_used_at().and_then(moment),
        "expires": session.expires_at().and_then(moment),
        "principal": session.principal(),
    });
    if let Some(error) = session.unreadable() {
        row["unreadable"] = error.to_string().into();
    }
    row
}
