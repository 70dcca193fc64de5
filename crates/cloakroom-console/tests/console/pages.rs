//! What the pages show.

use std::time::Duration;

use axum::Router;
use cloakroom_session::adapter::Commit as _;
use cloakroom_session::testing::TestSite;
use cloakroom_session::{Config, CookieHeaders, Session, Sessions, StoredHandle};

use crate::support::*;

fn with_a_cart(session: &Session) {
    session.set("cart", &["hat", "scarf"]).unwrap();
    session.set("apiToken", "hunter2").unwrap();
}

#[tokio::test]
async fn the_first_page_counts_what_lives_and_what_has_begun_and_ended_since() {
    let site = site();
    let app = app(&site);
    let ann = signed_in(&site, "ann", with_a_cart).await;
    let page = counted(&app, 1).await;
    page.has(&["As of 0 s ago", "Overview", "one read", "As of"]);
    signed_in(&site, "bob", with_a_cart).await;
    let page = counted(&app, 2).await;
    page.has(&["In a minute", "<svg", "role=\"img\"", "The same as a table"]);
    // What has ended is a tombstone for a minute, and then gone.
    post(&app, &format!("{}/revoke", page_of(ann)), &[OWN], "").await;
    site.advance(Duration::from_secs(120));
    counted(&app, 1).await;
}

#[tokio::test]
async fn a_session_is_shown_with_the_types_of_its_entries_and_without_its_secrets() {
    let site = site();
    let app = app(&site);
    let id = signed_in(&site, "ann", with_a_cart).await;
    counted(&app, 1).await;
    let page = get(&app, &page_of(id)).await;
    assert_eq!(page.status, 200);
    page.has(&[
        "cart",
        "Array",
        "[&quot;hat&quot;, &quot;scarf&quot;]",
        ">ann",
        "apiToken",
        "looks like a secret",
    ]);
    page.has(&["1 Jan 2026", "End this session…"]);
    assert!(!page.text.contains("hunter2"));
}

#[tokio::test]
async fn no_page_has_an_id() {
    let site = site();
    let app = app(&site);
    let id = signed_in(&site, "ann", with_a_cart).await;
    counted(&app, 1).await;
    let own = page_of(id);
    for path in [
        "/",
        "/sessions",
        "/principal?name=ann",
        "/principal/revoke?name=ann",
        &own,
        &format!("{own}/revoke"),
    ] {
        let page = get(&app, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.len() > 500 && !page.text.contains(&id.to_string()), "{path}");
    }
    let ended = post(&app, &format!("{own}/revoke"), &[OWN], "").await;
    assert!(ended.text.contains("was ended") && !ended.text.contains(&id.to_string()));
}

#[tokio::test]
async fn what_somebody_stored_is_text_on_the_page() {
    let site = site();
    let app = app(&site);
    let script = "<script>alert(1)</script>";
    let id = signed_in(&site, script, |session| {
        session.set("<b>key</b>", script).unwrap();
        session.set("a\u{202e}b", "c\u{202e}d\u{1b}e").unwrap();
    })
    .await;
    counted(&app, 1).await;
    let name = "/principal?name=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in [
        page_of(id).as_str(),
        "/sessions",
        name,
        "/sessions?handle=%3Cscript%3E",
        "/?refresh=%22%3E%3Cscript%3E",
    ] {
        let page = get(&app, path).await;
        assert!(
            !page.text.contains("<script") && !page.text.contains("<b>"),
            "{path}: {}",
            page.text
        );
        assert!(!page.text.contains('\u{202e}') && !page.text.contains('\u{1b}'), "{path}");
    }
    get(&app, &page_of(id)).await.has(&["&lt;b&gt;key&lt;/b&gt;", "a\u{fffd}b", "c\\u{202e}d"]);
}

#[tokio::test]
async fn sessions_are_found_by_their_principal_at_once_and_by_their_handle_or_its_beginning() {
    let site = site();
    let app = app(&site);
    counted(&app, 0).await;
    let id = signed_in(&site, "ann", with_a_cart).await;
    let handle = StoredHandle::from(id).to_string();
    // Before the next walk, or after it.
    get(&app, "/principal?name=ann").await.has(&[&handle, "1 session, the newest sign-in first"]);
    assert_eq!(get(&app, &page_of(id)).await.status, 200);
    get(&app, "/principal?name=bob").await.has(&["Nobody of this name is signed in"]);
    counted(&app, 1).await;
    get(&app, &format!("/sessions?handle={}", &handle[..4]))
        .await
        .has(&[&handle, "1 session whose handle begins"]);
    get(&app, &format!("/sessions?handle={handle}")).await.has(&["Entries", "cart"]);
    let nobody = if handle.starts_with('0') { "1" } else { "0" };
    get(&app, &format!("/sessions?handle={nobody}")).await.has(&["There are none"]);
    assert_eq!(get(&app, "/sessions?handle=hunter").await.status, 400);
    assert_eq!(get(&app, "/sessions/0000000000000000").await.status, 404);
    assert_eq!(get(&app, "/sessions/hunter").await.status, 404);
    assert_eq!(get(&app, "/nowhere").await.status, 404);
}

