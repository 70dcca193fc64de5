//! What hostile or extreme input may cost.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_devalue::{Options, Value, from_str, to_string, to_value};

/// Three quarters of the stack that a thread has in most servers, which leaves one to those who call. `cargo xtask test`
/// runs these tests without optimisation too, as a dependant's own are, where frames are largest.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(3 << 19).spawn(test).unwrap().join().unwrap();
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Nested {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inner: Option<Box<Nested>>,
}

#[derive(Serialize, Deserialize, Debug)]
enum Chain {
    End,
    Link(Box<Chain>),
    Named { next: Box<Chain> },
    Pair(u8, Box<Chain>),
}

/// `levels` containers, each in the one before.
fn nested(levels: usize, container: impl Fn(usize) -> String) -> String {
    let slots: Vec<_> = (1..=levels).map(container).collect();
    format!("[{},null]", slots.join(","))
}

#[test]
fn values_nest_500_deep_and_no_deeper() {
    on_a_small_stack(|| {
        for container in [
            (|inner| format!("[{inner}]")) as fn(usize) -> String,
            |inner| format!("{{\"a\":{inner}}}"),
            |inner| format!("[\"Map\",{inner},{inner}]"),
            |inner| format!("[\"Set\",{inner}]"),
            |inner| format!("[-7,1000,5,{inner}]"),
            |inner| format!("[\"null\",\"a\",{inner}]"),
        ] {
            let text = nested(Options::MAX_DEPTH, container);
            let value: Value = from_str(&text).unwrap();
            assert_eq!(to_string(&value).unwrap(), text);

            let text = nested(Options::MAX_DEPTH + 1, container);
            assert!(from_str::<Value>(&text).unwrap_err().is_limit());
            let deeper = Value::Array(vec![value]);
            assert!(to_string(&deeper).unwrap_err().is_limit());
        }
    });
}

#[test]
fn all_that_is_done_with_a_deep_value_fits_a_small_stack() {
    on_a_small_stack(|| {
        for container in [
            (|inner| format!("[{inner}]")) as fn(usize) -> String,
            |inner| format!("[{inner},{inner}]"),
            |inner| format!("{{\"a\":{inner}}}"),
            |inner| format!("[\"Map\",{inner},{inner}]"),
            |inner| format!("[\"Set\",{inner}]"),
            |inner| format!("[-7,1000,5,{inner}]"),
            |inner| format!("[\"null\",\"a\",{inner}]"),
        ] {
            let value: Value = from_str(&nested(Options::MAX_DEPTH, container)).unwrap();
            let copy = value.clone();
            assert!(copy == value);
            assert!(format!("{copy:?}").len() > Options::MAX_DEPTH);
            drop(copy);
            assert_eq!(to_string(&[&value]).unwrap_err().path().get(..3), Some("[0]"));
            // What is shared has no form in JSON.
            let _ = serde_json::to_string(&value);
        }
    });
}

/// Buffered by serde, and read out of the buffer.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
#[allow(dead_code, reason = "only that it can be read matters")]
enum Buffered {
    List(Vec<Buffered>),
    Object(BTreeMap<String, Buffered>),
    Nothing(Option<bool>),
}

#[test]
fn types_of_others_nest_as_deep() {
    on_a_small_stack(|| {
        for container in [(|inner| format!("[{inner}]")) as fn(usize) -> String, |inner| {
            format!("{{\"a\":{inner}}}")
        }] {
            let text = nested(Options::MAX_DEPTH, container);
            let value: serde_json::Value = from_str(&text).unwrap();
            assert_eq!(to_string(&value).unwrap(), text);
            from_str::<Buffered>(&text).unwrap();
            let text = nested(Options::MAX_DEPTH + 1, container);
            assert!(from_str::<serde_json::Value>(&text).unwrap_err().is_limit());
            assert!(from_str::<Buffered>(&text).unwrap_err().is_limit());
        }
    });
}

#[test]
fn types_nest_500_deep_and_no_deeper() {
    on_a_small_stack(|| {
        let mut value = Nested { inner: None };
        for _ in 1..Options::MAX_DEPTH {
            value = Nested { inner: Some(Box::new(value)) };
        }
        let text = to_string(&value).unwrap();
        assert_eq!(from_str::<Nested>(&text).unwrap(), value);

        let deeper = Nested { inner: Some(Box::new(value)) };
        assert!(to_string(&deeper).unwrap_err().is_limit());
        let text = nested(Options::MAX_DEPTH + 1, |inner| format!("{{\"inner\":{inner}}}"));
        assert!(from_str::<Nested>(&text).unwrap_err().is_limit());
    });
}

