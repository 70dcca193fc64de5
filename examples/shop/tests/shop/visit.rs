//! One visit, step by step.

use axum::http::{HeaderValue, StatusCode};
use cloakroom::CookieHeaders;
use cloakroom::adapter::Commit;
use cloakroom::devalue::{Map, Set};
use indexmap::{IndexMap, IndexSet};
use shop::session::{INTERESTS, SIZES};

use crate::support::{Client, Shop, in_memory, sessions_in_memory};

#[tokio::test]
async fn an_added_item_is_counted_by_the_cart_button_of_every_page() {
    let mut client = Client::new(in_memory().await);
    assert_eq!(client.add_to_cart("felt-hat").await.json(), ["felt-hat"]);
    assert_eq!(client.add_to_cart("garden-boots").await.json(), ["felt-hat", "garden-boots"]);
    for path in ["/", "/products/felt-hat", "/cart", "/checkout", "/login", "/settings"] {
        let page = client.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains(r#"<a href="/checkout""#), "{path}");
        assert!(page.text.contains(">🛒 2 items</a>"), "{path}");
    }
}

#[tokio::test]
async fn without_javascript_a_form_adds_to_the_cart_and_another_takes_out() {
    let mut client = Client::new(in_memory().await);
    for _ in 0..2 {
        let answer = client.post_form("/cart?_action=cart.add", "item=felt-hat").await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, Some("/cart"))
        );
    }
    client.post_form("/cart?_action=cart.add", "item=beech-hanger").await;
    let page = client.get("/cart").await.text;
    assert!(page.contains("<span>3 items in your cart.</span>"), "the page after a form tells");
    assert!(!client.get("/cart").await.text.contains("items in your cart."), "once");
    assert!(page.contains("Felt hat") && page.contains("€158"), "two hats are one line");
    assert!(page.contains("€167.50"), "and this is the total");

    let answer = client.post_form("/cart?_action=cart.remove", "item=felt-hat").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(client.cart().await, ["felt-hat", "beech-hanger"]);
}

#[tokio::test]
async fn what_another_program_put_into_the_cart_is_shown_as_it_is() {
    let mut client = Client::new(in_memory().await);
    client.add_to_cart("a <b>tent</b>").await;
    let page = client.get("/cart").await.text;
    assert!(page.contains("a &lt;b&gt;tent&lt;/b&gt;"));
    assert!(page.contains("Not from this shop’s catalogue"));
}

#[tokio::test]
async fn checking_out_shows_the_order_and_empties_the_cart() {
    let mut client = Client::new(in_memory().await);
    client.add_to_cart("felt-hat").await;
    assert!(client.get("/checkout").await.text.contains("Place the order"));

    const ORDER: &str = "/thanks?_action=cart.order";
    let address = "name=Ada&street=Munkegata+1&town=Trondheim";
    let answer = client.post_form(ORDER, address).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, Some("/thanks"))
    );
    let confirmation = client.get("/thanks").await;
    assert_eq!(confirmation.status, StatusCode::OK);
    assert!(confirmation.text.contains("Thank you, Ada") && confirmation.text.contains("Felt hat"));
    assert!(confirmation.text.contains("🛒 0 items"));
    assert!(client.cart().await.is_empty());

    let again = client.get("/thanks").await;
    assert_eq!((again.status, again.header("location")), (StatusCode::SEE_OTHER, Some("/cart")));
    client.post_form(ORDER, address).await;
    let again = client.get("/thanks").await;
    assert_eq!(again.header("location"), Some("/cart"), "an empty cart is no order");
}