#[tokio::test]
async fn the_list_goes_on_page_after_page() {
    let site = site();
    let app = app(&site);
    for number in 0..60 {
        site.session_with(|session| session.set("number", &number)).await.unwrap();
    }
    counted(&app, 60).await;
    let (mut path, mut seen) = ("/sessions".to_owned(), Vec::new());
    loop {
        let page = get(&app, &path).await;
        let handles = page.text.split("class=\"handle\" href=\"./sessions/").skip(1);
        seen.extend(handles.map(|rest| rest[..16].to_owned()));
        let next = page
            .text
            .split("href=\"./sessions?")
            .find(|rest| rest.split('>').next().unwrap().contains("rel=\"next\""));
        let Some(next) = next.and_then(|rest| rest.split('"').next()) else { break };
        path = format!("/sessions?{}", next.replace("&amp;", "&"));
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), &seen), (60, &sorted));
}

#[tokio::test]
async fn wherever_it_is_nested_its_links_lead_to_it() {
    let site = site();
    let id = signed_in(&site, "ann", with_a_cart).await;
    let nested = Router::new().nest("/admin/sessions", app(&site));
    let service = Router::new().nest_service("/admin/sessions", app(&site));
    let own = format!("/admin/sessions{}", page_of(id));
    for app in [&nested, &service] {
        get(app, "/admin/sessions")
            .await
            .has(&["href=\"./sessions/console-", "href=\"./sessions/overview\""]);
        get(app, "/admin/sessions/overview")
            .await
            .has(&["href=\"./console-", "action=\"./principal\""]);
        get(app, &own).await.has(&["href=\"../console-", "End this session…"]);
        get(app, &format!("{own}/revoke"))
            .await
            .has(&["href=\"../../console-", "href=\"../../overview\""]);
    }
    get(&service, "/admin/sessions/").await.has(&["href=\"./console-", "action=\"./principal\""]);
}

#[tokio::test]
async fn the_style_sheet_is_the_consoles_own_and_no_page_wants_anything_else() {
    let site = site();
    let app = app(&site);
    let page = get(&app, "/").await;
    let style = page.text.split("stylesheet\" href=\".").nth(1).unwrap().split('"').next().unwrap();
    let style = get(&app, style).await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert_eq!(get(&app, "/icon.svg").await.header("content-type"), "image/svg+xml");
    for word in ["style=", "<script", "http://", "https://", "onclick"] {
        assert!(!page.text.contains(word), "{word}");
    }
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}

#[tokio::test]
async fn on_files_and_under_hashed_ids_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new("fs-lite");
    config.options.insert("base".to_owned(), folder.path().to_str().unwrap().into());
    for hashes in [false, true] {
        config.hash_ids = hashes.then(cloakroom_session::storage::KeyHasher::sha256);
        let sessions = Sessions::from_config(config.clone()).await.unwrap();
        let session = sessions.session(CookieHeaders::default());
        with_a_cart(&session);
        session.sign_in("ann").await.unwrap();
        session.finish().await.unwrap();
        let app = console(&sessions).into_router();
        let page = get(&app, "/principal?name=ann").await;
        let handle = &page.text.split("href=\"./sessions/").nth(1).unwrap()[..16];
        get(&app, &format!("/sessions/{handle}")).await.has(&["cart", "Array"]);
        let ended = post(&app, &format!("/sessions/{handle}/revoke"), &[OWN], "").await;
        ended.has(&["The session was ended"]);
        get(&app, "/principal?name=ann").await.has(&["Nobody of this name"]);
    }
}

#[tokio::test]
async fn nothing_looks_at_the_store_before_somebody_looks_at_the_console() {
    let site = TestSite::new();
    let calls = site.store().calls();
    let app = app(&site);
    tokio::task::yield_now().await;
    assert_eq!(site.store().calls(), calls);
    counted(&app, 0).await;
    assert!(site.store().calls() > calls);
}