#[test]
fn enums_nest_as_deep_as_their_objects() {
    on_a_small_stack(|| {
        let mut value = Chain::End;
        for level in 0..Options::MAX_DEPTH / 2 {
            value = match level % 3 {
                0 => Chain::Link(Box::new(value)),
                1 => Chain::Named { next: Box::new(value) },
                _ => Chain::Pair(1, Box::new(value)),
            };
        }
        let text = to_string(&value).unwrap();
        from_str::<Chain>(&text).unwrap();
        let text = nested(Options::MAX_DEPTH + 1, |inner| format!("{{\"Link\":{inner}}}"));
        assert!(from_str::<Chain>(&text).unwrap_err().is_limit());
    });
}

#[test]
fn a_cycle_is_an_error_in_a_type_that_cannot_hold_it() {
    let error = from_str::<Nested>(r#"[{"inner":1},{"inner":0}]"#).unwrap_err();
    assert!(error.is_data());
    assert_eq!(error.path(), ".inner.inner");
    assert!(error.to_string().contains("contains itself"), "{error}");
}

/// Each array holds the next one twice: 2^30 leaves in 220 bytes.
#[test]
fn shared_references_cannot_expand_without_bound() {
    let mut text = String::from("[");
    for inner in 1..=30 {
        text += &format!("[{inner},{inner}],");
    }
    text += "0]";

    let value: Value = from_str(&text).unwrap();
    assert_eq!(to_string(&value).unwrap(), text);

    #[derive(Deserialize, Debug)]
    #[serde(untagged)]
    enum Tree {
        #[expect(dead_code, reason = "only its size matters")]
        Leaf(u8),
        #[expect(dead_code, reason = "only its size matters")]
        Branch(Vec<Tree>),
    }
    assert!(from_str::<Tree>(&text).unwrap_err().is_limit());
}

#[test]
fn a_shared_string_cannot_be_copied_without_bound() {
    let text = format!("[[{}],\"{}\"]", vec!["1"; 10_000].join(","), "x".repeat(10_000));
    assert!(from_str::<Vec<String>>(&text).unwrap_err().is_limit());
    assert!(from_str::<Value>(&text).unwrap_err().is_limit());
}

#[test]
fn views_of_one_buffer_cannot_be_copied_without_bound() {
    let views = vec![r#"["Uint8Array",1]"#; 1000].join(",");
    let references: Vec<_> = (2..1002).map(|slot| slot.to_string()).collect();
    let buffer = "A".repeat(100_000);
    let text = format!("[[{}],[\"ArrayBuffer\",\"{buffer}\"],{views}]", references.join(","));
    assert!(from_str::<Vec<serde_bytes::ByteBuf>>(&text).unwrap_err().is_limit());

    // A `Value` has the buffer once.
    let value: Value = from_str(&text).unwrap();
    assert_eq!(value.as_array().map(<[Value]>::len), Some(1000));
}

#[test]
fn a_declared_length_allocates_nothing() {
    let text = "[[-7,4294967295,4294967294,1],true]";
    let value: Value = from_str(text).unwrap();
    assert_eq!(to_string(&value).unwrap(), text);
    assert!(from_str::<Vec<Option<bool>>>(text).unwrap_err().is_limit());
    // Short ones are filled.
    assert_eq!(
        from_str::<Vec<Option<bool>>>("[[-7,5,3,1],true]").unwrap(),
        [None, None, None, Some(true), None],
    );
}

#[test]
fn a_bigint_has_a_limited_number_of_digits() {
    let digits = serde_devalue::bigint::MAX_DIGITS;
    let text = |digits: usize| format!("[[\"BigInt\",\"{}\"]]", "9".repeat(digits));
    from_str::<Value>(&text(digits)).unwrap();
    assert!(from_str::<Value>(&text(digits + 1)).is_err());
}

#[test]
fn slots_that_nothing_refers_to_must_be_json_too() {
    for text in ["[1,01]", "[1,\"\\x\"]", "[1,[0,]]", "[1,{\"a\"}]", "[1,nul]"] {
        assert!(from_str::<u8>(text).unwrap_err().is_syntax(), "{text}");
        assert!(from_str::<Value>(text).unwrap_err().is_syntax(), "{text}");
    }
    assert_eq!(from_str::<u8>(r#"[1,{"bad":99}]"#).unwrap(), 1);
}

#[test]
fn proto_keys_are_refused_in_both_directions() {
    for text in
        [r#"[{"__proto__":1},2]"#, r#"[{"\u005f_proto__":1},2]"#, r#"[["null","__proto__",1],2]"#]
    {
        let error = from_str::<BTreeMap<String, u8>>(text).unwrap_err();
        assert!(error.to_string().contains("__proto__"), "{error}");
        assert!(from_str::<Value>(text).is_err());
    }
    let map = BTreeMap::from([("a", BTreeMap::from([("__proto__", 1)]))]);
    assert_eq!(to_string(&map).unwrap_err().path(), ".a");
    assert_eq!(to_value(&map).unwrap_err().path(), ".a");
    // As a Map's key it is harmless.
    let map = serde_devalue::Map(BTreeMap::from([("__proto__", 1)]));
    assert_eq!(to_string(&map).unwrap(), r#"[["Map",1,2],"__proto__",1]"#);
}
