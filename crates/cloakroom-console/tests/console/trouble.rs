//! What goes wrong is said.

use cloakroom_session::storage::{Driver as _, ErrorKind, ItemKey, When};

use crate::support::*;

#[tokio::test]
async fn where_the_store_is_away_each_page_says_so() {
    let site = site();
    let app = app(&site);
    let id = signed_in(&site, "ann", |_| ()).await;
    counted(&app, 1).await;
    site.store_down(true);
    for path in ["/sessions", &page_of(id), "/principal?name=ann"] {
        let page = get(&app, path).await;
        assert_eq!(page.status, 503, "{path}: {}", page.text);
        page.has(&["The store does not answer"]);
    }
    let page = loop {
        let page = get(&app, "/").await;
        if page.status == 503 {
            break page;
        }
        tokio::task::yield_now().await;
    };
    // What was known before is still there, with its moment.
    page.has(&["The store cannot be looked at", "from before that", "<dt>live</dt><dd>1</dd>"]);
    site.store_down(false);
    assert_eq!(get(&app, &page_of(id)).await.status, 200);
}

#[tokio::test]
async fn a_store_that_was_never_there_is_no_empty_store() {
    let site = site();
    site.store().fail(Some(ErrorKind::Unavailable));
    let app = app(&site);
    let page = get(&app, "/").await;
    assert_eq!(page.status, 503);
    assert!(!page.text.contains("<dt>live</dt>"));
    assert_eq!(get(&app, "/sessions").await.status, 503);
}

#[tokio::test]
async fn what_cannot_be_read_is_listed_and_can_be_ended() {
    let site = site();
    let app = app(&site);
    let key = ItemKey::new("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap();
    _ = site.store().set(&key, "hunter2".into(), When::Always, None).await.unwrap();
    counted(&app, 1).await;
    get(&app, "/sessions").await.has(&["cannot be read"]);
    let id = cloakroom_session::SessionId::parse(key.as_str()).unwrap();
    let page = get(&app, &page_of(id)).await;
    page.has(&["It cannot be read", "it can be ended"]);
    assert!(!page.text.contains("hunter2"));
    post(&app, &format!("{}/revoke", page_of(id)), &[OWN], "")
        .await
        .has(&["The session was ended"]);
}
