//! `cloakroom rotate` and `cloakroom encrypt`.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use cloakroom_session::SessionId;
use cloakroom_storage::{Driver as _, Encrypted, ErrorKind, ItemKey, Resealed};
use futures_util::TryStreamExt as _;
use serde_json::json;

use crate::output::{Format, Outcome};
use crate::store::Store;

/// How many items are sealed at once.
const AT_ONCE: usize = 32;

/// Seals anew what another key than the first has sealed, while servers run: afterwards nothing needs the others.
///
/// The configuration has the new key first and the old ones behind it, as all servers have by then. What no key opens is
/// named and left as it is.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom rotate --config cloakroom.toml
  CLOAKROOM_SESSION_ENCRYPTION_KEYS=new,old cloakroom rotate --json")]
pub(crate) struct Rotate {
    #[command(flatten)]
    store: Store,

    #[command(flatten)]
    format: Format,
}

/// Seals the sessions of a store that was plain, while servers run that accept plain ones (`acceptPlain`).
///
/// Of what is not sealed, sessions and indexes alone: what else is in the store stays as it is.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cloakroom encrypt --config cloakroom.toml
  cloakroom encrypt --config cloakroom.toml --json")]
pub(crate) struct Encrypt {
    #[command(flatten)]
    store: Store,

    #[command(flatten)]
    format: Format,
}

impl Rotate {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        reseal(&self.store, self.format, false).await
    }
}

impl Encrypt {
    pub(crate) async fn run(self) -> Result<Outcome, Box<dyn Error>> {
        reseal(&self.store, self.format, true).await
    }
}

async fn reseal(
    store: &Store,
    format: Format,
    takes_plain: bool,
) -> Result<Outcome, Box<dyn Error>> {
    let (config, driver) = store.driver().await?;
    let encryption = config
        .encryption
        .as_ref()
        .ok_or("the configuration has no `encryption`: its keys are what there is to seal with")?;
    if takes_plain && !encryption.accept_plain {
        return Err("the configuration has no `acceptPlain`: without it servers do not read what is not sealed yet, so set it \
                    on all of them first, and here"
            .into());
    }
    let sealed = Encrypted::new(driver, encryption.ring()?).accept_plain(takes_plain);
    let (anew, already, unreadable) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let keys = sealed.keys("").map_err(Box::<dyn Error>::from);
    keys.try_for_each_concurrent(AT_ONCE, async |key| {
        if !is_ours(&key) {
            return Ok(());
        }
        let count = |counter: &AtomicUsize| _ = counter.fetch_add(1, Ordering::Relaxed);
        match sealed.reseal(&key).await {
            Ok(Resealed::Anew) => count(&anew),
            Ok(Resealed::Already) => count(&already),
            Ok(Resealed::Missing) => {}
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                eprintln!("cloakroom: {error}");
                count(&unreadable);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    })
    .await?;
    let [anew, already, unreadable] = [anew, already, unreadable].map(AtomicUsize::into_inner);
    let json = json!({ "sealed": anew, "already": already, "unreadable": unreadable });
    let line = format!("{anew} were sealed with the first key, and {already} were already");
    format.print(&json, &line)?;
    if unreadable > 0 {
        eprintln!(
            "cloakroom: {unreadable} were left as they are: they are not sealed, or with a key that is not there"
        );
    }
    Ok(Outcome::of(unreadable))
}

/// Whether a store's key is a session's or an index's, hashed or not: other things in the store are somebody else's.
fn is_ours(key: &ItemKey) -> bool {
    let text = key.as_str();
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    SessionId::parse(text).is_some() || is_hash || text.starts_with("principal:")
}