#[tokio::test]
async fn an_order_form_that_lacks_something_comes_back_with_the_rest_filled_in() {
    let mut client = Client::new(in_memory().await);
    client.add_to_cart("felt-hat").await;
    let form = "name=Ada+%3Cb%3E&street=&town=Trondheim";
    let answer = client.post_form_from("/checkout", "/thanks?_action=cart.order", form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, Some("/checkout"))
    );
    let page = client.get("/checkout").await.text;
    assert!(page.contains(r#"value="Ada &lt;b&gt;""#) && page.contains(r#"value="Trondheim""#));
    assert!(page.contains(r#"<p class="error" id="street-error">This is required.</p>"#));
    assert!(!page.contains("town-error\">"));
    assert!(!client.get("/checkout").await.text.contains("Trondheim"), "only once");
    assert_eq!(client.cart().await, ["felt-hat"]);
}

#[tokio::test]
async fn logging_in_changes_the_id_and_keeps_the_cart() {
    let mut client = Client::new(in_memory().await);
    client.add_to_cart("felt-hat").await;
    let mut planted = client.clone();

    let answer = client.log_in("+Ada+").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), Some("/"));
    assert_ne!(client.id, planted.id);
    assert!(client.get("/").await.text.contains("Hello, Ada. Your cart came along."));
    assert!(!client.get("/").await.text.contains("Hello, Ada."), "the greeting is shown once");
    let page = client.get("/login").await.text;
    assert!(page.contains("Hello, Ada") && page.contains("🛒 1 items"));

    assert!(planted.cart().await.is_empty(), "the id from before is worth nothing");
}

#[tokio::test]
async fn logging_out_deletes_the_cookie_and_kills_the_id() {
    let mut client = Client::new(in_memory().await);
    client.add_to_cart("felt-hat").await;
    client.log_in("Ada").await;
    let mut kept = client.clone();

    let answer = client.post_form("/logout", "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(
        answer
            .header("set-cookie")
            .unwrap()
            .starts_with("astro-session=deleted; Path=/; Expires=Thu, 01 Jan 1970")
    );
    assert_eq!(client.id, None);
    assert!(kept.cart().await.is_empty());
    assert!(kept.get("/login").await.text.contains("A name will do"));
}

#[tokio::test]
async fn a_name_must_have_one_to_sixty_letters() {
    let mut client = Client::new(in_memory().await);
    let long = "a".repeat(61);
    for name in ["++", &long] {
        let answer = client.log_in(name).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, Some("/login"))
        );
        let page = client.get("/login").await.text;
        assert!(page.contains("at most 60 letters"));
        assert!(page.contains(&format!(r#"value="{}""#, name.replace('+', " "))));
    }
    client.log_in("").await;
    assert!(client.get("/login").await.text.contains("This is required."));
    assert!(client.get("/login").await.text.contains("A name will do"), "nobody is logged in");
}

#[tokio::test]
async fn who_gives_another_password_is_not_logged_in() {
    let mut client = Client::new(in_memory().await);
    let form = "name=Ada&password=umbrella";
    let answer = client.post_form_from("/login", "/?_action=account.logIn", form).await;
    assert_eq!(answer.header("location"), Some("/login"));
    let page = client.get("/login").await.text;
    assert!(page.contains("That is not the password") && page.contains(r#"value="Ada""#));
    assert!(!page.contains("umbrella"), "a password does not come back");
    assert!(client.get("/login").await.text.contains("A name will do"), "nobody is logged in");
}

#[tokio::test]
async fn settings_survive_and_so_do_those_of_other_programs() {
    let sessions = sessions_in_memory().await;
    let mut client = Client::new(Shop::Here(shop::app(sessions.clone())));
    client.add_to_cart("felt-hat").await;
    // Another program that shares the session.
    let cookie = format!("astro-session={}", client.id.as_deref().unwrap());
    let session = sessions.session(CookieHeaders::from(HeaderValue::from_str(&cookie).unwrap()));
    session.set(INTERESTS, &Set(IndexSet::from(["tents".to_owned()]))).unwrap();
    session.set(SIZES, &Map(IndexMap::from([("ring".to_owned(), 16.0)]))).unwrap();
    _ = session.finish().await.unwrap();

    let form = "homepage=https%3A%2F%2Fada.example%2Fnotes&interest=hats&interest=tents&sizes.hat=58&sizes.gloves=8.5&sizes.coat=42&sizes.ring=17&sizes.boots=";
    assert_eq!(
        client.post_form("/settings?_action=account.saveSettings", form).await.status,
        StatusCode::SEE_OTHER
    );
    let page = client.get("/settings").await.text;
    for expected in [
        r#"value="https://ada.example/notes""#,
        r#"name="interest" value="hats" checked"#,
        r#"name="interest" value="tents" checked"#,
        r#"<option value="58" selected"#,
        r#"<option value="8.5" selected"#,
        r#"<option value="42" selected"#,
        r#"name="sizes.ring" value="17""#,
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains(r#"value="boots" checked"#));

    client.post_form("/settings?_action=account.saveSettings", "homepage=").await;
    let page = client.get("/settings").await.text;
    assert!(
        !page.contains("ada.example")
            && !page.contains(" checked")
            && !page.contains(r#"name="sizes.ring""#)
    );
}

#[tokio::test]
async fn what_the_shop_does_not_know_is_not_kept() {
    let sessions = sessions_in_memory().await;
    let mut client = Client::new(Shop::Here(shop::app(sessions.clone())));
    let made_up: String =
        (0..2_000).map(|number| format!("&interest=a{number}&sizes.k{number}=1")).collect();
    let form = format!("homepage=&interest=hats&sizes.hat=58{made_up}");
    let answer = client.post_form("/settings?_action=account.saveSettings", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let cookie = format!("astro-session={}", client.id.as_deref().unwrap());
    let session = sessions.session(CookieHeaders::from(HeaderValue::from_str(&cookie).unwrap()));
    let interests = session.get(INTERESTS).await.unwrap().unwrap().0;
    assert_eq!(interests.into_iter().collect::<Vec<_>>(), ["hats"]);
    let sizes = session.get(SIZES).await.unwrap().unwrap().0;
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [("hat".to_owned(), 58.0)]);
}

#[tokio::test]
async fn a_homepage_must_be_a_web_address() {
    let mut client = Client::new(in_memory().await);
    for homepage in ["ada", "javascript:alert(1)"] {
        let form = format!("homepage={homepage}&interest=hats&sizes.hat=58");
        client.post_form("/settings?_action=account.saveSettings", &form).await;
        let page = client.get("/elsewhere").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        let page = client.get("/settings").await.text;
        assert!(page.contains("whole address"));
        assert!(
            page.contains(r#"value="hats" checked"#) && page.contains(r#"value="58" selected"#)
        );
        assert!(page.contains(&format!(r#"value="{homepage}""#)));
        let page = client.get("/settings").await.text;
        assert!(!page.contains("checked") && !page.contains("selected"), "nothing was saved");
    }
}

#[tokio::test]
async fn a_size_chosen_with_a_product_is_remembered() {
    let mut client = Client::new(in_memory().await);
    client.post_form("/cart?_action=cart.add", "item=felt-hat&size=58").await;
    assert!(client.get("/cart").await.text.contains("Hat size 58"));
    assert!(client.get("/products/felt-hat").await.text.contains(r#"value="58" checked"#));
    client.post_form("/cart?_action=cart.add", "item=felt-hat&size=580").await;
    assert!(
        client.get("/cart").await.text.contains("Hat size 58<"),
        "there is no hat of 5.80 metres"
    );
}

#[tokio::test]
async fn the_second_page_says_when_the_first_was_seen() {
    let mut client = Client::new(in_memory().await);
    assert!(!client.get("/").await.text.contains("Welcome back"));
    assert!(client.get("/").await.text.contains("Welcome back, last visit <time datetime=\"20"));
}

#[tokio::test]
async fn an_item_has_one_to_two_hundred_characters() {
    let mut client = Client::new(in_memory().await);
    for item in [String::new(), "ü".repeat(201)] {
        let answer = client.add_to_cart(&item).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.text, r#"{"error":"`item` must have 1 to 200 characters"}"#);
    }
    assert_eq!(client.add_to_cart(&"ü".repeat(200)).await.json().len(), 1);
}
