//! Tasks of one request that do everything to its session at once.

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{Error, ErrorKind, Session};
use tokio::task::JoinSet;

/// What a task may do; errors that say that another task was faster are in order.
async fn act(session: Session, action: usize) {
    let outcome: Result<(), Error> = match action % 8 {
        0 => session.set("a", "1"),
        1 => session.regenerate().await,
        2 => session.update("count", |count: &mut u32| *count += 1).await.map(drop),
        3 => session.save().await,
        4 => session.finish().await.map(drop),
        5 => session.take::<String>("a").await.map(drop),
        6 => {
            session.destroy();
            Ok(())
        }
        _ => {
            session.delete("a");
            session.keys().await.map(drop)
        }
    };
    if let Err(error) = outcome {
        assert!(matches!(error.kind(), ErrorKind::ResponseStarted), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_tasks_of_a_request_do_at_once_one_session_is_left_or_none() {
    for round in 0..300 {
        let site = Site::new().await;
        let id = site.stored(&[("a", "0")]).await;
        let session = if round % 2 == 0 { site.request(id) } else { site.visitor() };
        let visitors = usize::from(round % 2 == 1);
        let mut tasks = JoinSet::new();
        for task in 0..12 {
            tasks.spawn(act(session.clone(), task * (1 + round % 5) + round / 7));
        }
        while let Some(outcome) = tasks.join_next().await {
            outcome.unwrap();
        }
        session.finish().await.unwrap();
        assert!(!session.is_changed(), "round {round}");
        session.keys().await.unwrap();
        let left = session.id();
        assert_eq!(
            site.records().await,
            visitors + usize::from(left.is_some()),
            "round {round}: no record without an owner, no owner without a record"
        );
        if let Some(id) = left {
            assert!(site.raw(id).await.is_some(), "round {round}");
        }
    }
}
