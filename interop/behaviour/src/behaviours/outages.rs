//! What requests get while the store does not answer, by middleware and by route.

use cloakroom_session::OutagePolicy;
use cloakroom_storage::ErrorKind;
use http::header;

use crate::answer::Answer;
use crate::{Framework, Server};

/// A server with this policy, and a visitor whose session it has seen.
async fn seen<F: Framework>(policy: OutagePolicy) -> (Server, String) {
    let server = Server::with_outage::<F>(policy).await;
    // The first request for a copy comes before there is one to keep.
    server.get("/read-only", None).await;
    let visitor = server.visitor("Ann").await;
    (server, visitor)
}

fn is_uncached(answer: &Answer) -> bool {
    answer.all(header::CACHE_CONTROL) == ["no-store"] && answer.cookie().is_none()
}

/// The route's own word goes before the middleware's.
pub async fn a_site_says_what_its_requests_get_and_a_route_says_it_for_itself<F: Framework>() {
    for (policy, expected) in [
        (OutagePolicy::Unavailable, None),
        (OutagePolicy::ReadOnly, Some("Ann")),
        (OutagePolicy::Anonymous, Some("nobody")),
    ] {
        let (server, visitor) = seen::<F>(policy).await;
        for kind in [ErrorKind::Unavailable, ErrorKind::Timeout] {
            server.store.fail(Some(kind));
            for (path, expected) in [
                ("/read", expected),
                ("/unavailable", None),
                ("/read-only", Some("Ann")),
                ("/anonymous", Some("nobody")),
            ] {
                let answer = server.get(path, Some(&visitor)).await;
                match expected {
                    None => assert!(answer.is_refused(), "{policy:?} {path}"),
                    Some(expected) => {
                        assert!(is_uncached(&answer), "{policy:?} {path}");
                        assert_eq!(answer.text, expected, "{policy:?} {path}");
                    }
                }
            }
        }
        server.store.fail(None);
        let answer = server.get("/read", Some(&visitor)).await;
        assert!(answer.all(header::CACHE_CONTROL).is_empty());
        assert_eq!(answer.text, "Ann", "the store is used again");
    }
}

/// A policy is about reading.
pub async fn whatever_the_policy_no_change_is_lost_behind_a_200<F: Framework>() {
    for policy in [OutagePolicy::Unavailable, OutagePolicy::ReadOnly, OutagePolicy::Anonymous] {
        let (server, visitor) = seen::<F>(policy).await;
        server.store.fail(Some(ErrorKind::Unavailable));
        for (path, visitor) in
            [("/login", Some(&visitor)), ("/login", None), ("/logout", Some(&visitor))]
        {
            assert!(server.get(path, visitor.map(String::as_str)).await.is_refused(), "{path}");
        }
        server.store.fail(None);
        server.store.fail_writes(Some(ErrorKind::Timeout));
        assert!(server.get("/login", Some(&visitor)).await.is_refused());
        server.store.fail_writes(None);
        assert_eq!(server.name(&visitor).await, "Ann");
    }
}

/// Whatever its handler says: it was made without knowing whom for.
pub async fn a_page_for_nobody_is_kept_by_no_cache<F: Framework>() {
    let (server, visitor) = seen::<F>(OutagePolicy::Anonymous).await;
    let answer = server.get("/public", Some(&visitor)).await;
    assert_eq!(answer.all(header::CACHE_CONTROL), ["public, max-age=60"]);
    server.store.fail(Some(ErrorKind::Unavailable));
    assert!(is_uncached(&server.get("/public", Some(&visitor)).await));
}
