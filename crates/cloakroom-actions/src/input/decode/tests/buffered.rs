//! Types that read their fields before they know what they want of them.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Edit {
    Create {
        name: String,
        age: u8,
        ok: bool,
        tags: Vec<String>,
        sizes: Vec<f64>,
        opt: Option<i64>,
        town: Option<Town>,
        #[serde(default = "yes")]
        news: bool,
    },
    Update {
        id: u32,
    },
    Clear,
}

fn yes() -> bool {
    true
}

fn create() -> Edit {
    Edit::Create {
        name: "5".into(),
        age: 5,
        ok: true,
        tags: vec!["a".into(), "5".into()],
        sizes: vec![8.5, 5.0],
        opt: Some(-5),
        town: Some(Town { name: "5".into(), code: Some(5) }),
        news: true,
    }
}

const CREATE: &str =
    "name=5&age=5&ok=on&tags=a&tags=5&sizes=8.5&sizes=5&opt=-5&town.name=5&town.code=5";

#[test]
fn a_tagged_enum_has_numbers_booleans_lists_and_objects() {
    assert_eq!(decode::<Edit>(&fields(&format!("kind=create&{CREATE}"))).unwrap(), create());
    assert_eq!(decode::<Edit>(&fields(&format!("{CREATE}&kind=create"))).unwrap(), create());
    assert_eq!(decode::<Edit>(&fields("kind=update&id=5")).unwrap(), Edit::Update { id: 5 });
    assert_eq!(decode::<Edit>(&fields("kind=clear&id=x")).unwrap(), Edit::Clear);
    let least = Edit::Create {
        name: "n".into(),
        age: 0,
        ok: false,
        tags: vec![],
        sizes: vec![],
        opt: None,
        town: None,
        news: true,
    };
    assert_eq!(decode::<Edit>(&fields("kind=create&name=n&age=0&opt=")).unwrap(), least);
}

