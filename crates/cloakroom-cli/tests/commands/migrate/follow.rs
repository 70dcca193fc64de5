//! `--follow` beside a site that goes on.

use std::process::Stdio;

use cloakroom_session::adapter::Commit as _;
use cloakroom_session::{CookieHeaders, SessionId, Sessions};
use cloakroom_storage::Driver as _;
use futures_util::StreamExt as _;

use super::support::{Pair, assert_alike, driver, plain, stopped};
use crate::support::Site;

const VISITORS: usize = 24;
const ROUNDS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn it_copies_what_changes_until_it_is_told_to_stop_and_then_all_is_there() {
    for (store, to) in Site::on_each().await {
        let from = plain();
        let sessions = from.sessions().await;
        let target = driver(&to.config).await;
        let pair = Pair::of(&from.config, &to.config);
        let mut child = pair
            .command(true, &["--follow", "--every", "20ms"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let visitors = (0..VISITORS).map(|number| visit(sessions.clone(), number));
        let visited = futures_util::future::join_all(visitors).await;
        // It is at work before it is told.
        while target.keys("").count().await == 0 {
            assert!(child.try_wait().unwrap().is_none(), "{store}: it goes on");
            tokio::task::yield_now().await;
        }
        let ran = stopped(child);
        assert_eq!(ran.code, 0, "{store}: {}", ran.errors);
        let report = &ran.json()[0];
        assert_eq!(
            (&report["newer"], &report["onlyInTarget"]),
            (&0.into(), &0.into()),
            "{store}: {report}"
        );
        assert_alike(&driver(&from.config).await, &target, store).await;
        for (number, id) in visited.into_iter().enumerate() {
            let session = to.sessions().await.all().find_by_id(id).await.unwrap();
            match number % 3 {
                0 => assert!(session.is_none(), "{store}: who has left is out"),
                _ => {
                    let count = session.unwrap().get::<usize>("count").unwrap();
                    assert_eq!(count, Some(ROUNDS), "{store}");
                }
            }
        }
    }
}

/// Counts, and a third of all log out. The ID at the end.
async fn visit(sessions: Sessions, number: usize) -> SessionId {
    let session = sessions.session(CookieHeaders::default());
    session.sign_in(&format!("visitor {number}")).await.unwrap();
    session.finish().await.unwrap();
    let id = session.id().unwrap();
    for _ in 0..ROUNDS {
        let session = sessions.session(CookieHeaders::default());
        session.load(id.to_string().as_str()).await.unwrap();
        session.update::<usize>("count", |count| *count += 1).await.unwrap();
        session.finish().await.unwrap();
    }
    if number.is_multiple_of(3) {
        sessions.of(format!("visitor {number}")).revoke_all().await.unwrap();
    }
    id
}
