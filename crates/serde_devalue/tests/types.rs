//! The table of the crate's documentation: Rust's types and what devalue has for them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Debug,
};

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::Error as _};
use serde_devalue::{
    ArrayBuffer, BigInt, Date, JsString, Map, Object, Options, RegExp, Set, Temporal, TemporalKind,
    TypedArray, Undefined, Url, UrlSearchParams, Value, ViewKind, from_str, from_value, to_string,
    to_value,
};

/// The value is written as the text, and read from it; also by way of `Value`.
#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, text: &str) {
    assert_eq!(to_string(&value).unwrap(), text);
    assert_eq!(from_str::<T>(text).unwrap(), value);
    assert_eq!(from_value::<T>(to_value(&value).unwrap()).unwrap(), value);
}

/// The text is read as the value.
#[track_caller]
fn check_read<T: DeserializeOwned + PartialEq + Debug>(text: &str, value: T) {
    assert_eq!(from_str::<T>(text).unwrap(), value);
}

#[track_caller]
fn check_error<T: DeserializeOwned + Debug>(text: &str, path: &str) {
    let error = from_str::<T>(text).unwrap_err();
    assert!(error.is_data(), "{error}");
    assert_eq!(error.path(), path, "{error}");
}

#[test]
fn primitives() {
    check(true, "[true]");
    check("x".to_owned(), r#"["x"]"#);
    check('é', r#"["é"]"#);
    check(-7i8, "[-7]");
    check(1u64 << 53, "[9007199254740992]");
    check(-0.5f32, "[-0.5]");
    check(f64::NEG_INFINITY, "-5");
    check((), "[null]");
    check(Undefined, "-1");
    check(JsString::from_utf16(vec![0xdc00]), r#"["\udc00"]"#);
    assert_eq!(to_string(&0.1f32).unwrap(), "[0.10000000149011612]");
    assert!(from_str::<f64>("-3").unwrap().is_nan());
    assert!(from_str::<f64>("-6").unwrap().is_sign_negative());
    check_read("[3]", 3.0f64);
    check_error::<u8>("[256]", "");
    check_error::<u8>("[1.5]", "");
    check_error::<String>(r#"["\ud800"]"#, "");
}

#[test]
fn integers_beyond_2_53_are_never_silently_changed() {
    for error in [
        to_string(&[u64::MAX]).unwrap_err(),
        to_string(&[(1i64 << 53) + 1]).unwrap_err(),
        to_string(&[i128::MIN]).unwrap_err(),
        to_string(&[u128::MAX]).unwrap_err(),
    ] {
        assert_eq!(error.path(), "[0]");
        assert!(error.to_string().contains("serde_devalue::bigint"), "{error}");
    }
    let lossy = Options::new().lossy_integers(true);
    assert_eq!(lossy.to_string(&u64::MAX).unwrap(), "[18446744073709552000]");
    check_error::<u64>("[18446744073709552000]", "");
    check_error::<i64>("[9007199254740994]", "");

    check(BigInt::from(-5), r#"[["BigInt","-5"]]"#);
    check_read(r#"[["BigInt","18446744073709551615"]]"#, u64::MAX);
    check_read(r#"[["BigInt","-170141183460469231731687303715884105728"]]"#, i128::MIN);
    check_read(r#"[["BigInt","340282366920938463463374607431768211455"]]"#, u128::MAX);
    check_error::<i64>(r#"[["BigInt","18446744073709551615"]]"#, "");
    check_read("[7]", BigInt::from(7));
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
struct Optional {
    a: Option<u8>,
    #[serde(with = "serde_devalue::undefined", default)]
    b: Option<u8>,
    #[serde(with = "serde_devalue::bigint::option", default)]
    c: Option<u64>,
}

#[test]
fn none_is_null_undefined_or_missing() {
    let none = Optional::default();
    check(Optional::default(), r#"[{"a":1,"b":-1,"c":1},null]"#);
    check_read("[{}]", Optional { a: None, b: None, c: None });
    check_read(r#"[{"a":-1,"b":1,"c":-1},null]"#, Optional::default());
    check(
        Optional { a: Some(1), b: Some(2), c: Some(3) },
        r#"[{"a":1,"b":2,"c":3},1,2,["BigInt","3"]]"#,
    );
    let undefined = Options::new().none_as_undefined(true);
    assert_eq!(undefined.to_string(&none).unwrap(), r#"[{"a":-1,"b":-1,"c":-1}]"#);
}

#[test]
fn objects_and_maps() {
    check(BTreeMap::from([("b".to_owned(), 1), ("a".to_owned(), 1)]), r#"[{"a":1,"b":1},1]"#);
    check(BTreeMap::from([(2, 'x'), (1, 'y')]), r#"[["Map",1,2,3,4],1,"y",2,"x"]"#);
    check(BTreeMap::<String, u8>::new(), "[{}]");
    check(Map(BTreeMap::<String, u8>::new()), r#"[["Map"]]"#);
    check(Map(BTreeMap::from([("k".to_owned(), 1)])), r#"[["Map",1,2],"k",1]"#);
    check_read(r#"[["null","a",1],2]"#, HashMap::from([("a".to_owned(), 2)]));
    check_read(r#"[["Map",1,2],"a",2]"#, HashMap::from([("a".to_owned(), 2)]));
    check_read(r#"[{"10":1},true]"#, HashMap::from([(10u8, true)]));
    // The last of equal keys wins, in the place of the first.
    check_read(
        r#"[{"a":1,"b":2,"a":2},1,2]"#,
        BTreeMap::<String, u8>::from([("a".into(), 2), ("b".into(), 2)]),
    );

    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(untagged)]
    enum Key {
        Name(&'static str),
        Number(u8),
    }
    let mixed = BTreeMap::from([(Key::Name("a"), 1), (Key::Number(1), 2)]);
    assert!(to_string(&mixed).unwrap_err().to_string().contains("serde_devalue::map"));
}

#[test]
fn keys_that_are_array_indices_come_first() {
    let map = BTreeMap::from([("10", [1].as_slice()), ("9", &[2, 1]), ("x", &[3]), ("01", &[])]);
    let text = r#"[{"9":1,"10":4,"01":5,"x":6},[2,3],2,1,[3],[],[7],3]"#;
    assert_eq!(to_string(&map).unwrap(), text);
    assert_eq!(to_string(&from_str::<Value>(text).unwrap()).unwrap(), text);
}

#[test]
fn sequences_and_sets() {
    check(vec![1, 2, 1], "[[1,2,1],1,2]");
    check((1, "x".to_owned(), [true; 2]), r#"[[1,2,3],1,"x",[4,4],true]"#);
    check(Set(BTreeSet::from([2, 1])), r#"[["Set",1,2],1,2]"#);
    check(Set([1, 2]), r#"[["Set",1,2],1,2]"#);
    check_read("[[1,1],1]", BTreeSet::from([1]));
    check_read("[[1,-2,-1,1],1]", vec![Some(1), None, None, Some(1)]);
    check_error::<(u8, u8)>("[[1,1,1],1]", "");
    check_error::<Vec<u8>>(r#"[[1,2],1,"x"]"#, "[1]");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    Empty,
    Circle(f64),
    Line(u8, u8),
    Rectangle { width: u8, height: u8 },
}

#[test]
fn enums() {
    check(Shape::Empty, r#"["Empty"]"#);
    check(Shape::Circle(0.5), r#"[{"Circle":1},0.5]"#);
    check(Shape::Line(1, 2), r#"[{"Line":1},[2,3],1,2]"#);
    check(
        Shape::Rectangle { width: 1, height: 2 },
        r#"[{"Rectangle":1},{"width":2,"height":3},1,2]"#,
    );
    check(vec![Shape::Empty, Shape::Empty], r#"[[1,1],"Empty"]"#);
    check_error::<Shape>(r#"[{"Circle":1},"x"]"#, ".Circle");
    check_error::<Shape>(r#"[{"Circle":1,"Empty":1},1]"#, "");
    check_error::<Shape>(r#"["Square"]"#, "");

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "type")]
    enum Event {
        Seen { at: Date, count: u8 },
    }
    check(
        Event::Seen { at: Date::from_millis(0.0), count: 1 },
        r#"[{"type":1,"at":2,"count":3},"Seen",["Date","1970-01-01T00:00:00.000Z"],1]"#,
    );
}

#[test]
fn bytes() {
    check(serde_bytes::ByteBuf::from([1, 2]), r#"[["Uint8Array",1],["ArrayBuffer","AQI="]]"#);
    check(ArrayBuffer(vec![255]), r#"[["ArrayBuffer","/w=="]]"#);
    check(
        TypedArray::new(ViewKind::DataView, vec![1]),
        r#"[["DataView",1],["ArrayBuffer","AQ=="]]"#,
    );
    let middle = r#"[["Int16Array",1,2,2],["ArrayBuffer","AQACAAMABAA="]]"#;
    check_read(middle, vec![2i16, 3]);
    check_read(r#"[["Uint8Array",1,1,1],["ArrayBuffer","AQI="]]"#, vec![2u8]);
    check_read(r#"[["Float16Array",1],["ArrayBuffer","ADw="]]"#, vec![1.0f32]);
    check_read("[[1,2],1,2]", serde_bytes::ByteBuf::from([1, 2]));
}

#[test]
fn dates_and_others() {
    check(Date::INVALID, r#"[["Date",""]]"#);
    check_read("[0]", Date::from_millis(0.0));
    check_read(r#"["1970-01-01"]"#, Date::from_millis(0.0));
    check_error::<Date>(r#"["tomorrow"]"#, "");
    check_read(r#"[["Date","1970-01-01T00:00:00.000Z"]]"#, "1970-01-01T00:00:00.000Z".to_owned());
    check(RegExp::new("a/b", "gi").unwrap(), r#"[["RegExp","a\\/b","gi"]]"#);
    check(UrlSearchParams::new("?a=1"), r#"[["URLSearchParams","a=1"]]"#);
    let temporal = Temporal::new(TemporalKind::PlainDate, "1999-09-29").unwrap();
    check(temporal, r#"[["Temporal.PlainDate","1999-09-29"]]"#);
    check(Url::parse("https://e.com").unwrap(), r#"[["URL","https://e.com/"]]"#);
    check_read(r#"[["URL",1],"https://e.com/"]"#, Url::parse("https://e.com").unwrap());
    check_read(r#"[["Object",1],"x"]"#, "x".to_owned());
}

#[test]
fn astro_writes_what_every_node_reads() {
    let astro = Options::astro();
    let temporal = Temporal::new(TemporalKind::PlainDate, "1999-09-29").unwrap();
    let error = astro.to_string(&[temporal]).unwrap_err();
    assert_eq!(error.path(), "[0]");
    assert!(error.to_string().contains("Temporal"), "{error}");
    let half = TypedArray::new(ViewKind::Float16Array, vec![0, 60]);
    assert!(astro.to_string(&half).unwrap_err().to_string().contains("Float16Array"));
}

#[cfg(feature = "jiff")]
#[test]
fn moments_of_jiff() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Moments(
        #[serde(with = "serde_devalue::jiff")] jiff::Timestamp,
        #[serde(with = "serde_devalue::jiff::option")] Option<jiff::Timestamp>,
    );
    let moment: jiff::Timestamp = "1969-12-31T23:59:59.999Z".parse().unwrap();
    check(Moments(moment, None), r#"[[1,2],["Date","1969-12-31T23:59:59.999Z"],null]"#);
    check_read("[[1,1],-1]", Moments(moment, Some(moment)));
    check_error::<Moments>(r#"[[1,1],["Date",""]]"#, "[0]");
}

#[cfg(feature = "chrono")]
#[test]
fn moments_of_chrono() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Moments(
        #[serde(with = "serde_devalue::chrono")] chrono::DateTime<chrono::Utc>,
        #[serde(with = "serde_devalue::chrono::option")]
        Option<chrono::DateTime<chrono::FixedOffset>>,
    );
    let moment = chrono::DateTime::from_timestamp_millis(-1).unwrap();
    let text = r#"[[1,2],["Date","1969-12-31T23:59:59.999Z"],["Date","1969-12-31T23:59:59.999Z"]]"#;
    check(Moments(moment, Some(moment.into())), text);
}

#[cfg(feature = "time")]
#[test]
fn moments_of_time() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Moments(
        #[serde(with = "serde_devalue::time")] time::OffsetDateTime,
        #[serde(with = "serde_devalue::time::option")] Option<time::UtcDateTime>,
    );
    let moment = time::OffsetDateTime::UNIX_EPOCH;
    check(Moments(moment, None), r#"[[1,2],["Date","1970-01-01T00:00:00.000Z"],null]"#);
}

#[test]
fn values_are_built_shared_and_cyclic() {
    let object = Object::from([
        ("self", Value::Reference(0)),
        ("tags", Value::Shared(1, Box::new(Value::Set(vec![1.into()])))),
        ("again", Value::Reference(1)),
    ]);
    let value = Value::Shared(0, Box::new(Value::Object(object)));
    let text = r#"[{"self":0,"tags":1,"again":1},["Set",2],1]"#;
    assert_eq!(to_string(&value).unwrap(), text);
    assert_eq!(from_str::<Value>(text).unwrap(), value);

    assert!(to_string(&Value::Reference(0)).unwrap_err().is_data());
    assert!(to_string(&Value::Shared(0, Box::new(Value::Null))).unwrap_err().is_data());
    assert!(to_string(&Value::Boxed(Box::new(Value::Null))).unwrap_err().is_data());
    // Each value is a tree of its own.
    let both: Vec<Value> = from_str(r#"[[1,1],[2],"x"]"#).unwrap();
    assert_eq!(both[0], both[1]);
    assert_eq!(to_string(&both).unwrap(), r#"[[1,3],[2],"x",[2]]"#);
}

#[test]
fn custom_types_are_read_where_their_tags_are_named() {
    let text = r#"[{"b":1,"a":3},["Vec2",2],[3,3],1]"#;
    assert!(from_str::<Value>(text).unwrap_err().to_string().contains("Vec2"));
    let value: Value = Options::new().custom_tags(&["Vec2"]).from_str(text).unwrap();
    assert!(matches!(value.get("b"), Some(Value::Custom(custom)) if custom.tag == "Vec2"));
    assert_eq!(to_string(&value).unwrap(), text);
    assert_eq!(to_value(&value).unwrap(), value);
    assert_eq!(
        from_value::<BTreeMap<String, Value>>(value.clone()).unwrap()["b"],
        value.get("b").cloned().unwrap()
    );
    // Also where the order of keys makes the text be written twice.
    let map = BTreeMap::from([("10", &value), ("9", &Value::Null)]);
    let text = to_string(&map).unwrap();
    assert!(text.starts_with(r#"[{"9":1,"10":2},null,{"b":3,"#), "{text}");
}

#[test]
fn other_formats_see_what_they_have_words_for() {
    let text = r#"[{"d":1,"u":-1,"s":2,"b":4},["Date",""],["Set",3],"x",["BigInt","5"]]"#;
    let value: Value = from_str(text).unwrap();
    let json = r#"{"d":"","u":null,"s":["x"],"b":"5"}"#;
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    assert_eq!(
        serde_json::from_str::<Value>("[1,null,\"x\"]").unwrap(),
        Value::from(vec![1.into(), Value::Null, "x".into()])
    );
    assert!(serde_json::to_string(&from_str::<Value>("[[0]]").unwrap()).is_err());
    assert_eq!(serde_json::from_str::<Date>("\"1970-01-01\"").unwrap(), Date::from_millis(0.0));
}

/// A value that cannot be written, like a function in JavaScript.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("cannot be written"))
    }
}

/// The paths of the `stringify_errors` vectors. Their symbols, thenables and class instances have no like in Rust.
#[test]
fn errors_of_writing_have_the_paths_of_javascript() {
    #[derive(Serialize)]
    struct Outer<T> {
        object: T,
    }
    #[derive(Serialize)]
    struct Inner<T> {
        array: [T; 1],
    }
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    struct ObjectKey {}
    let path = |error: serde_devalue::Result<String>| error.unwrap_err().path().to_owned();

    let nested = Outer { object: Inner { array: [Unwritable] } };
    assert_eq!(path(to_string(&nested)), ".object.array[0]");
    assert_eq!(path(to_string(&Outer { object: Unwritable })), ".object");
    assert_eq!(path(to_string(&Map(BTreeMap::from([("key", Unwritable)])))), r#".get("key")"#);
    assert_eq!(path(to_string(&BTreeMap::from([(1, Unwritable)]))), ".get(1)");
    let by_object = Map(BTreeMap::from([(ObjectKey {}, Unwritable)]));
    assert_eq!(path(to_string(&by_object)), ".get(...)");
    assert_eq!(path(to_string(&BTreeMap::from([("a b", Unwritable)]))), r#"["a b"]"#);
    let proto = BTreeMap::from([("a", BTreeMap::from([("__proto__", 1)]))]);
    assert_eq!(path(to_string(&proto)), ".a");
    assert_eq!(path(to_string(&Unwritable)), "");
    assert_eq!(path(to_string(&[Set([Unwritable])])), "[0]");
}

#[test]
fn errors_of_reading_have_paths_too() {
    type Users = HashMap<String, Vec<BTreeMap<u8, bool>>>;
    check_error::<Users>(r#"[{"users":1},[2],["Map",3,4],7,"x"]"#, ".users[0].get(7)");
}

#[test]
fn an_error_in_a_text_without_slots_names_the_byte() {
    let error = serde_devalue::from_str::<Vec<u8>>(" -3").unwrap_err();
    assert_eq!((error.slot(), error.offset()), (None, Some(1)));
}
