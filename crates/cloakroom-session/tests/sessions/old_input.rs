//! Old input: a form that could not be accepted comes back filled in.

use std::borrow::Cow;

use crate::common::Site;
use cloakroom_session::adapter::Commit;
use cloakroom_session::{ErrorKind, Flash, Key, OldInput};

const OLD_INPUT: Flash<OldInput> = Flash::new("oldInput");

#[tokio::test]
async fn a_form_that_failed_comes_back_filled_in_once() {
    let site = Site::new().await;
    let session = site.visitor();
    let old = OldInput::new([("name", "Ann"), ("interest", "hats"), ("interest", "coats")]);
    session.flash(OLD_INPUT, &old).unwrap();
    session.finish().await.unwrap();

    let session = site.request(session.id().unwrap());
    let old = session.flashed(OLD_INPUT).await.unwrap().unwrap_or_default();
    assert_eq!(old.value("name"), "Ann");
    assert!(old.values("interest").eq(["hats", "coats"]));
    assert!(old.contains("interest", "coats"));
    session.finish().await.unwrap();

    let session = site.request(session.id().unwrap());
    assert!(session.flashed(OLD_INPUT).await.unwrap().unwrap_or_default().is_empty());
}

#[test]
fn a_field_that_was_not_sent_is_empty() {
    let old = OldInput::new([("name", "")]);
    assert_eq!(old.value("name"), "");
    assert!(old.contains("name", "") && !old.is_empty(), "sent, and empty");
    assert_eq!(old.value("email"), "");
    assert_eq!(old.values("email").count(), 0);
    assert!(!old.contains("email", ""));
    assert!(OldInput::default().is_empty());
}

#[test]
fn a_text_shows_its_first_value() {
    assert_eq!(OldInput::new([("name", "Ann"), ("name", "Bob")]).value("name"), "Ann");
}

#[test]
fn fields_come_as_any_form_parser_gives_them() {
    let owned = OldInput::new(vec![("name".to_owned(), "Ann".to_owned())]);
    let borrowed = OldInput::new([(Cow::Borrowed("name"), Cow::Borrowed("Ann"))]);
    assert_eq!(owned, borrowed);
}

#[tokio::test]
async fn secrets_are_not_stored() {
    let site = Site::new().await;
    let session = site.visitor();
    let fields = [
        ("name", "Ann"),
        ("password", "hunter2"),
        ("newPassword", "hunter3"),
        ("_csrf", "hunter4"),
        ("card[pin]", "hunter5"),
        ("motto", "hunter6"),
        ("motto", "hunter7"),
    ];
    session.flash(OLD_INPUT, &OldInput::new(fields).without("motto")).unwrap();
    session.finish().await.unwrap();
    let stored = site.raw(session.id().unwrap()).await.unwrap();
    assert!(stored.contains("Ann") && !stored.contains("hunter"), "{stored}");
}

#[test]
fn a_field_that_is_too_long_is_left_out_whole_and_the_others_stay() {
    let (longest, too_long) = ("x".repeat(4092), "x".repeat(4093));
    let old = OldInput::new([("text", &longest), ("more", &too_long), ("name", &"Ann".to_owned())]);
    assert_eq!(old.value("text"), longest);
    assert_eq!(old.value("more"), "");
    assert_eq!(old.value("name"), "Ann");
}

#[test]
fn the_whole_is_bounded_however_the_fields_are_cut() {
    let large = vec![("text", "x".repeat(4000)); 1000];
    assert_eq!(OldInput::new(large).values("text").count(), 4);
    let empty = vec![("", ""); 1_000_000];
    assert_eq!(OldInput::new(empty).values("").count(), 1024);
    let mut fields = vec![("text", "x".repeat(4000)); 5];
    fields.push(("name", "Ann".to_owned()));
    assert_eq!(OldInput::new(fields).value("name"), "Ann", "what still fits is kept");
}

#[tokio::test]
async fn javascript_reads_pairs_and_what_it_writes_is_read() {
    let site = Site::new().await;
    let session = site.visitor();
    session.flash(OLD_INPUT, &OldInput::new([("name", "Ann"), ("colour", "<red>")])).unwrap();
    session.finish().await.unwrap();
    assert_eq!(
        site.raw(session.id().unwrap()).await.unwrap(),
        r#"[["Map",1,2],"flash:oldInput",{"data":3,"expires":-1},[4,7],[5,6],"name","Ann",[8,9],"colour","\u003Cred>"]"#
    );
    let written =
        r#"[["Map",1,2],"flash:oldInput",{"data":3,"expires":-1},[4],[5,6],"name","Bob"]"#;
    let id = site.stored(&[("a", "1")]).await;
    site.write_raw(id, written).await;
    let old = site.request(id).flashed(OLD_INPUT).await.unwrap().unwrap();
    assert_eq!(old, OldInput::new([("name", "Bob")]));
}

#[tokio::test]
async fn what_is_no_old_input_is_an_error_of_its_type() {
    const KEY: Key<OldInput> = Key::new("oldInput");
    let site = Site::new().await;
    let id = site.stored(&[("a", "1")]).await;
    for data in [
        r#""text""#,
        "7",
        "null",
        r#"{"name":4},"Ann""#,
        r#"[4],"name""#,
        r#"[4],[5],"name""#,
        r#"[4],[5,6,7],"name","Ann","Bob""#,
        r#"[4],[5,6],"name",7"#,
        r#"[3]"#,
    ] {
        site.write_raw(
            id,
            &format!(r#"[["Map",1,2],"oldInput",{{"data":3,"expires":-1}},{data}]"#),
        )
        .await;
        let error = site.request(id).get(KEY).await.expect_err(data);
        assert_eq!(error.kind(), ErrorKind::WrongType, "{data}");
    }
}
