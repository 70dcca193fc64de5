//! What every page owes: files that may be cached for ever, a look for errors, and no session where none is needed.

use axum::http::{Request, StatusCode};

use crate::support::{Client, in_memory, on_files};

/// The addresses of this page that lead to embedded files.
fn assets(page: &str) -> Vec<&str> {
    page.split('"').filter(|text| text.starts_with("/assets/")).collect()
}

#[tokio::test]
async fn every_asset_is_served_to_be_kept_for_ever() {
    let mut client = Client::new(in_memory().await);
    let page = client.get("/").await.text;
    let assets = assets(&page);
    assert_eq!(
        assets.len(),
        3 + 8,
        "a style sheet, an icon, a script, and a picture for each product"
    );
    client.id = None;
    for path in assets {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.header("vary"), None);
    }
}

#[tokio::test]
async fn an_asset_of_another_version_is_not_found() {
    let mut client = Client::new(in_memory().await);
    assert_eq!(client.get("/assets/0000000000000000/shop.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_prerendered_page_is_the_same_for_everybody() {
    let mut somebody = Client::new(in_memory().await);
    let mut nobody = somebody.clone();
    somebody.add_to_cart("felt-hat").await;
    let page = somebody.get("/about").await;
    assert_eq!(page.text, nobody.get("/about").await.text);
    assert_eq!(nobody.id, None);
    assert_eq!(page.header("vary"), None);
    assert_eq!(page.header("cache-control"), Some("public, max-age=300"));
}

#[tokio::test]
async fn an_unknown_address_is_a_page_of_the_shop_and_makes_no_session() {
    let mut client = Client::new(in_memory().await);
    let answer = client.get("/wp-admin").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text.contains("An empty peg") && answer.text.contains("/shop.css"));
    assert_eq!(client.id, None);
}

#[tokio::test]
async fn an_unknown_product_is_not_found() {
    let mut client = Client::new(in_memory().await);
    assert_eq!(client.get("/products/tent").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_refused_form_is_a_page_for_browsers_and_plain_text_for_programs() {
    let mut client = Client::new(in_memory().await);
    let request = Request::post("/logout").header("accept", "text/html");
    let answer = client.send(request.header("origin", "http://evil.example"), "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("Not from here"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));

    let request = Request::post("/api/addToCart").header("content-type", "application/json");
    let answer = client.send(request, "{").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn reading_the_cart_makes_no_session() {
    let mut client = Client::new(in_memory().await);
    assert!(client.cart().await.is_empty());
    assert_eq!(client.id, None);
}

#[tokio::test]
async fn a_damaged_session_is_kept_and_its_visitor_can_start_afresh() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Client::new(on_files(folder.path()).await);
    client.add_to_cart("felt-hat").await;
    let record = folder.path().join(client.id.as_ref().unwrap());
    std::fs::write(&record, "damaged").unwrap();

    let answer = client.get("/").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text.contains("That was us") && answer.text.contains(r#"action="/logout""#));
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(std::fs::read_to_string(&record).unwrap(), "damaged");

    assert_eq!(client.post_form("/logout", "").await.status, StatusCode::SEE_OTHER);
    assert_eq!(client.get("/").await.status, StatusCode::OK);
}
