//! What clients present.

use cloakroom_storage::Driver;
use http::header;

use crate::server::{id_of, key_of};
use crate::{Framework, Server};

const UNKNOWN: &str = "astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
const MALFORMED: [&str; 5] = [
    "astro-session=",
    "astro-session=../../etc/passwd",
    "astro-session=0e7d2a53-6d0f-1a52-9d0e-2f8a4f1f6b11",
    "astro-session=%00",
    "astro-session",
];

/// HTTP/2 clients split the header, and proxies pass that on.
pub async fn a_cookie_is_found_in_any_of_several_headers<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    for cookies in [["theme=dark", visitor.as_str()], [visitor.as_str(), "theme=dark"]] {
        assert_eq!(server.get_with("/read", &cookies).await.text, "Ann");
    }
    let one = format!("theme=dark; {visitor}; lang=en");
    assert_eq!(server.name(&one).await, "Ann");
}

/// It names a record that exists, or it names nothing.
pub async fn an_unknown_id_is_never_adopted<F: Framework>() {
    let server = Server::start::<F>().await;
    let answer = server.get("/read", Some(UNKNOWN)).await;
    assert_eq!(answer.text, "nobody");
    assert!(answer.cookie().is_none());
    let given = server.get("/set/Ann", Some(UNKNOWN)).await.cookie().unwrap();
    assert_ne!(id_of(&given), id_of(UNKNOWN));
    assert!(server.store.undisturbed().get(&key_of(UNKNOWN)).await.unwrap().is_none());
    assert_eq!(server.name(&given).await, "Ann");
}

/// No store is asked for what cannot be an ID.
pub async fn a_malformed_cookie_is_no_concern_of_a_page_that_only_reads<F: Framework>() {
    let server = Server::start::<F>().await;
    for cookie in MALFORMED {
        for path in ["/untouched", "/read"] {
            let answer = server.get(path, Some(cookie)).await;
            assert_eq!(answer.status, 200, "{cookie}");
            assert!(answer.all(header::SET_COOKIE).is_empty(), "{cookie}");
        }
    }
    assert_eq!(server.store.calls(), 0);
}

/// It is replaced by one of ours as soon as there is something to store.
pub async fn a_malformed_cookie_is_replaced_by_a_write<F: Framework>() {
    let server = Server::start::<F>().await;
    for cookie in MALFORMED {
        let given = server.get("/set/Ann", Some(cookie)).await.cookie().unwrap();
        assert_eq!(server.name(&given).await, "Ann", "{cookie}");
    }
}

/// `set`, `regenerate`, `save`, `destroy` in one request.
pub async fn whatever_a_handler_does_one_cookie_is_sent_and_it_works<F: Framework>() {
    let server = Server::start::<F>().await;
    let before = server.visitor("Ann").await;
    let answer = server.get("/everything", Some(&before)).await;
    assert_eq!(answer.all(header::SET_COOKIE).len(), 1);
    assert_eq!(server.name(&answer.cookie().unwrap()).await, "Bob");
    assert_eq!(server.name(&before).await, "nobody");
}

/// A handler's, or that of an Astro site behind a proxy. The others keep their order and their bytes.
pub async fn a_cookie_of_the_sessions_name_gives_way_to_the_sessions_own<F: Framework>() {
    let server = Server::start::<F>().await;
    let cookies = server.get("/cookies/changed", None).await.cookies();
    let (ours, others) = cookies.split_last().unwrap();
    assert_eq!(others, ["b=1", "lang=français", "theme=dark"]);
    assert_eq!(server.name(ours).await, "Ann");
}

/// Whoever sets it there knows why.
pub async fn a_cookie_of_the_sessions_name_stays_where_the_session_sends_none<F: Framework>() {
    let server = Server::start::<F>().await;
    let mut cookies = server.get("/cookies/unchanged", None).await.cookies();
    cookies.sort();
    let theirs = "astro-session=theirs";
    assert_eq!(cookies, [theirs, theirs, "b=1", "lang=français", "theme=dark"]);
}
