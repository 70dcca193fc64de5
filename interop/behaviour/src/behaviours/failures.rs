//! What clients are told when a session fails.

use bytes::Bytes;
use cloakroom_storage::{Driver, ErrorKind, When};
use http::header;

use crate::server::{id_of, key_of};
use crate::{Framework, Server};

/// And the store is used again as soon as it is back.
pub async fn a_store_that_is_down_is_503_with_retry_after_and_no_cookie<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    server.store.fail(Some(ErrorKind::Unavailable));
    for path in ["/read", "/set/Bob", "/login", "/logout"] {
        let answer = server.get(path, Some(&visitor)).await;
        assert!(answer.is_refused(), "{path}: {answer:?}");
    }
    assert!(server.get("/set/Bob", None).await.is_refused());
    assert_eq!(server.get("/untouched", Some(&visitor)).await.status, 200);
    server.store.fail(None);
    assert_eq!(server.name(&visitor).await, "Ann", "back without a restart");
}

/// A refusal, which no second try helps.
pub async fn a_full_store_is_500_and_the_session_is_as_it_was<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    server.store.fail_writes(Some(ErrorKind::StorageFull));
    let answer = server.get("/set/Bob", Some(&visitor)).await;
    assert_eq!(answer.status, 500);
    assert!(!answer.headers.contains_key(header::RETRY_AFTER));
    assert!(answer.cookie().is_none());
    assert_eq!(server.name(&visitor).await, "Ann");
}

/// What cannot be read is never overwritten, and its ID is told to nobody.
pub async fn a_corrupt_record_is_500_and_its_bytes_are_kept<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let (key, store) = (key_of(&visitor), server.store.undisturbed());
    let _ = store.set(&key, Bytes::from_static(b"broken"), When::Always, None).await.unwrap();
    for path in ["/read", "/set/Bob"] {
        let answer = server.get(path, Some(&visitor)).await;
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.cookie().is_none(), "{path}");
        assert!(!answer.text.contains(id_of(&visitor)), "{path}");
        assert!(answer.text.contains("left as it is"), "{path}");
    }
    assert_eq!(store.get(&key).await.unwrap().unwrap().value, "broken");
}

/// Nothing is stored of it.
pub async fn an_oversized_value_is_413<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/huge", None).await;
    assert_eq!(answer.status, 413);
    assert!(answer.cookie().is_none());
    assert_eq!(server.store.calls(), 0);
}

/// What a handler makes of its errors is up to it; a change that failed is no 200.
pub async fn a_handler_that_ignores_its_errors_still_gets_no_200_for_a_change_that_failed<
    F: Framework,
>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    server.store.fail(Some(ErrorKind::Unavailable));
    assert!(server.get("/careless", Some(&visitor)).await.is_refused());
    assert!(server.get("/careless", None).await.is_refused());
}

/// Its status, its headers, its body, and its cookies wherever the framework keeps them.
pub async fn a_commit_that_failed_takes_back_all_that_the_handler_said<F: Framework>() {
    let server = Server::start::<F>().await;
    for path in ["/welcome", "/twice/welcome"] {
        let welcome = server.get(path, None).await;
        assert_eq!((welcome.status.as_u16(), welcome.cookies().len()), (201, 3), "{path}");
        server.store.fail_writes(Some(ErrorKind::Unavailable));
        let answer = server.get(path, None).await;
        server.store.fail_writes(None);
        assert!(answer.is_refused(), "{path}: {answer:?}");
        assert!(!answer.headers.contains_key("x-welcome"), "{path}: {answer:?}");
        assert!(!answer.text.contains("welcome"), "{path}: {answer:?}");
    }
}
