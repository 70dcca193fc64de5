//! `cloakroom rotate` and `cloakroom encrypt`.

use std::cell::Cell;
use std::error::Error;

use clap::Args;
use cloakroom_session::{SessionId, StoredHandle};
use cloakroom_storage::{Driver as _, Encrypted, ErrorKind, ItemKey, KeyHasher, Resealed};
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::nothing::found_nothing_in;
use crate::output::{Format, Outcome, say};
use crate::progress::Progress;
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
    let progress = Progress::through(format, "sealing", &driver).await;
    let sealed = Encrypted::new(driver.clone(), encryption.ring()?).accept_plain(takes_plain);
    let is_ours = |key: &ItemKey| match config.hash_ids {
        Some(_) => KeyHasher::is_hash(key.as_str()),
        None => is_session_or_index(key.as_str()),
    };
    let [anew, already, unreadable, failed] = [(); 4].map(|()| Cell::new(0_usize));
    let keys = sealed.keys("").map_err(Box::<dyn Error>::from);
    keys.try_for_each_concurrent(AT_ONCE, async |key| {
        progress.tick();
        if !is_ours(&key) {
            return Ok(());
        }
        let count = |counter: &Cell<usize>| counter.set(counter.get() + 1);
        match sealed.reseal(&key).await {
            Ok(Resealed::Anew) => count(&anew),
            Ok(Resealed::Already) => count(&already),
            Ok(Resealed::Missing) => {}
            // None of the others would do better.
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error.into()),
            Err(error) => {
                progress.say(&format!("cloakroom: {}: {error}", called(&key)));
                count(if error.kind() == ErrorKind::Corrupt { &unreadable } else { &failed });
            }
        }
        Ok(())
    })
    .await?;
    drop(progress);
    let [anew, already, unreadable, failed] =
        [anew, already, unreadable, failed].map(Cell::into_inner);
    let json =
        json!({ "sealed": anew, "already": already, "unreadable": unreadable, "failed": failed });
    let line = format!("{anew} were sealed with the first key, and {already} were already");
    format.print(|| json, || line)?;
    if unreadable > 0 {
        say(format_args!(
            "{unreadable} were left as they are: they are not sealed, or with a key that is not there"
        ));
    }
    if failed > 0 {
        return Err(format!("{failed} could not be sealed: run it again").into());
    }
    match anew + already + unreadable {
        0 => found_nothing_in(&driver, config.hash_ids.is_some(), Outcome::Done).await,
        _ => Ok(Outcome::of(unreadable)),
    }
}

/// A key without what is a credential in it.
pub(super) fn called(key: &ItemKey) -> String {
    match SessionId::parse(key.as_str().strip_prefix(ASIDE).unwrap_or(key.as_str())) {
        Some(id) => StoredHandle::from(id).to_string(),
        None => key.as_str().to_owned(),
    }
}

/// Before the ID of a record that was moved aside because it could not be read.
const ASIDE: &str = "corrupt:";

/// Whether a store's key is a session's or an index's: other things in the store are somebody else's.
pub(super) fn is_session_or_index(key: &str) -> bool {
    let id = key.strip_prefix(ASIDE).unwrap_or(key);
    if SessionId::parse(id).is_some_and(|parsed| parsed.to_string() == id) {
        return true;
    }
    let Some(page) = key.strip_prefix("principal:") else { return false };
    let (hash, number) = page.split_once('-').unwrap_or((page, "1"));
    KeyHasher::is_hash(hash) && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_somebody_elses_is_not_sealed() {
        let hash = "0123456789abcdef".repeat(4);
        let id = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
        for key in [
            id.to_owned(),
            format!("corrupt:{id}"),
            format!("principal:{hash}"),
            format!("principal:{hash}-12"),
        ] {
            assert!(is_session_or_index(&key), "{key}");
        }
        for key in [
            hash.as_str(),
            "principal:ann",
            "queue:jobs",
            &id.to_uppercase(),
            &format!("principal:{hash}-x"),
        ] {
            assert!(!is_session_or_index(key), "{key}");
        }
    }
}
