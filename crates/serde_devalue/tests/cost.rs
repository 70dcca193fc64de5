//! What a small text may cost that refers to one slot again and again: memory within a stated bound, whatever the slot
//! and the type that it is read into, and work within the budget, whose end is an error.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, de::DeserializeOwned};
use serde_devalue::{Flat, Index, Options, Value, from_str, to_string};

/// The most memory that `read` held at once, in bytes.
fn peak(read: impl FnOnce()) -> usize {
    allocation_counter::measure(read).bytes_max as usize
}

/// Small enough that thousands of readings are quick.
const ALLOWANCE: usize = 1 << 16;
const OPTIONS: Options = Options::new().allowance(ALLOWANCE).custom_tags(&["Custom"]);

/// What reading a text may take: what the allowance and the text pay for, and as much again, because collections grow
/// by doubling, and serde's buffers hold what is then read out of them.
fn bound(text: &str) -> usize {
    4 * (ALLOWANCE + 32 * text.len())
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only what they cost matters")]
enum Untagged {
    Number(f64),
    Text(String),
    List(Vec<Untagged>),
    Object(HashMap<String, Untagged>),
    Nothing(Option<bool>),
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only what they cost matters")]
struct Flattened {
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

type Read = fn(&str) -> serde_devalue::Result<()>;

fn read<T: DeserializeOwned>(text: &str) -> serde_devalue::Result<()> {
    OPTIONS.from_str::<T>(text).map(drop)
}

fn read_borrowed(text: &str) -> serde_devalue::Result<()> {
    OPTIONS.from_str::<Vec<&str>>(text).map(drop)
}

/// A value at the reference, without the rest of the text, as a session reads it.
fn read_lazily(text: &str) -> serde_devalue::Result<()> {
    let index = Index::new(text.as_bytes())?;
    let flat = Flat::new(text.as_bytes(), &index);
    flat.decode_with::<serde_json::Value>(flat.root()?, OPTIONS).map(drop)
}

const TARGETS: [(&str, Read); 22] = [
    ("Value", read::<Value>),
    ("serde_json::Value", read::<serde_json::Value>),
    ("lazy", read_lazily),
    ("untagged", read::<Untagged>),
    ("Vec<Value>", read::<Vec<Value>>),
    ("Vec<String>", read::<Vec<String>>),
    ("Vec<&str>", read_borrowed),
    ("Vec<JsString>", read::<Vec<serde_devalue::JsString>>),
    ("Vec<f64>", read::<Vec<f64>>),
    ("Vec<i128>", read::<Vec<i128>>),
    ("Vec<Option<bool>>", read::<Vec<Option<bool>>>),
    ("Vec<BigInt>", read::<Vec<serde_devalue::BigInt>>),
    ("Vec<Date>", read::<Vec<serde_devalue::Date>>),
    ("Vec<RegExp>", read::<Vec<serde_devalue::RegExp>>),
    ("Vec<Url>", read::<Vec<serde_devalue::Url>>),
    ("Vec<UrlSearchParams>", read::<Vec<serde_devalue::UrlSearchParams>>),
    ("Vec<Temporal>", read::<Vec<serde_devalue::Temporal>>),
    ("Vec<ByteBuf>", read::<Vec<serde_bytes::ByteBuf>>),
    ("Vec<Vec<u8>>", read::<Vec<Vec<u8>>>),
    ("Vec<HashMap>", read::<Vec<HashMap<String, serde_json::Value>>>),
    ("Vec<Empty>", read::<Vec<Empty>>),
    ("Vec<Flattened>", read::<Vec<Flattened>>),
];

/// Slots of about `n` bytes, with what else they need behind them. They are slot 1, and slot 2 begins what is behind.
fn slots(n: usize) -> Vec<(&'static str, String)> {
    let each = |count: usize, item: &str| vec![item; count].join(",");
    let x = "x".repeat(n);
    let spaces = " ".repeat(n);
    let named = |count: usize| {
        let names: Vec<_> = (0..count).map(|name| format!("\"name {name}\":2")).collect();
        format!("{{{}}},1", names.join(","))
    };
    vec![
        ("string", format!("\"{x}\"")),
        ("escaped string", format!("\"{}\"", "\\u0041".repeat(n / 6))),
        ("unpaired surrogates", format!("\"{}\"", "\\ud800".repeat(n / 6))),
        ("spaces around a string", format!("{spaces}\"x\"{spaces}")),
        ("property", format!("{{\"{x}\":2}},1")),
        ("escaped property", format!("{{\"{}\":2}},1", "\\u0041".repeat(n / 6))),
        ("repeated property", format!("{{{}}},1", each(n / 6, "\"a\":2"))),
        ("properties", named(n / 12)),
        ("few properties", named(3)),
        ("one property", "{\"\":2},1".to_owned()),
        ("null object", format!("[\"null\",\"{x}\",2],1")),
        ("repeated in a null object", format!("[\"null\",{}],1", each(n / 6, "\"a\",2"))),
        ("spaces in an object", format!("{{{spaces}}}")),
        ("spaces in an array", format!("[{spaces}]")),
        ("array", format!("[{}],1", each(n / 2, "2"))),
        ("array of long references", format!("[{}],1", each(n / 6, "2.000"))),
        ("empty array", "[]".to_owned()),
        ("array of holes", format!("[{}]", each(n / 3, "-2"))),
        ("holes", format!("[-7,{n}]")),
        ("declared holes", "[-7,4294967295]".to_owned()),
        ("sparse array", format!("[-7,{n},{}],1", each(n / 4, "0,2"))),
        ("Map of one key", format!("[\"Map\",{}],\"{x}\"", each(n / 4, "2,2"))),
        ("Map", "[\"Map\",2,3],\"a\",1".to_owned()),
        ("Map of an escaped key", format!("[\"Map\",2,2],\"{}\"", "\\u0041".repeat(n / 6))),
        ("Set", format!("[\"Set\",{}],\"{x}\"", each(n / 2, "2"))),
        ("RegExp", format!("[\"RegExp\",\"{}\"]", "/".repeat(n))),
        ("RegExp of surrogates", format!("[\"RegExp\",\"{}\"]", "\\ud800/".repeat(n / 7))),
        ("URL", format!("[\"URL\",\"https://example.com/{x}\"]")),
        ("URL in a slot", format!("[\"URL\",2],\"https://example.com/{x}\"")),
        ("URL to be encoded", format!("[\"URL\",\"https://example.com/{}\"]", "é".repeat(n / 2))),
        ("URLSearchParams", format!("[\"URLSearchParams\",\"{}\"]", "a=b&".repeat(n / 4))),
        ("URLSearchParams to be encoded", format!("[\"URLSearchParams\",\"{}\"]", "'".repeat(n))),
        ("Date", format!("[\"Date\",\"{}\"]", "9".repeat(n))),
        ("Date of a number", format!("[\"Date\",1{}]", "0".repeat(n))),
        ("number", format!("1{}", "0".repeat(n))),
        ("small number", format!("0.{}1", "0".repeat(n))),
        ("BigInt", format!("[\"BigInt\",\"{}\"]", "9".repeat(n.min(10_000)))),
        ("BigInt with spaces", format!("[\"BigInt\",\"{spaces}1\"]")),
        ("BigInt of a number", "[\"BigInt\",1e308]".to_owned()),
        ("Boxed", format!("[\"Object\",2],\"{x}\"")),
        ("Boxed BigInt", format!("[\"Object\",2],[\"BigInt\",\"{}\"]", "9".repeat(n.min(10_000)))),
        ("ArrayBuffer", format!("[\"ArrayBuffer\",\"{}\"]", "AAAA".repeat(n / 4))),
        ("view", format!("[\"Uint8Array\",2],[\"ArrayBuffer\",\"{}\"]", "AAAA".repeat(n / 4))),
        (
            "view of floats",
            format!("[\"Float64Array\",2],[\"ArrayBuffer\",\"{}\"]", "AAAAAAAAAAA=".repeat(n / 12)),
        ),
        ("empty view", format!("[\"Uint8Array\",2,0,0],[\"ArrayBuffer\",\"{}\"]", "A".repeat(n))),
        ("Duration", format!("[\"Temporal.Duration\",\"P{}Y\"]", "9".repeat(n))),
        (
            "annotated date",
            format!("[\"Temporal.PlainDate\",\"2026-11-29[u-ca={}]\"]", "x".repeat(n)),
        ),
        ("custom", format!("[\"Custom\",2],\"{x}\"")),
        ("custom with spaces", format!("[{spaces}\"Custom\",2],1")),
        ("escaped tag", format!("[\"{}\",2],1", "\\u0041".repeat(n / 6))),
    ]
}

/// Ways to refer to slot 1 as often as there is room for in `n` bytes.
fn holders(n: usize) -> Vec<(&'static str, String)> {
    let each = |count: usize, item: &str| vec![item; count].join(",");
    vec![
        ("array", format!("[{}]", each(n / 2, "1"))),
        ("Set", format!("[\"Set\",{}]", each(n / 2, "1"))),
        ("Map", format!("[\"Map\",{}]", each(n / 4, "1,1"))),
        (
            "object",
            format!(
                "{{{}}}",
                (0..n / 10).map(|name| format!("\"{name:05}\":1")).collect::<Vec<_>>().join(",")
            ),
        ),
    ]
}

#[test]
fn nothing_that_is_shared_takes_more_memory_than_the_budget_allows() {
    // The square of it is many times what is allowed.
    const N: usize = 1_500;
    let mut refused = 0;
    for (holder, references) in holders(N) {
        for (slot, content) in slots(N) {
            let text = format!("[{references},{content}]");
            for (target, read) in TARGETS {
                let mut result = Ok(());
                let peak = peak(|| result = read(&text));
                let bound = bound(&text);
                assert!(peak <= bound, "{holder} of {slot} as {target}: {peak} bytes, not {bound}");
                refused += usize::from(result.is_err_and(|error| error.is_limit()));
            }
        }
    }
    assert!(refused > 200, "only {refused} texts were refused");
}

/// What is looked at is counted as what is made: where a text refers to a long slot so often that to read it takes long,
/// the end is this error, and nothing after it is looked at.
#[test]
fn what_is_looked_at_again_and_again_is_refused() {
    const N: usize = 4_000;
    let slots: HashMap<_, _> = slots(N).into_iter().collect();
    for (slot, target) in [
        ("repeated property", "serde_json::Value"),
        ("repeated property", "Vec<Empty>"),
        ("repeated in a null object", "serde_json::Value"),
        ("escaped property", "Vec<Empty>"),
        ("escaped property", "lazy"),
        ("spaces in an object", "Vec<Empty>"),
        ("spaces in an array", "serde_json::Value"),
        ("spaces around a string", "Vec<String>"),
        ("BigInt with spaces", "Vec<BigInt>"),
        ("BigInt with spaces", "Vec<i128>"),
        ("number", "Vec<f64>"),
        ("small number", "Vec<f64>"),
        ("Date", "Vec<Date>"),
        ("Date of a number", "Vec<Date>"),
        ("array of long references", "serde_json::Value"),
        ("Map of one key", "serde_json::Value"),
        ("RegExp", "Vec<RegExp>"),
        ("URLSearchParams", "Vec<UrlSearchParams>"),
        ("Duration", "Vec<Temporal>"),
        ("URL in a slot", "Vec<Url>"),
        ("empty view", "Vec<ByteBuf>"),
        ("custom with spaces", "serde_json::Value"),
    ] {
        let text = format!("[[{}],{}]", vec!["1"; N].join(","), slots[slot]);
        let (_, read) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
        let error = read(&text).unwrap_err();
        assert!(error.is_limit(), "{slot} as {target}: {error}");
    }
}

#[test]
fn a_declared_length_is_refused_before_anything_is_made() {
    let sparse = vec!["[-7,4294967295]"; 10_000].join(",");
    let references: Vec<_> = (1..=10_000).map(|slot: usize| slot.to_string()).collect();
    let text = format!("[[{}],{sparse}]", references.join(","));
    for read in [read::<serde_json::Value>, read::<Vec<Vec<Option<bool>>>>, read::<Untagged>] {
        let mut result = Ok(());
        let peak = peak(|| result = read(&text));
        assert!(result.unwrap_err().is_limit());
        assert!(peak < 4 * text.len(), "{peak} bytes");
    }
    OPTIONS.from_str::<Value>(&text).unwrap();
}

#[test]
fn what_is_not_shared_can_be_read_whatever_it_is_and_however_long() {
    let nothing = Options::new().allowance(0);
    let strings: Vec<_> = (0..2000).map(|at| format!("a string that is different: {at}")).collect();
    assert_eq!(nothing.from_str::<Vec<String>>(&to_string(&strings).unwrap()).unwrap(), strings);
    let numbers = vec![0.123_456_789_012_345_67; 10_000];
    assert_eq!(nothing.from_str::<Vec<f64>>(&to_string(&numbers).unwrap()).unwrap(), numbers);
    let objects: Vec<BTreeMap<_, _>> =
        (0..1000).map(|at| [("id".to_owned(), at), ("n".to_owned(), at + 1)].into()).collect();
    let text = to_string(&objects).unwrap();
    assert_eq!(nothing.from_str::<Vec<BTreeMap<String, i32>>>(&text).unwrap(), objects);
    nothing.from_str::<serde_json::Value>(&text).unwrap();
    nothing.from_str::<Value>(&text).unwrap();
}

#[test]
fn what_else_a_text_holds_makes_nothing_readable() {
    let value = format!("[[{}],\"{}\"", vec!["2"; 3_000].join(","), "x".repeat(3_000));
    let value = value.replacen("[[", "[[\"Map\",3,1],[", 1);
    let alone = format!("{value},\"key\"]");
    let beside = format!("{value},\"key\",\"{}\"]", "y".repeat(10 << 20));
    for text in [alone, beside] {
        let index = Index::new(text.as_bytes()).unwrap();
        let flat = Flat::new(text.as_bytes(), &index);
        let at = flat.get(flat.root().unwrap(), "key").unwrap().unwrap();
        let error = flat.decode_with::<Vec<String>>(at, OPTIONS).unwrap_err();
        assert!(error.is_limit(), "{error}");
    }
}

/// What the writer accepts can be read with the same options, in every type that it was written from.
#[test]
fn what_was_written_can_be_read_again() {
    let options = Options::new().allowance(1 << 20);
    for (length, count) in [(1000, 100), (1000, 200), (100, 5000), (6, 20_000), (1000, 10_000)] {
        for string in ["x".repeat(length), "\"".repeat(length), "é".repeat(length / 2)] {
            let strings = vec![string.as_str(); count];
            match options.to_string(&strings) {
                Ok(text) => {
                    assert_eq!(options.from_str::<Vec<String>>(&text).unwrap(), strings);
                    options.from_str::<Value>(&text).unwrap();
                    let map: BTreeMap<_, _> = [("list", &strings)].into();
                    let text = options.to_string(&map).unwrap();
                    options.from_str::<BTreeMap<String, Vec<String>>>(&text).unwrap();
                }
                Err(error) => {
                    assert!(error.is_limit(), "{error}");
                    assert!(length * count > 1 << 17, "{length} × {count}");
                }
            }
        }
    }
}

#[test]
fn many_equal_strings_are_written_and_read() {
    let strings = vec!["x".repeat(1000); 1500];
    assert_eq!(from_str::<Vec<String>>(&to_string(&strings).unwrap()).unwrap(), strings);
}

#[test]
fn an_allowance_makes_room_for_more() {
    let strings = vec!["x".repeat(10_000); 2_500];
    assert!(to_string(&strings).is_err_and(|error| error.is_limit()));
    let options = Options::new().allowance(100 << 20);
    let text = options.to_string(&strings).unwrap();
    assert_eq!(options.from_str::<Vec<String>>(&text).unwrap(), strings);
    assert!(from_str::<Vec<String>>(&text).is_err_and(|error| error.is_limit()));
}

#[test]
fn a_bigint_of_too_many_digits_is_beyond_a_limit() {
    let text = format!("[[\"BigInt\",\"{}\"]]", "9".repeat(10_001));
    assert!(from_str::<Value>(&text).unwrap_err().is_limit());
    assert!(from_str::<serde_devalue::BigInt>(&text).unwrap_err().is_limit());
}
