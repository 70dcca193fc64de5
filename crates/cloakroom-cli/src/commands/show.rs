//! `cloakroom show`.

use std::error::Error;

use clap::Args;
use cloakroom_session::{Secrets, printable};
use serde_json::json;

use super::list::row;
use super::target::Target;
use crate::output::{Format, Outcome, column, moment, say};
use crate::store::Store;

/// What stands in the place of a secret.
const HIDDEN: &str = "(--reveal shows it)";

/// Shows one session: when it was created and used, when it ends, and its entries with the types that they have in JavaScript.
///
/// The value of an entry whose key sounds like a secret is left out, unless --reveal is given.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom show --config cloakroom.toml 8f3a2b1c0d4e5f60
  cloakroom show --driver fs-lite --option base=.data/sessions 8f3a2b1c0d4e5f60 --json --reveal

Each object of --json has what `cloakroom list` has, version and notes, and values: the key, the type, the text and the end of each
entry; with --raw also record, the text that is stored.")]
pub(crate) struct Show {
    #[command(flatten)]
    store: Store,

    /// The handle that `cloakroom list` shows, or an ID.
    #[arg(value_name = "HANDLE|ID")]
    session: Target,

    /// Show the values of entries that sound like secrets, too.
    #[arg(long)]
    reveal: bool,

    /// Print the record as it is stored, in the devalue format; needs --reveal.
    #[arg(long, requires = "reveal")]
    raw: bool,

    #[command(flatten)]
    format: Format,
}

impl Show {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        let sessions = self.store.sessions().await?;
        let Some(session) = self.session.find(&sessions.all()).await? else {
            say(
                "there is no such session: it may have ended, or have a new ID since, and so another handle",
            );
            return Ok(Outcome::NotFound);
        };
        let mut json = row(&session);
        json["version"] = session.version().into();
        json["notes"] = session.has_notes().into();
        // Nobody signs what he writes.
        let writer = match session.has_notes() {
            true => "Cloakroom, or an Astro site with @cloakroom/astro",
            false => "unknown: it has no notes, as what plain Astro writes",
        };
        let mut lines = vec![
            format!("handle     {}", session.handle()),
            format!("principal  {}", printable(session.principal().unwrap_or("-"))),
            format!("bytes      {}", session.size()),
            format!("version    {}", session.version().as_deref().unwrap_or("-")),
            format!("writer     {writer}"),
            format!("created    {}", column(session.created_at())),
            format!("signed in  {}", column(session.authenticated_at())),
            format!("last used  {}", column(session.last_used_at())),
            format!("expires    {}", column(session.expires_at())),
        ];
        if let Some(error) = session.unreadable() {
            lines.push(format!("unreadable {}", printable(&error.to_string())));
        } else if self.raw {
            let text = session.text().unwrap_or_default();
            lines.push(printable(text));
            json["record"] = text.into();
        }
        let mut values = Vec::new();
        let secrets = if self.reveal { Secrets::Reveal } else { Secrets::Hide };
        let (entries, error) = match session.shown(secrets) {
            Ok(entries) => (entries, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        // The record is whole then, and an entry in it is not.
        if let Some(error) = error.as_ref().filter(|_| session.unreadable().is_none()) {
            lines.push(format!("unreadable {}", printable(error)));
            json["unreadable"] = error.as_str().into();
        }
        for entry in entries {
            let text = entry.text.as_deref().unwrap_or(HIDDEN);
            let until = entry.expires.map(|at| format!(" (until {})", column(Some(at))));
            let until = until.unwrap_or_default();
            lines.push(format!("  {}: {}{until}", printable(&entry.key), printable(text)));
            values.push(json!({
                "key": entry.key, "type": entry.type_name, "text": entry.text, "expires": entry.expires.and_then(moment),
            }));
        }
        json["values"] = values.into();
        self.format.print(|| json, || lines.join("\n"))?;
        Ok(Outcome::of(usize::from(session.unreadable().is_some() || error.is_some())))
    }
}
