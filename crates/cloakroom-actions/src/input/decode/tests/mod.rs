//! Inputs and what becomes of them.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::input::reading::MOST_ISSUES;
use crate::input::{File, FormValue};

mod buffered;

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
fn what_is_wrong_with_a_field_is_told_at_its_own_name_and_in_the_order_of_the_type() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Form {
        #[serde(rename = "user[name]")]
        name: String,
        #[serde(rename = "user[age]")]
        age: u8,
        #[serde(rename = "a.b")]
        ab: String,
        #[serde(rename = "tags[]")]
        tags: Vec<u8>,
        #[serde(rename = "[0]")]
        zero: u8,
        town: Town,
    }
    let form = fields("user[age]=x&tags[]=1&tags[]=q&[0]=300&town.code=");
    same(
        issues::<Form>(&form),
        &[
            (r#"["user[name]"]"#, "This is required."),
            (r#"["user[age]"]"#, "This must be a number."),
            (r#"["a.b"]"#, "This is required."),
            (r#"["tags[]",1]"#, "This must be a number."),
            (r#"["[0]"]"#, "This must be a whole number from 0 to 255."),
            (r#"["town","name"]"#, "This is required."),
        ],
    );
    let told = decode::<Form>(&form).unwrap_err().fields();
    let told: Vec<&str> = told.keys().map(String::as_str).collect();
    assert_eq!(told, ["user[name]", "user[age]", "a.b", "tags[]", "[0]", "town"]);
}

#[test]
fn a_default_of_a_boolean_or_a_list_counts_where_the_form_has_no_such_field() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct News {
        #[serde(default = "yes")]
        news: bool,
        #[serde(default = "first")]
        tags: Vec<String>,
        plain: bool,
        list: Vec<u8>,
    }
    fn yes() -> bool {
        true
    }
    fn first() -> Vec<String> {
        vec!["a".to_owned()]
    }
    let read = |form| decode::<News>(&fields(form)).unwrap();
    let news = |news, tags: &[&str]| News {
        news,
        tags: tags.iter().map(ToString::to_string).collect(),
        plain: false,
        list: vec![],
    };
    assert_eq!(read("x=1"), news(true, &["a"]));
    assert_eq!(read("news=false&tags=b"), news(false, &["b"]));
    assert_eq!(read("news=&tags="), news(true, &[""]));
    // A name below it is the field's, too.
    assert_eq!(read("news.x=1&tags.x=1"), news(false, &[]));
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct All {
        on: bool,
        list: Vec<u8>,
    }
    impl Default for All {
        fn default() -> All {
            All { on: true, list: vec![7] }
        }
    }
    assert_eq!(decode::<All>(&fields("x=1")).unwrap(), All::default());
}

#[test]
fn an_optional_list_may_begin_with_an_empty_value() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Form {
        tags: Option<Vec<String>>,
        note: Option<String>,
    }
    let form: Form = decode(&fields("tags=&tags=b&note=&note=b")).unwrap();
    assert_eq!(form, Form { tags: Some(vec!["".into(), "b".into()]), note: None });
}

#[test]
fn a_number_that_a_type_has_no_room_for_is_told_as_a_person_understands_it() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Numbers {
        age: u8,
        large: i64,
        ratio: f32,
        ok: bool,
    }
    let huge: Numbers = decode(&fields("age=1&large=1e16&ratio=1&ok=on")).unwrap();
    assert_eq!(huge.large, 10_000_000_000_000_000);
    same(
        issues::<Numbers>(&fields("age=300&large=1e20&ratio=x")),
        &[
            (r#"["age"]"#, "This must be a whole number from 0 to 255."),
            (
                r#"["large"]"#,
                "This must be a whole number from -9223372036854775808 to 9223372036854775807.",
            ),
            (r#"["ratio"]"#, "This must be a number."),
        ],
    );
    let json = |text: &'static str| issues::<Numbers>(&RawInput::Json(text.into()));
    let age = "This must be a whole number from 0 to 255.";
    same(json(r#"{"age":300}"#), &[(r#"["age"]"#, age)]);
    same(json(r#"{"age":1.5}"#), &[(r#"["age"]"#, age)]);
    same(json(r#"{"age":"x"}"#), &[(r#"["age"]"#, age)]);
    let json = json(r#"{"age":1,"large":1,"ratio":1,"ok":1}"#);
    same(json, &[(r#"["ok"]"#, "This must be true or false.")]);
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
            (r#"["number"]"#, "This must be a whole number from 1 to 255."),
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
        &[(r#"[0,"name"]"#, "This must be a text.")],
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
    let many =
        |number: usize| (0..number).map(|number| format!("a{number}=x&")).collect::<String>();
    assert_eq!(issues::<BTreeMap<String, f64>>(&fields(&many(500))).len(), MOST_ISSUES);
    assert!(issues::<BTreeMap<String, f64>>(&fields(&many(60_000))).len() < MOST_ISSUES);
    let wrong = "a=x&".repeat(2_000);
    assert_eq!(issues::<BTreeMap<String, Vec<f64>>>(&fields(&wrong)).len(), MOST_ISSUES);
    // Each of them is a round.
    let empty: String = (0..60_000).map(|number| format!("a{number}=&")).collect();
    let error = decode::<BTreeMap<String, String>>(&fields(&empty)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
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
