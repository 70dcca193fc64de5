//! What names an entry: strings and keys, wherever one is asked for, and values as they are at hand.

use cloakroom_session::{EntryName, Flash, Key, Result, SetOptions, WriteKey};
use serde::Serialize;

use crate::common::Site;

const NAME: Key<String> = Key::new("name");
const SIZE: Key<u32> = Key::new("size");
const CART: Key<Vec<String>> = Key::new("cart");
const NOTE: Key<Option<u32>> = Key::new("note");

#[tokio::test]
async fn a_key_names_its_entry_in_every_method() {
    let session = Site::new().await.visitor();
    session.set(SIZE, &5).unwrap();
    assert!(session.has(SIZE).await.unwrap() && session.has(&SIZE).await.unwrap());
    assert_eq!(session.take(SIZE).await.unwrap(), Some(5));
    session.set(SIZE, &6).unwrap();
    session.delete(SIZE);
    assert_eq!(session.get(SIZE).await.unwrap(), None);
}

#[tokio::test]
async fn a_string_of_any_kind_names_an_entry() {
    let session = Site::new().await.visitor();
    let owned = "size".to_owned();
    session.set("size", &5).unwrap();
    for name in ["size"].iter() {
        assert!(session.has(name).await.unwrap());
    }
    assert!(session.has(&owned).await.unwrap());
    assert_eq!(session.get::<u32>(&owned).await.unwrap(), Some(5));
    session.delete(owned);
    assert!(!session.has("size").await.unwrap());
}

#[tokio::test]
async fn a_key_takes_what_its_type_lends_itself_as() {
    let session = Site::new().await.visitor();
    session.set(NAME, "Ann").unwrap();
    session.set_with(NAME, &"Ann".to_owned(), SetOptions::new()).unwrap();
    session.set(CART, &["hat".to_owned()][..]).unwrap();
    session.set(CART, &Vec::new()).unwrap();
    session.set(NOTE, &None).unwrap();
    session.flash(Flash::<String>::new("notice"), "Saved.").unwrap();
    assert_eq!(session.get(NAME).await.unwrap().as_deref(), Some("Ann"));
    assert_eq!(session.get(CART).await.unwrap(), Some(Vec::new()));
    assert_eq!(session.get(NOTE).await.unwrap(), Some(None));
}

/// A function of one's own takes what the session's methods take.
fn leave<V: Serialize + ?Sized>(
    session: &cloakroom_session::Session,
    key: impl WriteKey<V> + Copy,
    value: &V,
) -> Result<String> {
    session.set(key, value)?;
    Ok(EntryName::name(&key).to_owned())
}

#[tokio::test]
async fn a_function_of_ones_own_is_as_general() {
    let session = Site::new().await.visitor();
    assert_eq!(leave(&session, NAME, "Ann").unwrap(), "name");
    assert_eq!(leave(&session, "size", &5).unwrap(), "size");
}
