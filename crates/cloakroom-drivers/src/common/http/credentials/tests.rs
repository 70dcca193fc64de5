use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use reqsign_core::HttpSend;
use tokio::sync::Semaphore;

use super::*;
use crate::common::http::{Request, Response};

#[derive(Clone, Debug, PartialEq)]
struct Key {
    name: usize,
    end: Option<Timestamp>,
}

impl SigningCredential for Key {
    fn is_valid(&self) -> bool {
        self.is_valid_at(Timestamp::now())
    }

    fn is_valid_at(&self, moment: Timestamp) -> bool {
        self.end.is_none_or(|end| end > moment)
    }
}

impl Ending for Key {
    fn end(&self) -> Option<Timestamp> {
        self.end
    }

    fn is_same(&self, other: &Key) -> bool {
        self.name == other.name
    }
}

/// Gives the key of this name, when it may, or fails.
#[derive(Debug)]
struct Source {
    name: AtomicUsize,
    asked: AtomicUsize,
    permits: Semaphore,
}

const FAILS: usize = 0;
/// Gives a key though a service that it asked before is away.
const AFTER_ONE_THAT_IS_AWAY: usize = 100;

impl ProvideCredential for &'static Source {
    type Credential = Key;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Key>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.expect("never closed").forget();
        let name = self.name.load(Ordering::SeqCst);
        if name == AFTER_ONE_THAT_IS_AWAY {
            let request = http::Request::get("http://giver.example/").body(Bytes::new());
            let answer = context.http_send(request.expect("a request")).await?;
            assert_eq!(answer.status(), 503);
        }
        match name {
            FAILS => Err(reqsign_core::Error::unexpected("away").set_retryable(true)),
            name => Ok(Some(Key { name, end: Some(Timestamp::now() + Duration::from_secs(100)) })),
        }
    }
}

#[derive(Debug)]
struct Signature;

impl SignRequest for Signature {
    type Credential = Key;

    async fn sign_request(
        &self,
        _: &Context,
        _: &mut Parts,
        _: Option<&Key>,
        _: Option<Duration>,
    ) -> reqsign_core::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Away;

impl HttpSend for Away {
    async fn http_send(&self, _: Request) -> reqsign_core::Result<Response> {
        let mut answer = Response::default();
        *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        Ok(answer)
    }
}

fn credentials(name: usize, permits: usize) -> (Credentials<Key>, &'static Source) {
    let source =
        Source { name: name.into(), asked: AtomicUsize::new(0), permits: Semaphore::new(permits) };
    let source: &'static Source = Box::leak(Box::new(source));
    let context = Context::new().with_http_send(Away);
    (Credentials::new(context, source, Signature), source)
}

impl Credentials<Key> {
    /// Lets the time come at which they are renewed.
    fn come_of_age(&self) {
        self.0.state().renewal = Timestamp::default();
    }

    async fn until_nobody_searches(&self) {
        while self.0.state().search.is_some() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn many_at_once_ask_once_also_for_a_failure() {
    for name in [FAILS, 1] {
        let (credentials, source) = credentials(name, 0);
        let all = join_all((0..64).map(|_| credentials.current()));
        let permit = async {
            tokio::task::yield_now().await;
            source.permits.add_permits(1);
        };
        let (found, ()) = tokio::join!(all, permit);
        assert!(found.iter().all(|found| found.is_ok() == (name != FAILS)));
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn those_at_hand_are_used_while_others_are_looked_for_and_when_there_are_none() {
    let (credentials, source) = credentials(1, 1);
    assert_eq!(credentials.current().await.expect("a key").name, 1);
    source.name.store(FAILS, Ordering::SeqCst);
    credentials.come_of_age();
    assert_eq!(credentials.current().await.expect("while it is looked for").name, 1);
    source.permits.add_permits(1);
    credentials.until_nobody_searches().await;
    for _ in 0..64 {
        assert_eq!(credentials.current().await.expect("after the failure").name, 1);
    }
    assert_eq!(source.asked.load(Ordering::SeqCst), 2, "there is a pause");
    source.name.store(2, Ordering::SeqCst);
    source.permits.add_permits(1);
    credentials.come_of_age();
    assert_eq!(credentials.current().await.expect("the old one").name, 1);
    credentials.until_nobody_searches().await;
    assert_eq!(credentials.current().await.expect("the new one").name, 2);
}

#[tokio::test]
async fn of_credentials_that_are_refused_others_are_found_if_there_are_any() {
    let (credentials, source) = credentials(1, 9);
    let refused = credentials.current().await.expect("a key");
    assert!(credentials.instead_of(&refused).await.expect("an answer").is_none());
    source.name.store(2, Ordering::SeqCst);
    let others = join_all((0..64).map(|_| credentials.instead_of(&refused))).await;
    for other in others {
        assert_eq!(other.expect("an answer").expect("another").name, 2);
    }
    assert_eq!(source.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_a_later_source_has_is_not_taken_while_the_one_before_is_away() {
    let (credentials, _) = credentials(AFTER_ONE_THAT_IS_AWAY, 1);
    let error = credentials.current().await.expect_err("another's");
    assert!(error.is_retryable(), "{error:?}");
}

#[test]
fn credentials_are_renewed_some_minutes_before_their_end() {
    let now = Timestamp::now();
    let renewed = |left: Option<u64>| {
        let end = left.map(|left| now + Duration::from_secs(left));
        let renewal = renewal(&Key { name: 1, end }, now).as_system_time();
        renewal.duration_since(now.as_system_time()).expect("later").as_secs()
    };
    assert_eq!(renewed(Some(3600)), 3300);
    assert_eq!(renewed(Some(100)), 50);
    assert_eq!(renewed(None), 300);
}
