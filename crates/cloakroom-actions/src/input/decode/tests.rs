//! Inputs and what becomes of them.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::input::{File, FormValue};

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Town {
    name: String,
    code: Option<u32>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    full_name: String,
    quantity: u8,
    gift: bool,
    interests: Vec<String>,
    sizes: Vec<f64>,
    note: Option<String>,
    town: Town,
    #[serde(default = "standard")]
    delivery: String,
    #[serde(default)]
    second_town: Town,
    third_town: Option<Town>,
}

fn standard() -> String {
    "standard".to_owned()
}

fn fields(text: &str) -> RawInput {
    let pairs = form_urlencoded::parse(text.as_bytes());
    RawInput::Form(pairs.map(|(name, value)| (name, FormValue::Text(value.into()))).collect())
}

fn issues<T: DeserializeOwned + std::fmt::Debug>(input: &RawInput) -> Vec<(String, String)> {
    let error = decode::<T>(input).unwrap_err();
    assert!(error.is_input_error(), "{error:?}");
    let place = |issue: &Issue| serde_json::to_string(&issue.path).unwrap();
    error.issues().iter().map(|issue| (place(issue), issue.message.clone())).collect()
}

fn same(left: Vec<(String, String)>, right: &[(&str, &str)]) {
    let right: Vec<_> = right.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    assert_eq!(left, right);
}

#[test]
fn a_form_is_read_as_astro_reads_it() {
    let input = fields(
        "fullName=Ann&quantity=+2+&gift=on&interests=hats&interests=coats&sizes=8.5&sizes=0x10&note=&town.name=Bergen",
    );
    let order: Order = decode(&input).unwrap();
    assert_eq!(
        order,
        Order {
            full_name: "Ann".into(),
            quantity: 2,
            gift: true,
            interests: vec!["hats".into(), "coats".into()],
            sizes: vec![8.5, 16.0],
            note: None,
            town: Town { name: "Bergen".into(), code: None },
            delivery: "standard".into(),
            second_town: Town::default(),
            third_town: None,
        }
    );
}

#[test]
fn booleans_are_what_they_say_or_whether_they_are_there() {
    #[derive(Debug, Deserialize)]
    struct Box {
        yes: bool,
    }
    let yes = |text| decode::<Box>(&fields(text)).unwrap().yes;
    assert!(yes("yes=true") && yes("yes=on") && yes("yes="));
    assert!(!yes("yes=false") && !yes("no=on"));
}