#[test]
fn a_tagged_enum_is_read_where_it_is_a_field_too() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Page {
        title: String,
        edit: Edit,
        other: Option<Edit>,
    }
    let prefixed = CREATE.split('&').map(|pair| format!("edit.{pair}")).collect::<Vec<_>>();
    let form = format!("title=5&edit.kind=create&{}", prefixed.join("&"));
    let page: Page = decode(&fields(&form)).unwrap();
    assert_eq!(page, Page { title: "5".into(), edit: create(), other: None });
    let page: Page =
        decode(&fields("title=t&edit.kind=clear&other.kind=update&other.id=7")).unwrap();
    assert_eq!(page.other, Some(Edit::Update { id: 7 }));
    same(
        issues::<Page>(&fields("edit.kind=update&edit.id=x&other.kind=nope")),
        &[
            (r#"["title"]"#, "This is required."),
            (r#"["edit","id"]"#, "This must be a number."),
            (r#"["other","kind"]"#, "This must be one of create, update, clear."),
        ],
    );
}

#[test]
fn what_is_wrong_with_a_tagged_enum_is_told_field_by_field() {
    same(issues::<Edit>(&fields("id=5")), &[(r#"["kind"]"#, "This is required.")]);
    same(
        issues::<Edit>(&fields("kind=delete")),
        &[(r#"["kind"]"#, "This must be one of create, update, clear.")],
    );
    same(
        issues::<Edit>(&fields("kind=update&id=-1")),
        &[(r#"["id"]"#, "This must be a whole number from 0 to 4294967295.")],
    );
    let told = issues::<Edit>(&fields("kind=create&age=300&sizes=1&sizes=x&opt=1.5&town.code=x"));
    let told: BTreeMap<_, _> = told.into_iter().collect();
    assert_eq!(
        told,
        BTreeMap::from(
            [
                (r#"["name"]"#, "This is required."),
                (r#"["age"]"#, "This must be a whole number from 0 to 255."),
                (r#"["sizes",1]"#, "This must be a number."),
                (
                    r#"["opt"]"#,
                    "This must be a whole number from -9223372036854775808 to 9223372036854775807."
                ),
                (r#"["town","name"]"#, "This is required."),
                (r#"["town","code"]"#, "This must be a number."),
            ]
            .map(|(path, message)| (path.to_owned(), message.to_owned()))
        )
    );
}

#[derive(Debug, PartialEq, Deserialize)]
struct Outer {
    #[serde(flatten)]
    inner: Inner,
    x: u8,
    done: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Inner {
    age: u8,
    ok: bool,
    tags: Vec<String>,
    opt: Option<u8>,
    town: Town,
    #[serde(default = "yes")]
    news: bool,
}

#[test]
fn a_flattened_struct_has_numbers_booleans_lists_and_objects() {
    let town = || Town { name: "1".into(), code: None };
    let outer: Outer =
        decode(&fields("x=1&age=5&ok=on&tags=1&tags=5&opt=5&done=true&town.name=1&news=false"))
            .unwrap();
    let tags = vec!["1".into(), "5".into()];
    let inner = Inner { age: 5, ok: true, tags, opt: Some(5), town: town(), news: false };
    assert_eq!(outer, Outer { inner, x: 1, done: true });

    let outer: Outer = decode(&fields("x=1&age=5&town.name=1")).unwrap();
    let inner = Inner { age: 5, ok: false, tags: vec![], opt: None, town: town(), news: true };
    assert_eq!(outer, Outer { inner, x: 1, done: false });

    let told = issues::<Outer>(&fields("age=old&opt=1000&tags=a"));
    let told: BTreeMap<_, _> = told.iter().map(|(path, told)| (path.as_str(), &told[..])).collect();
    assert_eq!(
        told,
        BTreeMap::from([
            (r#"["x"]"#, "This is required."),
            (r#"["age"]"#, "This must be a number."),
            (r#"["opt"]"#, "This must be a whole number from 0 to 255."),
            (r#"["town"]"#, "This is required."),
        ])
    );
}

#[test]
fn what_else_there_is_may_be_flattened_into_a_map_or_an_option() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Rest {
        name: String,
        #[serde(flatten)]
        rest: HashMap<String, u8>,
    }
    let rest: Rest = decode(&fields("name=5&a=5&b.c=6")).unwrap();
    assert_eq!(rest.rest, HashMap::from([("a".into(), 5), ("b.c".into(), 6)]));

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sizes {
        hat: u8,
        glove: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Person {
        #[serde(flatten)]
        sizes: Option<Sizes>,
    }
    let person: Person = decode(&fields("hat=58&glove=8.5")).unwrap();
    assert_eq!(person.sizes, Some(Sizes { hat: 58, glove: 8.5 }));
    assert_eq!(decode::<Person>(&fields("hat=58&glove=x")).unwrap().sizes, None);
    assert_eq!(decode::<Person>(&fields("a=1")).unwrap().sizes, None);
}

#[test]
fn an_enum_without_a_tag_is_the_first_that_the_form_can_be() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Circle { radius: f64, filled: bool },
        Square { side: u8, names: Vec<String> },
        Named { radius: String },
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Drawing {
        shape: Shape,
    }
    for (form, shape) in [
        ("radius=1.5&filled=on", Shape::Circle { radius: 1.5, filled: true }),
        ("radius=1.5", Shape::Circle { radius: 1.5, filled: false }),
        ("side=2&names=a&names=5", Shape::Square { side: 2, names: vec!["a".into(), "5".into()] }),
        ("side=2", Shape::Square { side: 2, names: vec![] }),
        ("radius=wide", Shape::Named { radius: "wide".into() }),
    ] {
        assert_eq!(decode::<Shape>(&fields(form)).unwrap(), shape, "{form}");
        let nested = form.split('&').map(|pair| format!("shape.{pair}")).collect::<Vec<_>>();
        let drawing: Drawing = decode(&fields(&nested.join("&"))).unwrap();
        assert_eq!(drawing.shape, shape, "{form}");
    }
    same(issues::<Shape>(&fields("side=x")), &[("[]", "This is not valid.")]);
    same(issues::<Drawing>(&fields("shape.side=x")), &[(r#"["shape"]"#, "This is not valid.")]);
}

#[test]
fn an_enum_beside_its_tag_is_read_as_any_other() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind", content = "data", rename_all = "lowercase")]
    enum Message {
        Count(u8),
        Person { age: u8, ok: bool },
        Nothing,
    }
    assert_eq!(decode::<Message>(&fields("kind=count&data=5")).unwrap(), Message::Count(5));
    assert_eq!(
        decode::<Message>(&fields("data.age=5&data.ok=on&kind=person")).unwrap(),
        Message::Person { age: 5, ok: true }
    );
    assert_eq!(decode::<Message>(&fields("kind=nothing")).unwrap(), Message::Nothing);
}

#[test]
fn a_strict_type_gets_no_fields_but_its_own() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind", deny_unknown_fields)]
    enum Strict {
        A { id: u8 },
    }
    let form = fields("kind=A&id=5&_csrf=x&address.town=y");
    assert_eq!(decode::<Strict>(&form).unwrap(), Strict::A { id: 5 });
}

#[test]
fn files_are_read_by_such_types_too() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "kind")]
    enum Upload {
        One { picture: File, width: u16 },
        Many { pictures: Vec<File> },
        Both { first: File, others: Vec<File>, town: Town, last: File },
    }
    let file = |name: &str| File::new(name, "image/png", name.to_owned());
    let form = |fields: Vec<(&'static str, FormValue)>| {
        decode::<Upload>(&RawInput::Form(fields.into_iter().collect())).unwrap()
    };
    assert_eq!(
        form(vec![("kind", "One".into()), ("picture", file("a").into()), ("width", "640".into())]),
        Upload::One { picture: file("a"), width: 640 }
    );
    assert_eq!(
        form(vec![
            ("kind", "Many".into()),
            ("pictures", file("a").into()),
            ("pictures", file("b").into())
        ]),
        Upload::Many { pictures: vec![file("a"), file("b")] }
    );
    let upload = [
        ("kind", FormValue::from("One")),
        ("picture", file("a").into()),
        ("width", file("b").into()),
    ];
    same(
        issues::<Upload>(&RawInput::Form(upload.into_iter().collect())),
        &[("[]", "This is not valid.")],
    );
    same(issues::<Upload>(&fields("kind=One&width=5")), &[(r#"["picture"]"#, "This is required.")]);
    assert_eq!(
        form(vec![
            ("kind", "Both".into()),
            ("town.name", "Bergen".into()),
            ("first", file("a").into()),
            ("last", file("c").into()),
            ("others", file("b").into()),
        ]),
        Upload::Both {
            first: file("a"),
            others: vec![file("b")],
            town: Town { name: "Bergen".into(), code: None },
            last: file("c"),
        }
    );
}

#[test]
fn a_type_that_no_form_can_be_is_at_fault_and_not_the_person() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Towns {
        towns: Vec<Town>,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Lists {
        lists: Vec<Vec<u8>>,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    enum Outside {
        A { id: u8 },
        B(u8),
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Choice {
        choice: Outside,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        #[serde(flatten)]
        towns: Towns,
    }
    fn reason<T: DeserializeOwned + std::fmt::Debug>(form: &str) -> String {
        let error = decode::<T>(&fields(form)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InternalServerError, "{error:?}");
        assert_eq!(error.message(), "Something went wrong on our side.");
        error.source().unwrap().to_string()
    }
    assert!(reason::<Towns>("towns=a").contains("a list of objects"));
    assert!(reason::<Lists>("lists=a").contains("a list of lists"));
    assert!(reason::<Choice>("choice=A").contains("choice"));
    for reason in [
        reason::<Outside>("A=1"),
        reason::<Vec<u8>>("a=1"),
        reason::<String>("a=1"),
        reason::<u8>("a=1"),
        reason::<Flat>("towns=a"),
    ] {
        assert!(reason.contains("a form cannot be read into"), "{reason}");
    }
}

#[test]
fn many_fields_that_are_read_at_once_are_given_up_in_time() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Rest {
        #[serde(flatten)]
        rest: HashMap<String, u8>,
    }
    let many: String = (0..60_000).map(|number| format!("a{number}=1&")).collect();
    let error = decode::<Rest>(&fields(&many)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert!(!error.is_input_error());
}

proptest! {
    #[test]
    fn no_form_is_too_strange_for_such_types(pairs in prop::collection::vec(
        ("kind|name|age|ok|tags|town\\.name|town|edit\\.kind|side|[a-z.\\[\\]]{0,6}", "create|update|5|x||true"), 0..12,
    )) {
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), FormValue::Text(value.clone())));
        let form = RawInput::Form(pairs.collect());
        let _ = decode::<Edit>(&form);
        let _ = decode::<Outer>(&form);
    }
}
