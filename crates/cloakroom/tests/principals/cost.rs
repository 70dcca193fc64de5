//! What the index costs: calls of the store, and that it goes on with many sessions of one principal.

use std::time::Duration;

use cloakroom::Config;
use cloakroom::testing::TestSite;
use interop_peers::Store;
use serde_json::json;

use crate::{ANN, USER, anns, configuration, is_signed_in, open, respond, sign_in};

/// The calls that this makes.
async fn calls(site: &TestSite, what: impl AsyncFnOnce()) -> usize {
    let before = site.store().calls();
    what().await;
    site.store().calls() - before
}

#[tokio::test]
async fn a_request_that_signs_nobody_in_costs_no_call_more() {
    let mut costs = Vec::new();
    for principal in [None, Some(USER.to_owned())] {
        let mut config = Config::new("memory");
        config.principal = principal;
        let site = TestSite::with(config);
        let anonymous = site.session_with(|session| session.set("theme", "dark")).await.unwrap();
        let signed_in = site.session();
        signed_in.set(USER, ANN).unwrap();
        signed_in.sign_in(ANN).await.unwrap();
        let signed_in = site.next(&site.commit(&signed_in).await.unwrap());
        for session in [anonymous, signed_in] {
            for changes in [false, true] {
                let session = site.again(&session);
                let cost = calls(&site, async || {
                    session.has("theme").await.unwrap();
                    if changes {
                        session.set("theme", "light").unwrap();
                    }
                    respond(&session).await.unwrap();
                });
                costs.push((changes, cost.await));
            }
        }
    }
    for (changes, cost) in costs {
        assert_eq!(cost, if changes { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_sign_in_costs_two_calls_more_than_a_new_id() {
    let site = TestSite::new();
    let mut costs = Vec::new();
    for signs_in in [false, true] {
        let session = site.session_with(|session| session.set("theme", "dark")).await.unwrap();
        let cost = calls(&site, async || {
            match signs_in {
                true => session.sign_in(ANN).await.unwrap(),
                false => session.regenerate().await.unwrap(),
            }
            session.set("theme", "light").unwrap();
            respond(&session).await.unwrap();
        });
        costs.push(cost.await);
    }
    assert_eq!(costs[1], costs[0] + 2);
}

/// Also where sessions have ended for others: what is over is not looked at again and again.
#[tokio::test]
async fn a_sign_in_costs_no_more_after_a_hundred_others() {
    let mut config = Config::new("memory");
    config.max_sessions = Some(1);
    let site = TestSite::with(config);
    let mut costs = Vec::new();
    for _ in 0..100 {
        costs.push(calls(&site, async || _ = sign_in(site.sessions()).await.unwrap()).await);
        site.advance(Duration::from_secs(3600));
    }
    assert!(costs[99] <= costs[2], "{costs:?}");
}

/// A page that says how many there are outlives those on the pages behind it.
#[tokio::test]
async fn a_session_on_a_further_page_is_listed_as_long_as_it_lives() {
    const HOUR: Duration = Duration::from_secs(3600);
    let mut config = Config::new("memory");
    config.absolute = Some(24 * HOUR);
    let site = TestSite::with(config);
    for _ in 0..130 {
        sign_in(site.sessions()).await.unwrap();
    }
    site.advance(20 * HOUR);
    let cookie = sign_in(site.sessions()).await.unwrap();
    site.advance(6 * HOUR);
    assert!(is_signed_in(site.sessions(), &cookie).await);
    assert_eq!(anns(site.sessions()).count().await.unwrap(), 1);
}

/// Many pages of an index. What they cost is measured by `cargo xtask bench --only principals`.
async fn a_thousand_sessions_are_listed_and_ended(store: Store) {
    const MANY: usize = 1_000;
    let sessions = open(&configuration(&store, &json!({}))).await;
    let mut cookies = Vec::new();
    for _ in 0..MANY {
        cookies.push(sign_in(&sessions).await.unwrap());
    }
    assert_eq!(anns(&sessions).count().await.unwrap(), MANY);
    assert_eq!(anns(&sessions).revoke_all().await.unwrap(), MANY);
    for cookie in cookies {
        assert!(!is_signed_in(&sessions, &cookie).await);
    }
    assert_eq!(anns(&sessions).count().await.unwrap(), 0);
}

mod with_many {
    on!(a_thousand_sessions_are_listed_and_ended, redis, redis());
}
