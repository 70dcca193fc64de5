//! Whose the session is: routes for those who are signed in, and the way to them.

use cloakroom_session::{Config, OutagePolicy};
use cloakroom_storage::ErrorKind;
use http::{Method, header};

use crate::server::id_of;
use crate::{Answer, CONFIRM, Framework, SIGN_IN, Server};

/// What a browser is given that signs in.
async fn signed_in(server: &Server) -> String {
    server.get("/sign-in/ann", None).await.cookie().unwrap()
}

/// Whether the client was told to sign in first, in words.
fn asks_to_sign_in(answer: &Answer) -> bool {
    answer.status == 401
        && answer.text == "Please sign in first."
        && answer.all(header::CACHE_CONTROL) == ["no-store"]
        && !answer.headers.contains_key(header::LOCATION)
}

/// Where the browser was sent, by an answer that no cache keeps.
fn sent_to(answer: &Answer) -> Option<&str> {
    let is_redirect = answer.status == 303
        && answer.all(header::CACHE_CONTROL) == ["no-store"]
        && answer.text.is_empty()
        && answer.cookie().is_none();
    answer.all(header::LOCATION).first().copied().filter(|_| is_redirect)
}

/// Without any guard: its argument is one.
pub async fn a_handler_is_given_the_principal_and_nobody_else_reaches_it<F: Framework>() {
    let server = Server::start::<F>().await;
    let ann = signed_in(&server).await;
    assert_eq!(server.get("/principal", Some(&ann)).await.text, "ann");
    let visitor = server.visitor("Ann").await;
    for cookie in [None, Some(visitor.as_str())] {
        let answer = server.look("/principal", cookie).await;
        assert!(asks_to_sign_in(&answer), "{answer:?}");
        assert_eq!(answer.all(header::VARY), ["Cookie"]);
    }
    server.store.fail(Some(ErrorKind::Unavailable));
    assert!(server.get("/principal", Some(&ann)).await.is_refused());
}

/// A page for all that greets those whom it knows.
pub async fn an_optional_principal_is_none_where_nobody_is_signed_in<F: Framework>() {
    let server = Server::start::<F>().await;
    let ann = signed_in(&server).await;
    assert_eq!(server.get("/principal/optional", Some(&ann)).await.text, "ann");
    let visitor = server.visitor("Ann").await;
    for cookie in [None, Some(visitor.as_str())] {
        let answer = server.get("/principal/optional", cookie).await;
        assert_eq!((answer.status.as_u16(), &*answer.text), (200, "nobody"));
    }
}

/// And by all that come after it with the new cookie, while the old one is worth nothing.
pub async fn a_sign_in_is_seen_by_the_request_that_makes_it<F: Framework>() {
    let server = Server::start::<F>().await;
    let visitor = server.visitor("Ann").await;
    let answer = server.get("/sign-in/ann", Some(&visitor)).await;
    assert_eq!(answer.text, "ann");
    let ann = answer.cookie().unwrap();
    assert_ne!(id_of(&visitor), id_of(&ann));
    assert_eq!(server.get("/principal", Some(&ann)).await.text, "ann");
    assert_eq!(server.name(&ann).await, "Ann", "what the visitor had came along");
    assert!(asks_to_sign_in(&server.get("/principal", Some(&visitor)).await));
}

/// Whatever the method. Who brings no cookie costs the store nothing.
pub async fn a_guard_opens_with_a_sign_in_and_closes_with_a_sign_out<F: Framework>() {
    let server = Server::start::<F>().await;
    for method in [Method::GET, Method::POST, Method::DELETE] {
        assert!(asks_to_sign_in(&server.send(method, "/members", &[]).await));
    }
    assert_eq!(server.store.calls(), 0);
    let ann = signed_in(&server).await;
    for method in [Method::GET, Method::POST] {
        let answer = server.send(method, "/members", &[(header::COOKIE, &ann)]).await;
        assert_eq!((answer.status.as_u16(), &*answer.text), (200, "untouched"));
    }
    assert_eq!(server.get("/sign-out", Some(&ann)).await.status, 200);
    assert!(asks_to_sign_in(&server.get("/members", Some(&ann)).await));
}

/// To the very address that was asked for: path and query, as they were sent.
pub async fn who_looks_at_a_page_is_sent_to_sign_in_and_comes_back<F: Framework>() {
    let server = Server::start::<F>().await;
    let asked = "/pages/a+b%20c/d?e=%26f&return_to=%2Fg";
    let answer = server.look(asked, None).await;
    let location =
        format!("{SIGN_IN}&return_to=/pages/a%2Bb%2520c/d%3Fe%3D%2526f%26return_to%3D%252Fg");
    assert_eq!(sent_to(&answer), Some(&*location), "{answer:?}");
    let headers = [(header::ACCEPT, "text/html")];
    let head = server.send(Method::HEAD, asked, &headers).await;
    assert_eq!(sent_to(&head), Some(&*location), "{head:?}");

    let query = location.split_once('?').unwrap().1;
    assert_eq!(server.get(&format!("/return?{query}"), None).await.text, asked);
    let ann = signed_in(&server).await;
    assert_eq!(server.look(asked, Some(&ann)).await.status, 200);
}

