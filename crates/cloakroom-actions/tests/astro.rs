//! Forms as Astro's own actions read them: the same values, and the same places where something is wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use cloakroom_actions::{FormValue, FromInput, RawInput};
use interop_peers::NodeServer;
use proptest::sample::select;
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Edit {
    Create {
        name: String,
        age: f64,
        ok: bool,
        tags: Vec<String>,
        sizes: Vec<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        opt: Option<f64>,
    },
    Update {
        id: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        town: Option<Town>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Town {
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Page {
    title: String,
    edit: Edit,
}

#[derive(Debug, Serialize, Deserialize)]
struct Defaults {
    #[serde(default = "yes")]
    news: bool,
    #[serde(default = "first")]
    tags: Vec<String>,
    #[serde(default = "name")]
    name: String,
    plain: bool,
    list: Vec<f64>,
}

fn yes() -> bool {
    true
}

fn first() -> Vec<String> {
    vec!["a".to_owned()]
}

fn name() -> String {
    "n".to_owned()
}

#[derive(Debug, Serialize, Deserialize)]
struct Names {
    #[serde(rename = "user[name]")]
    name: String,
    #[serde(rename = "user[age]")]
    age: f64,
    #[serde(rename = "a.b")]
    ab: String,
    #[serde(rename = "tags[]")]
    tags: Vec<f64>,
    c: Inner,
}

#[derive(Debug, Serialize, Deserialize)]
struct Inner {
    #[serde(rename = "d[]")]
    d: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Number {
    value: f64,
}

/// The fields of a form.
type Form = Vec<(&'static str, String)>;

/// What Astro makes of each of these forms.
fn theirs(node: &NodeServer, kind: &str, forms: &[Form]) -> Vec<Value> {
    let forms: Vec<_> = forms.iter().map(|form| (kind, form)).collect();
    serde_json::from_value(node.ask(&json!(forms))).unwrap()
}

fn ours<T: FromInput + Serialize>(form: &Form) -> Value {
    let fields = form.iter().map(|(name, text)| (*name, FormValue::Text(text.clone())));
    match T::from_input(&RawInput::Form(fields.collect())) {
        Ok(value) => json!({ "value": value }),
        Err(error) => {
            assert!(error.is_input_error(), "{error:?} {form:?}");
            json!({ "places": error.issues().iter().map(|issue| &issue.path).collect::<Vec<_>>() })
        }
    }
}

/// JavaScript has one kind of number, and serde reads a tagged type in the order of the form.
fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Number(number) => json!(number.as_f64()),
        Value::String(text) => match text.strip_prefix('#') {
            Some(number) => json!(number.parse::<f64>().unwrap()),
            None => value,
        },
        Value::Array(values) => values.drain(..).map(plain).collect(),
        Value::Object(fields) => {
            if let Some(Value::Array(places)) = fields.get_mut("places") {
                places.sort_by_cached_key(ToString::to_string);
            }
            let fields = std::mem::take(fields).into_iter();
            Value::Object(fields.map(|(name, value)| (name, plain(value))).collect())
        }
        _ => value,
    }
}

/// Names, and the texts that they can have.
type Fields = [(&'static str, &'static [&'static str])];

fn field(fields: &Fields) -> impl Strategy<Value = (&'static str, String)> + use<> {
    select(fields.to_vec()).prop_flat_map(|(name, texts)| {
        select(texts.to_vec()).prop_map(move |text| (name, text.to_owned()))
    })
}

fn same_forms<T: FromInput + Serialize>(kind: &str, forms: impl Strategy<Value = Form>) {
    let Some(node) = NodeServer::start("astro-forms", "astro", &[]) else { return };
    let mut runner = TestRunner::deterministic();
    let forms: Vec<Form> =
        (0..400).map(|_| forms.new_tree(&mut runner).unwrap().current()).collect();
    for (form, theirs) in forms.iter().zip(theirs(&node, kind, &forms)) {
        assert_eq!(plain(ours::<T>(form)), plain(theirs), "{form:?}");
    }
}

fn same<T: FromInput + Serialize>(kind: &str, fields: &Fields, most: usize) {
    same_forms::<T>(kind, proptest::collection::vec(field(fields), 0..most));
}

const TEXTS: &[&str] = &["", "x", "5", "true"];
const NUMBERS: &[&str] = &["5", "-1.5", "0x10", "1e3", " 7\t", "\u{feff}5", "\u{85}5", "x", "true"];
const BOXES: &[&str] = &["", "on", "true", "false", "5"];

#[test]
fn a_tagged_enum_is_read_by_its_discriminator() {
    let fields: &Fields = &[
        ("kind", &["create", "update", "update", "nope"]),
        ("name", TEXTS),
        ("age", NUMBERS),
        ("ok", BOXES),
        ("tags", TEXTS),
        ("sizes", NUMBERS),
        ("opt", NUMBERS),
        ("id", NUMBERS),
        ("town.name", &["x", "5"]),
    ];
    same::<Edit>("edit", fields, 12);
}

#[test]
fn a_tagged_enum_is_read_by_its_discriminator_where_it_is_a_field() {
    // Where the discriminator is none of those that there are Astro names the field that has it, and we the discriminator.
    let kind: &Fields = &[("edit.kind", &["create", "update"])];
    let fields: &Fields = &[
        ("title", TEXTS),
        ("edit.name", TEXTS),
        ("edit.age", NUMBERS),
        ("edit.ok", BOXES),
        ("edit.tags", TEXTS),
        ("edit.sizes", NUMBERS),
        ("edit.id", NUMBERS),
        ("edit.town.name", &["x", "5"]),
    ];
    let others = proptest::collection::vec(field(fields), 0..10);
    let form = (field(kind), others).prop_map(|(kind, others)| [vec![kind], others].concat());
    same_forms::<Page>("page", form);
    same::<Page>("page", &[("title", TEXTS)], 2);
}

#[test]
fn defaults_count_where_the_form_has_neither_the_name_nor_one_below_it() {
    let fields: &Fields = &[
        ("news", BOXES),
        ("news.x", &["1"]),
        ("tags", TEXTS),
        ("tags.x", &["1"]),
        ("name", &["x", "5"]),
        ("plain", BOXES),
        ("list", NUMBERS),
        ("other", TEXTS),
    ];
    same::<Defaults>("defaults", fields, 6);
}

#[test]
fn names_with_brackets_and_dots_are_names() {
    let fields: &Fields = &[
        ("user[name]", TEXTS),
        ("user[age]", NUMBERS),
        ("user", TEXTS),
        ("a.b", TEXTS),
        ("a", TEXTS),
        ("tags[]", NUMBERS),
        ("tags", NUMBERS),
        ("c.d[]", TEXTS),
        ("c", TEXTS),
    ];
    same::<Names>("names", fields, 12);
}

#[test]
fn numbers_are_what_javascript_makes_of_a_text() {
    let letters: &[&str] = &[
        "1",
        "2",
        "0",
        "x",
        "e",
        ".",
        "-",
        "+",
        " ",
        "\u{feff}",
        "\u{85}",
        "\u{a0}",
        "0x",
        "0b",
        "0o",
        "f",
        "_",
        "ffffffffffffffffff",
        "12345678901234567890",
        "\u{2028}",
        "\u{180e}",
        "\u{200b}",
    ];
    let text = proptest::collection::vec(select(letters.to_vec()), 1..5);
    let text = text.prop_map(|letters| letters.concat());
    // DIFFERENCE: nothing but spaces is no number here.
    let spaces = ['\u{feff}', '\u{a0}', '\u{2028}', ' '];
    let text = text.prop_filter("spaces", move |text| !text.trim_matches(spaces).is_empty());
    same_forms::<Number>("number", text.prop_map(|text| vec![("value", text)]));
}
