//! Sessions are ended by a form of the console's own, after a page that asks.

use cloakroom_console::Operator;
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, EventKind, RevokedBy, Sessions};

use crate::support::*;

#[tokio::test]
async fn a_session_is_ended_after_a_page_that_asks_and_another_says_what_happened() {
    let site = site();
    let app = app(&site);
    let id = signed_in(&site, "ann", |_| ()).await;
    counted(&app, 1).await;
    let path = format!("{}/revoke", page_of(id));
    get(&app, &path).await.has(&[
        "End this session?",
        "cannot be undone",
        ">ann",
        "<form class=\"choice\" method=\"post\">",
    ]);
    // To look is to change nothing.
    get(&app, &page_of(id)).await.has(&["Entries"]);
    post(&app, &path, &[OWN], "").await.has(&["The session was ended", "role=\"status\""]);
    let gone = get(&app, &page_of(id)).await;
    assert_eq!(gone.status, 404);
    gone.has(&["No such session", "It has ended"]);
    assert_eq!(post(&app, &path, &[OWN], "").await.status, 404);
    assert_eq!(site.sessions().of("ann").count().await.unwrap(), 0);
}

#[tokio::test]
async fn all_of_a_principals_are_ended_at_once() {
    let site = site();
    let app = app(&site);
    for principal in ["ann & co", "ann & co", "bob"] {
        signed_in(&site, principal, |_| ()).await;
    }
    let ask = get(&app, "/principal/revoke?name=ann+%26+co").await;
    ask.has(&["End 2 sessions", "ann &amp; co"]);
    post(&app, "/principal/revoke?name=ann+%26+co", &[OWN], "")
        .await
        .has(&["2 sessions were ended", "signed out everywhere"]);
    assert_eq!(site.sessions().of("ann & co").count().await.unwrap(), 0);
    assert_eq!(site.sessions().of("bob").count().await.unwrap(), 1);
}

#[tokio::test]
async fn where_the_console_knows_no_path_to_principals_nobody_is_told_that_all_is_well() {
    let mut config = Config::new("memory");
    config.principal = Some("user".to_owned());
    let site = TestSite::with(config);
    signed_in(&site, "ann", |session| session.set("user", "ann").unwrap()).await;
    let store = std::sync::Arc::new(site.store().clone());
    let sessions = Sessions::with_driver(store, &Config::new("memory")).unwrap();
    let app = console(&sessions).into_router();
    get(&app, "/principal?name=bob").await.has(&["Nobody of this name is signed in"]);
    let page = get(&app, "/principal?name=ann").await;
    page.has(&["1 session that somebody of this name", "is the configuration"]);
    assert!(!page.text.contains("Nobody of this name"), "{}", page.text);
    get(&app, "/principal/revoke?name=ann").await.has(&["End 1 session"]);
    let ended = post(&app, "/principal/revoke?name=ann", &[OWN], "").await;
    ended.has(&["1 session was ended"]);
}

#[tokio::test]
async fn whoever_is_called_almost_the_same_is_somebody_else() {
    let site = site();
    let app = app(&site);
    let names = ["ann", " ann", "ann ", "ann\n", "ann\r\n"];
    for name in names {
        let id = signed_in(&site, name, |_| ()).await;
        let page = loop {
            let page = get(&app, &page_of(id)).await;
            if page.status == 200 {
                break page.text;
            }
            tokio::task::yield_now().await;
        };
        let link = page.split("../principal?").nth(1).unwrap().split('"').next().unwrap();
        get(&app, &format!("/principal?{link}")).await.has(&["1 session,"]);
        // Where its page's form leads, which names no other address.
        let path = format!("/principal/revoke?{link}");
        get(&app, &path).await.has(&["<form class=\"choice\" method=\"post\">"]);
        post(&app, &path, &[OWN], "").await.has(&["1 session was ended"]);
        assert_eq!(site.sessions().of(name).count().await.unwrap(), 0, "{name:?}");
        signed_in(&site, name, |_| ()).await;
    }
    for name in names {
        assert_eq!(site.sessions().of(name).count().await.unwrap(), 1, "{name:?}");
    }
}

#[tokio::test]
async fn what_another_sites_page_sends_ends_nothing() {
    let site = site();
    let app = app(&site);
    let id = signed_in(&site, "ann", |_| ()).await;
    counted(&app, 1).await;
    let path = format!("{}/revoke", page_of(id));
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "http://localhost:3999")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://localhost:3998")],
        // Of a type that no form has, which a browser would ask about first.
        &[("origin", "https://evil.example"), ("content-type", "application/json")],
        // Nobody says whose it is.
        &[],
    ] {
        let refused = post(&app, &path, headers, "").await;
        assert_eq!(refused.status, 403, "{headers:?}");
        refused.has(&["nothing was done"]);
        assert_eq!(post(&app, "/principal/revoke?name=ann", headers, "").await.status, 403);
    }
    assert_eq!(get(&app, &page_of(id)).await.status, 200);
    // A browser without `Sec-Fetch-Site`.
    let own = post(&app, &path, &[("origin", "http://localhost:3998")], "").await;
    own.has(&["The session was ended"]);
}

#[tokio::test]
async fn behind_a_proxy_that_changes_the_host_a_public_origin_is_the_consoles_own() {
    let site = site();
    let app = console(site.sessions()).public_origin("https://console.example").into_router();
    let id = signed_in(&site, "ann", |_| ()).await;
    counted(&app, 1).await;
    let path = format!("{}/revoke", page_of(id));
    let own = post(&app, &path, &[("origin", "https://console.example")], "").await;
    own.has(&["The session was ended"]);
}

#[tokio::test]
async fn the_audit_log_has_who_it_was() {
    let site = site();
    let app = app(&site);
    let mut events = site.sessions().events();
    let id = signed_in(&site, "ann", |_| ()).await;
    counted(&app, 1).await;
    let mut request = request("POST", &format!("{}/revoke", page_of(id)), &[OWN], "");
    request.extensions_mut().insert(Operator::new("support: bob"));
    call(&app, request).await.has(&["The session was ended"]);
    loop {
        let event = events.recv().await.unwrap().unwrap();
        if let EventKind::Revoked { by, .. } = event.kind {
            assert_eq!(by, RevokedBy::Other("support: bob".into()));
            break;
        }
    }
}

#[tokio::test]
async fn only_pages_and_forms_are_answered() {
    let site = site();
    let app = app(&site);
    let answer = call(&app, request("DELETE", "/sessions/0000000000000000", &[OWN], "")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, POST"));
    let head = call(&app, request("HEAD", "/", &[], "")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let app = console(site.sessions()).token("a long random text").into_router();
    let long = format!("token={}", "a".repeat(20_000));
    assert_eq!(post(&app, "/sign-in", &[OWN], &long).await.status, 400);
}
