//! Requests whose client goes away in the middle, which are dropped wherever they are.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloakroom::{Result, Sessions};
use interop_peers::Store;
use serde_json::json;
use tokio::task::JoinSet;

use crate::audit::{
    alive, assert_all_can_be_ended, assert_listed_or_dead, assert_nobody_is_unlisted,
};
use crate::{ANN, USER, anns, configuration, is_signed_in, moment, open, request, respond};

const ROUNDS: usize = 2;
const BROWSERS: usize = 6;
const REQUESTS: usize = 12;

/// The cookies that browsers were told of.
type Told = Arc<Mutex<BTreeSet<String>>>;

/// One request of a browser: signs in anew, or is given another ID, or changes something.
async fn visit(sessions: Sessions, cookie: String, kind: u64) -> Result<Option<String>> {
    let session = request(&sessions, &cookie);
    match kind {
        0 | 1 => {
            session.set(USER, ANN)?;
            session.sign_in(ANN).await?;
        }
        2 => session.regenerate().await?,
        3 => session.set("theme", &kind)?,
        4 => session.reauthenticated().await?,
        _ => session.sign_out(),
    }
    respond(&session).await
}

/// A browser with patience for a part of what its requests take.
async fn browse(sessions: [Sessions; 2], told: Told) {
    let mut cookie = String::new();
    for number in 0..REQUESTS {
        let kind = moment(Duration::from_secs(6)).as_secs();
        let visit = visit(sessions[number % 2].clone(), cookie.clone(), kind);
        let patience = moment(Duration::from_millis(20));
        // A refusal, or no answer: the browser has what it had.
        if let Ok(Ok(Some(answered))) = tokio::time::timeout(patience, visit).await {
            told.lock().unwrap().insert(answered.clone());
            cookie = answered;
        }
    }
}

async fn whoever_is_gone_leaves_nobody_unlisted(store: Store) {
    for settings in [json!({}), json!({ "maxSessions": 3 })] {
        let config = configuration(&store, &settings);
        let both = [open(&config).await, open(&config).await];
        for round in 0..ROUNDS {
            let when = format!("round {round}, {settings}");
            let told = Told::default();
            let mut browsers = JoinSet::new();
            for _ in 0..BROWSERS {
                browsers.spawn(browse(both.clone(), Arc::clone(&told)));
            }
            let mut ended = BTreeSet::new();
            while !browsers.is_empty() {
                // Whoever was listed and ended is dead, whoever is under way with it.
                let known: Vec<_> = told.lock().unwrap().iter().cloned().collect();
                let listed = anns(&both[0]).list().await.unwrap();
                for session in listed.iter().take(1) {
                    for cookie in &known {
                        if session.is_current(&request(&both[0], cookie)).await.unwrap() {
                            ended.insert(cookie.clone());
                        }
                    }
                    anns(&both[1]).revoke(session.handle()).await.unwrap();
                }
                while let Some(finished) = browsers.try_join_next() {
                    finished.unwrap();
                }
            }
            let told: Vec<_> = told.lock().unwrap().iter().cloned().collect();
            println!(
                "{when}: {} told, {} ended, {} alive",
                told.len(),
                ended.len(),
                alive(&both[0]).await.len()
            );
            for cookie in &ended {
                assert!(!is_signed_in(&both[1], cookie).await, "{when}: {cookie} was ended");
            }
            assert_listed_or_dead(&both[1], &told, &when).await;
            assert_nobody_is_unlisted(&both[1], &when).await;
            assert_all_can_be_ended(&both[1], &when).await;
            // What is cleaned up behind the requests brings nobody back.
            let until = Instant::now() + Duration::from_millis(700);
            while Instant::now() < until {
                assert_eq!(alive(&both[0]).await, BTreeSet::new(), "{when}");
            }
        }
    }
}

on_every_store!(whoever_is_gone_leaves_nobody_unlisted);
