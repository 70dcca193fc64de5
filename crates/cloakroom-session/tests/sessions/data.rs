//! A struct as a typed view of the session.

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{ErrorKind, Key, SessionData};

#[derive(Debug, PartialEq, SessionData)]
#[session(rename_all = "camelCase", crate = "cloakroom_session")]
struct Shopper {
    /// The slugs in the cart.
    cart: Vec<String>,
    last_city: Option<String>,
    #[session(key = "settings:pageSize", default = page_size::standard)]
    page_size: u32,
    r#type: String,
}

mod page_size {
    pub(super) fn standard() -> u32 {
        20
    }
}

#[tokio::test]
async fn each_field_is_an_entry_by_its_javascript_name() {
    let keys: (Key<Vec<String>>, Key<String>, Key<u32>, Key<String>) =
        (Shopper::CART, Shopper::LAST_CITY, Shopper::PAGE_SIZE, Shopper::TYPE);
    assert_eq!(keys.0.name(), "cart");
    assert_eq!(keys.1.name(), "lastCity");
    assert_eq!(keys.2.name(), "settings:pageSize");
    assert_eq!(keys.3.name(), "type");
}

#[tokio::test]
async fn load_reads_what_the_keys_wrote() {
    let site = Site::new().await;
    let session = site.visitor();
    session.update(Shopper::CART, |cart| cart.push("scarf".into())).await.unwrap();
    session.set(Shopper::LAST_CITY, "Porto").unwrap();
    session.update(Shopper::PAGE_SIZE, |size| *size += 5).await.unwrap();
    session.set(Shopper::TYPE, "guest").unwrap();
    session.finish().await.unwrap();
    site.calls();

    let session = site.request(session.id().unwrap());
    let shopper = Shopper::load(&session).await.unwrap();
    let expected = Shopper {
        cart: vec!["scarf".into()],
        last_city: Some("Porto".into()),
        page_size: 25,
        r#type: "guest".into(),
    };
    assert_eq!(shopper, expected);
    session.finish().await.unwrap();
    assert_eq!(site.calls(), ["get"], "one load, and nothing is written");
}

#[tokio::test]
async fn what_is_missing_has_its_default() {
    let site = Site::new().await;
    let shopper = Shopper::load(&site.visitor()).await.unwrap();
    let expected =
        Shopper { cart: Vec::new(), last_city: None, page_size: 20, r#type: String::new() };
    assert_eq!(shopper, expected);
}

#[tokio::test]
async fn undefined_and_null_are_none_where_a_field_is_optional() {
    let site = Site::new().await;
    for text in [
        r#"[["Map",1,2],"lastCity",{"data":-1,"expires":-1}]"#,
        r#"[["Map",1,2],"lastCity",{"data":3,"expires":-1},null]"#,
    ] {
        let id = site.stored(&[("a", "1")]).await;
        site.write_raw(id, text).await;
        assert_eq!(Shopper::load(&site.request(id)).await.unwrap().last_city, None, "{text}");
    }
}

#[tokio::test]
async fn a_field_of_another_type_is_an_error_that_names_its_entry() {
    let site = Site::new().await;
    let id = site.stored(&[("settings:pageSize", "many")]).await;
    let error = Shopper::load(&site.request(id)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongType);
    assert!(error.to_string().contains("\"settings:pageSize\""), "{error}");
}
