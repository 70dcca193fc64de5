//! Where nothing was found.

use std::error::Error;

use cloakroom_session::{ErrorKind, SessionId, Sessions};
use cloakroom_storage::{Driver, ItemKey, KeyHasher};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::output::{Outcome, say};

/// So many keys say how a store names its sessions.
const LOOKED_AT: usize = 1_000;

/// An ID as random as others, which nobody has.
pub(super) const NOBODY: &str = "5a4e8b0c-97d1-4f3e-a6b2-0c1d9e7f5a38";

/// How a command ends that has found no session: as it would, unless the store has some that this configuration does not see. Else
/// whoever has left out `hashIds` would be told that all are ended.
///
/// # Errors
/// When the store fails.
pub(super) async fn found_nothing(
    sessions: &Sessions,
    outcome: Outcome,
) -> Result<Outcome, Box<dyn Error>> {
    let driver = sessions.driver();
    let somebody = ItemKey::new(NOBODY)?;
    let hashes = driver.alias(&somebody)? != somebody;
    match driver.unwrapped(&somebody)? {
        Some((within, _)) => found_nothing_in(within, hashes, outcome).await,
        None => found_nothing_in(driver, hashes, outcome).await,
    }
}

/// The same where none of a principal's was found: unless its index has some that this configuration does not take for theirs. Else
/// whoever has left out `principal` would be told that nobody is signed in.
///
/// # Errors
/// When the store fails.
pub(super) async fn found_none_of(
    sessions: &Sessions,
    principal: &str,
    outcome: Outcome,
) -> Result<Outcome, Box<dyn Error>> {
    let strangers = match sessions.of(principal).count_strangers().await {
        // There is no index.
        Err(error) if error.kind() == ErrorKind::Config => 0,
        strangers => strangers?,
    };
    if strangers == 0 {
        return found_nothing(sessions, outcome).await;
    }
    say(format_args!(
        "nothing was found, and the principal's index has {strangers} that say that they are nobody's, or somebody else's: is the \
         configuration's `principal` what the servers have? `cloakroom revoke --principal` ends them"
    ));
    Ok(Outcome::Faulty)
}

/// The same of a store without what is configured around it.
///
/// # Errors
/// When the store fails.
pub(super) async fn found_nothing_in(
    driver: &dyn Driver,
    hashes: bool,
    outcome: Outcome,
) -> Result<Outcome, Box<dyn Error>> {
    // What cannot be listed cannot be asked.
    if !driver.capabilities().iteration {
        return Ok(outcome);
    }
    let mut keys = driver.keys("").take(LOOKED_AT);
    let mut is_otherwise = false;
    while let Some(key) = keys.try_next().await? {
        let (is_id, is_hash) =
            (SessionId::parse(key.as_str()).is_some(), KeyHasher::is_hash(key.as_str()));
        let (is_ours, is_other) = if hashes { (is_hash, is_id) } else { (is_id, is_hash) };
        if is_ours {
            return Ok(outcome);
        }
        is_otherwise |= is_other;
    }
    if !is_otherwise {
        return Ok(outcome);
    }
    say(if hashes { PLAIN } else { HASHED });
    Ok(Outcome::Faulty)
}

const PLAIN: &str = "nothing was found, and the store has sessions under their IDs: the configuration has `hashIds`, with which they \
                     are not seen. Leave it out, as the servers do that made them";

const HASHED: &str = "nothing was found, and the store has items under hashes, as `hashIds` makes them of IDs: the configuration has \
                      none. Set it as the servers have it";
