//! `cloakroom revoke`.

use std::cell::Cell;
use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};

use clap::Args;
use cloakroom_session::{Sessions, StoredSession};
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::nothing::found_nothing;
use super::target::{Age, Target, is_older};
use crate::output::{Format, Outcome, say};
use crate::progress::Progress;
use crate::store::{Store, open};

/// How many are ended at once.
const AT_ONCE: usize = 32;

/// Who revokes, in the log.
const OPERATOR: &str = "cloakroom revoke";

/// Ends sessions: whoever has one is signed out, and a request that has it loaded saves nothing more.
///
/// It says what it is about to do and asks, unless --yes is given.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom revoke --config cloakroom.toml 8f3a2b1c0d4e5f60
  cloakroom revoke --config cloakroom.toml --principal ann --yes
  cloakroom revoke --driver redis --option url=redis://localhost:6379 --all --older-than 90d")]
pub(crate) struct Revoke {
    #[command(flatten)]
    store: Store,

    /// The handle that `cloakroom list` shows, or an ID.
    #[arg(value_name = "HANDLE|ID", required_unless_present_any = ["principal", "all"])]
    session: Option<Target>,

    /// All of this principal's sessions, by its index: also those that are signed in to at this moment.
    #[arg(long, value_name = "PRINCIPAL", conflicts_with = "session")]
    principal: Option<String>,

    /// All sessions that there are when they are looked at, but for those that cannot be read. One that gets a new ID meanwhile
    /// may be missed: run it twice where that matters.
    #[arg(long, conflicts_with_all = ["session", "principal"])]
    all: bool,

    /// Of all, those that were created so long ago, as in 90d; needs `absolute` in the configuration, which notes that.
    #[arg(long, value_name = "TIME", requires = "all")]
    older_than: Option<Age>,

    /// Do not ask.
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    format: Format,
}

/// How many were ended, and how many were not.
#[derive(Clone, Copy, Default)]
struct Ended {
    revoked: usize,
    unreadable: usize,
    failed: usize,
}

impl Revoke {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let config = self.store.config()?;
        if self.older_than.is_some() && config.absolute.is_none() {
            return Err(
                "the configuration has no `absolute`, so nobody notes when a session was created"
                    .into(),
            );
        }
        let sessions = open(config).await?;
        let (what, session) = match (&self.session, &self.principal) {
            (Some(target), _) => match target.find(&sessions.all()).await? {
                Some(session) => {
                    let unreadable =
                        if session.unreadable().is_some() { ", which cannot be read" } else { "" };
                    (format!("the session {}{unreadable}", session.handle()), Some(session))
                }
                None => {
                    say("there is no such session");
                    return Ok(Outcome::NotFound);
                }
            },
            (None, Some(principal)) => (format!("all sessions of {principal:?}"), None),
            (None, None) => match self.older_than {
                Some(_) => ("all sessions that are as old as that".to_owned(), None),
                None => ("all sessions of everybody".to_owned(), None),
            },
        };
        if !self.yes && !is_confirmed(&what)? {
            return Err("nothing was revoked".into());
        }
        let Ended { revoked, unreadable, failed } = self.end(&sessions, session).await?;
        let line = match revoked {
            1 => "1 session was ended".to_owned(),
            count => format!("{count} sessions were ended"),
        };
        let json = json!({ "revoked": revoked, "unreadable": unreadable, "failed": failed });
        self.format.print(|| json, || line)?;
        if unreadable > 0 {
            say(format_args!(
                "{unreadable} that cannot be read were left as they are; each can be ended by its handle"
            ));
        }
        if failed > 0 {
            return Err(format!("{failed} could not be ended: run it again").into());
        }
        match (revoked, unreadable) {
            (0, 0) => found_nothing(&sessions, Outcome::Done).await,
            _ => Ok(Outcome::of(unreadable)),
        }
    }

    async fn end(
        &self,
        sessions: &Sessions,
        session: Option<StoredSession>,
    ) -> Result<Ended, Box<dyn Error>> {
        let all = sessions.all().by(OPERATOR);
        if let Some(session) = session {
            let revoked = usize::from(all.revoke(&session).await?);
            return Ok(Ended { revoked, ..Ended::default() });
        }
        if let Some(principal) = &self.principal {
            let revoked = sessions.of(principal).by(OPERATOR).revoke_all().await?;
            return Ok(Ended { revoked, ..Ended::default() });
        }
        let [revoked, unreadable, failed] = [(); 3].map(|()| Cell::new(0_usize));
        let count = |counter: &Cell<usize>| counter.set(counter.get() + 1);
        let progress = Progress::through(self.format, "revoking", sessions.driver()).await;
        let listed = all.list()?.map_err(Box::<dyn Error>::from);
        listed
            .try_for_each_concurrent(AT_ONCE, async |session| {
                progress.tick();
                let is_old = |age| session.created_at().is_some_and(|at| is_older(at, age));
                if session.unreadable().is_some() {
                    // With the wrong key that would be all of them; by its handle each can be ended.
                    count(&unreadable);
                } else if self.older_than.is_none_or(is_old) {
                    match all.revoke(&session).await {
                        Ok(true) => count(&revoked),
                        Ok(false) => {}
                        Err(error) => {
                            progress.say(&format!("cloakroom: {}: {error}", session.handle()));
                            count(&failed);
                        }
                    }
                }
                Ok(())
            })
            .await?;
        let [revoked, unreadable, failed] = [revoked, unreadable, failed].map(Cell::into_inner);
        Ok(Ended { revoked, unreadable, failed })
    }
}

/// Asks whoever sits at the terminal. Where nobody does, nobody has agreed.
fn is_confirmed(what: &str) -> Result<bool, Box<dyn Error>> {
    if !io::stdin().is_terminal() {
        return Err(format!("this would end {what}: say --yes where nobody can be asked").into());
    }
    write!(io::stderr(), "This ends {what}. Go on? [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
