//! Nobody is alive and unlisted: what the store has, beside what its index says.

use std::collections::BTreeSet;

use cloakroom::Sessions;
use cloakroom::storage::ItemKey;
use futures_util::TryStreamExt as _;
use serde::Deserialize;

use crate::{ANN, anns, is_signed_in, request};

/// A page of an index, as it is stored.
#[derive(Deserialize)]
struct Page {
    sessions: Vec<Entry>,
}

/// One of the IDs of a sign-in.
#[derive(Deserialize)]
struct Entry {
    key: String,
    handle: String,
    #[serde(default)]
    ending: bool,
}

/// The cookies of all sessions that are signed in by their records, whatever the index says.
pub(crate) async fn alive(sessions: &Sessions) -> BTreeSet<String> {
    let mut alive = BTreeSet::new();
    for key in keys(sessions).await {
        let cookie = format!("astro-session={}", key.as_str());
        // The index's own keys are no IDs.
        if !key.as_str().starts_with("principal") && is_signed_in(sessions, &cookie).await {
            alive.insert(cookie);
        }
    }
    alive
}

async fn keys(sessions: &Sessions) -> Vec<ItemKey> {
    sessions.driver().keys("").try_collect().await.unwrap()
}

/// All entries of the index.
async fn entries(sessions: &Sessions) -> Vec<Entry> {
    let mut entries = Vec::new();
    for key in keys(sessions).await {
        if key.as_str().starts_with("principal")
            && let Some(item) = sessions.driver().get(&key).await.unwrap()
        {
            entries.extend(serde_json::from_slice::<Page>(&item.value).unwrap().sessions);
        }
    }
    entries
}

/// Checks that the index has whatever is alive, before and after it is listed. What was begun to be ended is ended by that.
pub(crate) async fn assert_nobody_is_unlisted(sessions: &Sessions, when: &str) {
    // Before the index, which an entry reaches before its record is written.
    let living = alive(sessions).await;
    let entered = entries(sessions).await;
    for cookie in &living {
        let is_entered = entered.iter().any(|entry| cookie.ends_with(&entry.key));
        assert!(is_entered, "{when}: {cookie} is alive, and not in the index");
    }

    let living = alive(sessions).await;
    let listed = anns(sessions).list().await.unwrap();
    let listed: BTreeSet<String> =
        listed.iter().map(|session| session.handle().to_string()).collect();
    let entered = entries(sessions).await;
    assert!(entered.iter().all(|entry| !entry.ending), "{when}: what was begun is not finished");
    for cookie in &living {
        let handles: Vec<_> = entered
            .iter()
            .filter(|entry| cookie.ends_with(&entry.key))
            .map(|entry| &entry.handle)
            .collect();
        let is_listed = handles.iter().any(|handle| listed.contains(*handle));
        let is_alive = is_signed_in(sessions, cookie).await;
        assert!(is_listed || !is_alive, "{when}: {cookie} is alive, and not listed");
    }
}

/// Checks that whoever was given a cookie is listed, or is not signed in.
pub(crate) async fn assert_listed_or_dead(sessions: &Sessions, cookies: &[String], when: &str) {
    let mut unlisted = Vec::new();
    let listed = anns(sessions).list().await.unwrap();
    for cookie in cookies {
        let session = request(sessions, cookie);
        if session.principal().await.unwrap().as_deref() != Some(ANN) {
            continue;
        }
        let mut is_listed = false;
        for other in &listed {
            is_listed |= other.is_current(&session).await.unwrap();
        }
        if !is_listed {
            unlisted.push(cookie);
        }
    }
    assert!(unlisted.is_empty(), "{when}: {unlisted:?} are alive, and not listed");
}

/// Ends all of the principal's sessions, and checks that none is left.
pub(crate) async fn assert_all_can_be_ended(sessions: &Sessions, when: &str) {
    anns(sessions).revoke_all().await.unwrap();
    assert_eq!(alive(sessions).await, BTreeSet::new(), "{when}: they outlived their end");
    assert_eq!(anns(sessions).count().await.unwrap(), 0, "{when}");
    assert!(entries(sessions).await.is_empty(), "{when}: the index has entries of the dead");
}
