//! What asks for the password again, and what is kept meanwhile.

use std::time::Duration;

use axum::http::StatusCode;
use cloakroom::Config;
use cloakroom::testing::TestSite;

use crate::support::{Client, Shop, configured};

const SAVE: &str = "/address?_action=account.saveAddress";
const CONFIRM: &str = "/address?_action=account.confirm";
const ADDRESS: &str = "street=Munkegata+1&town=7013+Trondheim";

/// A shop whose clock the test moves, and a browser in which Ada has just logged in.
async fn just_logged_in() -> (TestSite, Client) {
    let site = TestSite::with(configured(Config::new("memory")));
    let mut client = Client::new(Shop::Here(shop::app(site.sessions().clone())));
    client.log_in("Ada").await;
    client.get("/").await;
    (site, client)
}

/// Where this page sends the browser.
async fn leads_to(client: &mut Client, page: &str) -> Option<String> {
    let answer = client.get(page).await;
    assert_eq!(answer.status == StatusCode::OK, answer.header("location").is_none());
    answer.header("location").map(str::to_owned)
}

#[tokio::test]
async fn who_has_just_logged_in_changes_the_address_and_the_checkout_knows_it() {
    let (_site, mut client) = just_logged_in().await;
    assert_eq!(leads_to(&mut client, "/address").await, None);
    let answer = client.post_form_from("/address", SAVE, ADDRESS).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, Some("/address"))
    );
    let page = client.get("/address").await.text;
    assert!(page.contains("Your delivery address is saved.") && page.contains("Munkegata 1"));

    client.add_to_cart("felt-hat").await;
    let page = client.get("/checkout").await.text;
    assert!(page.contains(r#"value="Munkegata 1""#) && page.contains(r#"value="7013 Trondheim""#));
}

#[tokio::test]
async fn after_five_minutes_the_password_is_asked_for_and_leads_on() {
    let (site, mut client) = just_logged_in().await;
    site.advance(Duration::from_secs(5 * 60));
    assert_eq!(leads_to(&mut client, "/address").await, None);
    site.advance(Duration::from_secs(1));
    assert_eq!(leads_to(&mut client, "/address").await.as_deref(), Some("/confirm?to=/address"));
    let page = client.get("/confirm?to=/address").await.text;
    assert!(page.contains("Is it still you, Ada?"));
    assert!(page.contains(&format!(r#"action="{CONFIRM}""#)));

    let mut before = client.clone();
    let answer = client.post_form_from("/confirm?to=/address", CONFIRM, "password=overcoat").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, Some("/address"))
    );
    assert_ne!(client.id, before.id, "the session has a new ID");
    assert_eq!(leads_to(&mut client, "/address").await, None);
    assert_eq!(leads_to(&mut before, "/address").await.as_deref(), Some("/login"));
}

#[tokio::test]
async fn another_password_leads_back_and_changes_nothing() {
    let (site, mut client) = just_logged_in().await;
    site.advance(Duration::from_secs(600));
    for (password, message) in [("umbrella", "That is not the password"), ("", "This is required.")]
    {
        let form = format!("password={password}");
        let answer = client.post_form_from("/confirm?to=/address", CONFIRM, &form).await;
        assert_eq!(answer.header("location"), Some("/confirm?to=/address"));
        let page = client.get("/confirm?to=/address").await.text;
        assert!(page.contains(message) && !page.contains("umbrella"), "{password}");
    }
    assert_eq!(leads_to(&mut client, "/address").await.as_deref(), Some("/confirm?to=/address"));
}

#[tokio::test]
async fn an_address_that_was_typed_for_too_long_waits_for_the_password() {
    let (site, mut client) = just_logged_in().await;
    client.get("/address").await;
    site.advance(Duration::from_secs(600));
    let answer = client.post_form_from("/address", SAVE, ADDRESS).await;
    assert_eq!(answer.header("location"), Some("/address"));
    assert_eq!(leads_to(&mut client, "/address").await.as_deref(), Some("/confirm?to=/address"));
    client.post_form_from("/confirm?to=/address", CONFIRM, "password=overcoat").await;
    let page = client.get("/address").await.text;
    assert!(page.contains("This is not saved yet.") && page.contains(r#"value="Munkegata 1""#));

    let page = client.get("/address").await.text;
    assert!(!page.contains("Munkegata"), "it was not saved");
}

#[tokio::test]
async fn a_form_that_is_sent_without_the_page_is_refused_too() {
    let (site, mut client) = just_logged_in().await;
    site.advance(Duration::from_secs(600));
    client.post_form(SAVE, ADDRESS).await;
    client.add_to_cart("felt-hat").await;
    assert!(!client.get("/checkout").await.text.contains("Munkegata"));
}

#[tokio::test]
async fn the_confirmation_leads_to_no_other_page() {
    let (_site, mut client) = just_logged_in().await;
    for to in ["", "?to=", "?to=/", "?to=//evil.example", "?to=https://evil.example/"] {
        let page = format!("/confirm{to}");
        assert_eq!(leads_to(&mut client, &page).await.as_deref(), Some("/login"), "{to}");
    }
}

#[tokio::test]
async fn who_is_not_logged_in_is_led_to_the_log_in() {
    let (_site, mut client) = just_logged_in().await;
    client.post_form("/logout", "").await;
    for page in ["/address", "/confirm?to=/address"] {
        assert_eq!(leads_to(&mut client, page).await.as_deref(), Some("/login"), "{page}");
    }
    client.post_form_from("/confirm?to=/address", CONFIRM, "password=overcoat").await;
    assert_eq!(leads_to(&mut client, "/address").await.as_deref(), Some("/login"));
}

#[tokio::test]
async fn whoever_logs_in_next_gets_neither_the_cart_nor_the_address() {
    let (_site, mut client) = just_logged_in().await;
    client.add_to_cart("felt-hat").await;
    client.post_form(SAVE, ADDRESS).await;
    client.log_in("Ada").await;
    assert!(client.get("/checkout").await.text.contains("Munkegata 1"));
    client.log_in("Eve").await;
    let page = client.get("/checkout").await.text;
    assert!(!page.contains("Felt hat") && !page.contains("Munkegata"), "{page}");
}

#[tokio::test]
async fn nor_what_was_typed_when_nobody_was_logged_in_any_more() {
    let (_site, mut client) = just_logged_in().await;
    client.get("/address").await;
    // The session has run out while the form stood open.
    client.id = None;
    client.post_form_from("/address", SAVE, ADDRESS).await;
    client.log_in("Eve").await;
    assert!(!client.get("/address").await.text.contains("Munkegata"));
}

#[tokio::test]
async fn a_browser_left_open_shows_no_address_at_the_checkout_either() {
    let (site, mut client) = just_logged_in().await;
    client.post_form(SAVE, ADDRESS).await;
    client.add_to_cart("felt-hat").await;
    assert!(client.get("/checkout").await.text.contains("Munkegata 1"));
    site.advance(Duration::from_secs(600));
    assert!(!client.get("/checkout").await.text.contains("Munkegata"));
}