/// Whoever sent it has to learn that it was not done, and a form that was sent is not sent again by coming back.
pub async fn what_a_script_asks_for_or_changes_something_is_refused<F: Framework>() {
    let server = Server::start::<F>().await;
    for accept in ["*/*", "application/json"] {
        let headers = [(header::ACCEPT, accept)];
        assert!(asks_to_sign_in(&server.send(Method::GET, "/pages/orders", &headers).await));
    }
    assert!(asks_to_sign_in(&server.get("/pages/orders", None).await), "without a word of HTML");
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let headers = [(header::ACCEPT, "text/html")];
        assert!(asks_to_sign_in(&server.send(method, "/pages/orders", &headers).await));
    }
}

/// Though it stands below the guard: nobody would ever arrive.
pub async fn the_page_to_sign_in_at_is_for_all<F: Framework>() {
    let server = Server::start::<F>().await;
    assert_eq!(server.look(SIGN_IN, None).await.text, "untouched");
    let answer = server.send(Method::POST, SIGN_IN, &[]).await;
    assert_eq!((answer.status.as_u16(), &*answer.text), (200, "untouched"));
    assert!(sent_to(&server.look("/pages/sign-in/else", None).await).is_some());
}

/// By who is signed in: others have to sign in, which is another page's matter.
pub async fn a_recent_authentication_is_asked_for_where_it_has_to_be_recent<F: Framework>() {
    let server = Server::start::<F>().await;
    let ann = signed_in(&server).await;
    assert_eq!(server.look("/recent/password", Some(&ann)).await.status, 200);
    assert!(asks_to_sign_in(&server.look("/recent/password", None).await));

    // An entry says whose the session is, as an Astro site has set it, and nothing how long ago.
    let mut config = Config::new("memory");
    config.principal = Some("user".to_owned());
    let server = Server::with::<F>(&config, None).await;
    let ada = server.get("/login", None).await.cookie().unwrap();
    assert_eq!(server.get("/principal", Some(&ada)).await.text, "Ada");
    let answer = server.look("/recent/password?new", Some(&ada)).await;
    let location = format!("{CONFIRM}?return_to=/recent/password%3Fnew");
    assert_eq!(sent_to(&answer), Some(&*location), "{answer:?}");
    assert_eq!(server.look(CONFIRM, Some(&ada)).await.status, 200);
    let answer = server.send(Method::POST, "/recent/password", &[(header::COOKIE, &ada)]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.text, "Please confirm that it is you, and try again.");
}

/// Nobody knows whether somebody is signed in, whatever the policy makes of pages for all.
pub async fn an_outage_is_no_sign_out<F: Framework>() {
    for policy in [OutagePolicy::Unavailable, OutagePolicy::Anonymous] {
        let server = Server::with_outage::<F>(policy).await;
        let ann = signed_in(&server).await;
        server.store.fail(Some(ErrorKind::Unavailable));
        for path in ["/members", "/pages/orders", "/recent/password", "/principal"] {
            let answer = server.look(path, Some(&ann)).await;
            assert!(answer.is_refused(), "{policy:?} {path}: {answer:?}");
        }
        server.store.fail(None);
        assert_eq!(server.look("/pages/orders", Some(&ann)).await.status, 200);
    }
}

/// And lets nobody pass.
pub async fn a_guard_outside_the_middleware_says_so<F: Framework>() {
    let server = Server::start::<F>().await;
    let ann = signed_in(&server).await;
    let answer = server.look("/outside/members", Some(&ann)).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains("the route /outside/members has no session"), "{answer:?}");
}

/// Whoever wrote the link to the sign-in page.
pub async fn a_sign_in_leads_to_a_path_of_this_site_alone<F: Framework>() {
    let server = Server::start::<F>().await;
    for (query, expected) in [
        ("?return_to=/orders%3Fpage%3D2%26all", "/orders?page=2&all"),
        ("?lang=pt&return_to=%2Forders", "/orders"),
        ("?return_to=/%2509/evil.example", "/%09/evil.example"),
        ("?return_to=https://evil.example/", "/"),
        ("?return_to=//evil.example", "/"),
        ("?return_to=%2F%2Fann@evil.example", "/"),
        ("?return_to=/%5Cevil.example", "/"),
        ("?return_to=%5C%5Cevil.example", "/"),
        ("?return_to=/%09/evil.example", "/"),
        ("?return_to=/%0D%0ASet-Cookie:%20a=b", "/"),
        ("?return_to=/.//evil.example", "/"),
        ("?return_to=javascript:alert(1)", "/"),
        ("?return_to=orders", "/"),
        ("?return_to=", "/"),
        ("?return_to", "/"),
        ("", "/"),
    ] {
        assert_eq!(server.get(&format!("/return{query}"), None).await.text, expected, "{query}");
    }
    let long = format!("/return?return_to=/{}", "a".repeat(2048));
    assert_eq!(server.get(&long, None).await.text, "/");
}
