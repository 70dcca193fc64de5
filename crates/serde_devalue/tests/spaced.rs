//! Texts with and without whitespace are read alike: without, nearly all slots are read in the short way for the form
//! that devalue writes, and with it, all in the careful way for whatever JSON allows.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use serde::Deserialize;
use serde_devalue::{Error, Flat, Index, Reference, Value, from_str, to_string};

#[derive(Deserialize)]
struct Cases {
    written: Vec<Case>,
    damaged: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    wire: String,
}

fn texts() -> Vec<String> {
    let cases: Cases = serde_json::from_str(include_str!("data/random.json")).unwrap();
    cases.written.into_iter().chain(cases.damaged).map(|case| case.wire).collect()
}

/// The text with a space on either side of each bracket, comma and colon that is not in a string.
fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut in_string = false;
    let mut escaped = false;
    for character in text.chars() {
        if !in_string && "[]{},:".contains(character) {
            spaced.extend([' ', character, ' ']);
            continue;
        }
        in_string ^= character == '"' && !escaped;
        escaped = in_string && character == '\\' && !escaped;
        spaced.push(character);
    }
    spaced
}

/// What an error says, but for the byte, which the spaces move.
fn without_offset(error: &Error) -> String {
    let message = error.to_string();
    let message = message.split(", at byte").next().unwrap_or_default();
    let kind = (error.is_syntax(), error.is_eof(), error.is_data(), error.is_limit());
    format!("{message} {kind:?} {:?} {}", error.slot(), error.path())
}

/// What is read, as a `Value`, in serde's data model, and through a flat view.
fn read(text: &str) -> [Result<String, String>; 3] {
    let show = |error: Error| without_offset(&error);
    let any = from_str::<serde_json::Value>(text).map(|json| json.to_string());
    let flat = Index::new(text.as_bytes()).and_then(|index| {
        let value = Flat::new(text.as_bytes(), &index).decode::<Value>(Reference::ROOT)?;
        to_string(&value)
    });
    [
        from_str::<Value>(text).and_then(|value| to_string(&value)).map_err(show),
        any.map_err(show),
        flat.map_err(show),
    ]
}

fn check(text: &str) {
    assert_eq!(read(text), read(&spaced(text)), "{text}");
}

#[test]
fn random_and_damaged_texts_are_read_alike() {
    texts().iter().for_each(|text| check(text));
}

#[test]
fn what_is_out_of_the_ordinary_is_read_alike() {
    for slot in [
        "{}",
        "[]",
        "-0",
        "-1",
        "007",
        "1.",
        "1.50",
        "0.1",
        "-0.25",
        "1e3",
        "123456789012345",
        "1234567890123456",
        "9007199254740993",
        "\"\"",
        "\"\\u0041\"",
        "\"\u{e9}\"",
        "\"a\tb\"",
        "[1,1]",
        "[01]",
        "[1 ]",
        "[-2]",
        "[-7,3,1,1]",
        "[-1,-3,-4,-5,-6]",
        "[12345678]",
        "[123456789]",
        "{\"a\":1,\"a\":2}",
        "{\"1\":1,\"0\":2}",
        "{\"a\":-2}",
        "{\"__proto__\":1}",
        "{\"\\u0061\":1}",
        "{\"a\":1,\"b\":2,}",
        "[\"Map\"]",
        "[\"Map\",1,1,1,1]",
        "[\"Map\",-6,1]",
        "[\"Map\",1]",
        "[\"Set\",1,1,-6]",
        "[\"Set\"]",
        "[\"Date\",\"2026-02-28T23:59:59.999Z\"]",
        "[\"Date\",\"2026-02-31T00:00:00.000Z\"]",
        "[\"Date\",\"2024-02-29T00:00:00.000Z\"]",
        "[\"Date\",\"2026-04-31T00:00:00.000Z\"]",
        "[\"Date\",\"2026-13-01T00:00:00.000Z\"]",
        "[\"Date\",\"2026-01-01T24:00:00.000Z\"]",
        "[\"Date\",\"2026-01-01T00:00:00.00:Z\"]",
        "[\"Date\",\"\"]",
        "[\"Date\"]",
        "[\"URL\",2]",
        "[\"URL\",1]",
        "[\"URL\",-1]",
        "[\"null\",\"a\",1]",
    ] {
        check(&format!(
            "[[3,3,4,5],\"x\",\"https://example.com/a?b=c\",{slot},{{\"a\":3}},{{\"a\":1}}]"
        ));
        check(&format!("[{slot},\"x\",[\"Date\",\"2026-01-01T00:00:00.000Z\"]]"));
    }
}

proptest! {
    #[test]
    fn texts_with_a_wrong_byte_are_read_alike(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        new in prop::sample::select(b"0123456789-.[]{}\",:e\\ant".to_vec()),
    ) {
        let texts = texts();
        let mut text = which.get(&texts).clone().into_bytes();
        let place = place.index(text.len());
        text[place] = new;
        if let Ok(text) = String::from_utf8(text) {
            let (tight, wide) = (read(&text), read(&spaced(&text)));
            prop_assert_eq!(tight, wide, "{}", text);
        }
    }
}
