//! What other sites cannot make a visitor's browser do.

use axum::http::{Request, StatusCode};

use crate::support::{Client, in_memory};

async fn log_out_with(headers: &[(&str, &str)]) -> StatusCode {
    let mut client = Client::new(in_memory().await);
    client.log_in("Ada").await;
    let request = headers
        .iter()
        .fold(Request::post("/logout"), |request, (name, value)| request.header(*name, *value));
    let answer = client.send(request, "").await;
    let logged_out = client.id.is_none();
    assert_eq!(
        logged_out,
        answer.status == StatusCode::SEE_OTHER,
        "a refused request changes nothing"
    );
    answer.status
}

#[tokio::test]
async fn a_form_of_the_shop_itself_is_accepted() {
    for headers in [
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost")][..],
        &[("origin", "http://localhost")],
        // The browser's own word counts: behind a proxy, `Host` may be another.
        &[("sec-fetch-site", "same-origin"), ("origin", "https://shop.example")],
        &[("sec-fetch-site", "none")],
    ] {
        assert_eq!(log_out_with(headers).await, StatusCode::SEE_OTHER, "{headers:?}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://evil.example")],
        &[("origin", "http://localhost:8080")],
        &[("origin", "null")],
        // As in Astro: whoever does not say where a form comes from is no browser of today.
        &[],
    ] {
        assert_eq!(log_out_with(headers).await, StatusCode::FORBIDDEN, "{headers:?}");
    }
}

#[tokio::test]
async fn nothing_from_elsewhere_runs_in_a_page() {
    let mut client = Client::new(in_memory().await);
    let answer = client.get("/").await;
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; ") && policy.contains("script-src 'self'"));
    assert!(!answer.text.contains("style=") && !answer.text.contains("onclick="));
}

#[tokio::test]
async fn who_goes_back_after_a_log_out_finds_nothing_of_the_account() {
    let mut client = Client::new(in_memory().await);
    client.log_in("Ada").await;
    for page in ["/login", "/address", "/confirm?to=/address", "/devices", "/settings"] {
        let answer = client.get(page).await;
        assert_eq!(answer.status, StatusCode::OK, "{page}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{page}");
    }
}