#[test]
fn all_that_is_wrong_with_a_form_is_told_at_once() {
    let input = fields("quantity=many&sizes=8&sizes=large&thirdTown.code=x&delivery=");
    same(
        issues::<Order>(&input),
        &[
            (r#"["fullName"]"#, "This is required."),
            (r#"["quantity"]"#, "This must be a number."),
            (r#"["sizes",1]"#, "This must be a number."),
            (r#"["town"]"#, "This is required."),
            (r#"["thirdTown","name"]"#, "This is required."),
            (r#"["thirdTown","code"]"#, "This must be a number."),
        ],
    );
}

#[test]
fn an_empty_field_is_missing_and_a_default_takes_its_place() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Comment {
        #[serde(default)]
        text: String,
        stars: Option<u8>,
    }
    let comment: Comment = decode(&fields("text=&stars=")).unwrap();
    assert_eq!(comment, Comment { text: String::new(), stars: None });
}

#[test]
fn a_choice_is_one_of_those_that_there_are() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }
    #[derive(Debug, Deserialize)]
    struct Choice {
        colour: Colour,
        number: NonZeroU8,
    }
    let choice: Choice = decode(&fields("colour=green&number=7")).unwrap();
    assert_eq!((choice.colour, choice.number.get()), (Colour::Green, 7));
    same(
        issues::<Choice>(&fields("colour=blue&number=0")),
        &[
            (r#"["colour"]"#, "This must be one of red, green."),
            (r#"["number"]"#, "This is not valid: it must be a nonzero u8."),
        ],
    );
}

#[test]
fn a_map_takes_whatever_there_is() {
    let map: BTreeMap<String, String> = decode(&fields("b=2&a=1&b=3")).unwrap();
    assert_eq!(map, BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]));

    #[derive(Debug, Deserialize)]
    struct Sizes {
        sizes: BTreeMap<String, f64>,
    }
    let sizes: Sizes = decode(&fields("sizes.hat=58&sizes.gloves=8.5")).unwrap();
    assert_eq!(sizes.sizes, BTreeMap::from([("gloves".into(), 8.5), ("hat".into(), 58.0)]));
}

#[test]
fn a_file_is_a_file_and_nothing_else() {
    #[derive(Debug, Deserialize)]
    struct Upload {
        picture: File,
        more: Option<File>,
    }
    let file = File::new("a.png", "image/png", "…");
    let nothing = File::new("", "application/octet-stream", "");
    let form = [("picture", FormValue::from(file.clone())), ("more", nothing.into())];
    let upload: Upload = decode(&RawInput::Form(form.into_iter().collect())).unwrap();
    assert_eq!((upload.picture, upload.more), (file, None));
    same(issues::<Upload>(&fields("picture=x")), &[(r#"["picture"]"#, "This must be a file.")]);
    same(issues::<Upload>(&fields("")), &[(r#"["picture"]"#, "This is required.")]);
}

#[test]
fn json_that_is_not_such_a_value_is_told_with_its_place() {
    let json = |text: &'static str| RawInput::Json(text.into());
    assert_eq!(decode::<Vec<u8>>(&json("[1, 2]")).unwrap(), [1, 2]);
    same(issues::<Town>(&json(r#"{ "code": 7 }"#)), &[(r#"["name"]"#, "This is required.")]);
    same(
        issues::<Vec<Town>>(&json(r#"[{ "name": 7 }]"#)),
        &[(r#"[0,"name"]"#, "This is not valid: invalid type: integer `7`, expected a string.")],
    );
}

#[test]
fn what_is_no_json_is_a_bad_request_without_issues() {
    for text in ["{", "[1,]", "nonsense", "1 2", "\u{1}"] {
        let error = decode::<serde_json::Value>(&RawInput::Json(text.into())).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest, "{text}");
        assert!(!error.is_input_error(), "{text}");
    }
}

#[test]
fn no_input_is_nothing_and_no_more() {
    assert_eq!(decode::<Option<Town>>(&RawInput::Undefined).unwrap(), None);
    decode::<()>(&RawInput::Undefined).unwrap();
    same(issues::<Town>(&RawInput::Undefined), &[("[]", "This is required.")]);
}

#[test]
fn a_name_without_an_end_ends_in_an_error_and_not_in_a_full_stack() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Node {
        next: Option<Box<Node>>,
    }
    let name = "next.".repeat(100_000);
    let error = decode::<Node>(&fields(&format!("{name}next=x"))).unwrap_err();
    assert!(error.message().contains("32 deep"), "{error:?}");
}

#[test]
fn a_form_of_nothing_but_mistakes_is_given_up_in_time() {
    let wrong: String = (0..30_000).map(|number| format!("a{number}=x&")).collect();
    assert_eq!(issues::<BTreeMap<String, f64>>(&fields(&wrong)).len(), MOST_ISSUES);
    let wrong = "a=x&".repeat(100_000);
    assert_eq!(issues::<BTreeMap<String, Vec<f64>>>(&fields(&wrong)).len(), MOST_ISSUES);
}

#[test]
fn paths_are_taken_step_by_step() {
    let steps = |path| serde_json::to_string(&path_segments(path)).unwrap();
    assert_eq!(steps("address.lines[2]"), r#"["address","lines",2]"#);
    assert_eq!(steps("[0].name"), r#"[0,"name"]"#);
    assert_eq!(steps(""), "[]");
}

proptest! {
    #[test]
    fn no_form_is_too_strange(pairs in prop::collection::vec(("[a-zA-Z.\\[\\]0-9]{0,12}|fullName|town\\.name|sizes", ".{0,8}"), 0..12)) {
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), FormValue::Text(value.clone())));
        let _ = decode::<Order>(&RawInput::Form(pairs.collect()));
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,64}") {
        let _ = decode::<Order>(&RawInput::Json(text.into()));
    }
}
