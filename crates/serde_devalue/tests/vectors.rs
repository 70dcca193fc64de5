//! Cases made by the JavaScript library, in `data/vectors.json`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde::Deserialize;
use serde_devalue::{Options, Value, from_str};

#[derive(Deserialize)]
struct Vectors {
    valid: Vec<Case>,
    lenient: Vec<Case>,
    invalid: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    wire: String,
    #[serde(default)]
    reducers: String,
    restringified: Option<String>,
    restringified_astro: Option<String>,
    #[serde(default)]
    revivers: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("data/vectors.json")).unwrap()
}

/// The options that have the effect of a vector's reducers, or revivers.
fn options(reducers: &str) -> Options {
    match reducers {
        "" | "none" => Options::new(),
        "astro" => Options::new().urls_by_reference(true),
        "vec" => Options::new().custom_tags(&["Vec2"]),
        "foo" => Options::new().custom_tags(&["Foo"]),
        "prim" => Options::new().custom_tags(&["Big"]),
        "datenum" => Options::new().custom_tags(&["Date"]),
        other => panic!("unknown reducers {other}"),
    }
}

/// Reads a text and writes it again.
fn rewritten(text: &str, options: Options) -> serde_devalue::Result<String> {
    options.to_string(&options.from_str::<Value>(text)?)
}

/// Runs all cases before it complains, and returns how many there were.
fn check(cases: Vec<Case>, test: impl Fn(&Case) -> Result<(), String>) -> usize {
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            test(case).err().map(|error| format!("{}: {}\n    {error}", case.name, case.wire))
        })
        .collect();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    cases.len()
}

fn check_rewritten(case: &Case, expected: &str, options: Options) -> Result<(), String> {
    match rewritten(&case.wire, options) {
        Ok(text) if text == expected => Ok(()),
        Ok(text) => Err(format!("became {text}, not {expected}")),
        Err(error) => Err(format!("error: {error}")),
    }
}

#[test]
fn valid_texts_are_written_again_as_they_were() {
    let count =
        check(vectors().valid, |case| check_rewritten(case, &case.wire, options(&case.reducers)));
    assert!(count > 200);
}

/// DIFFERENCE: JavaScript reads these as undefined, which loses what was meant; `stringify` never writes them.
const REJECTED: [&str; 5] = [
    "HOLE as object property -> undefined",
    "index -8 -> undefined",
    "fractional index -> undefined",
    "-Infinity via -1e999 -> undefined",
    "-7 later in array is undefined",
];

#[test]
fn lenient_texts_are_read_as_javascript_reads_them() {
    let count = check(vectors().lenient, |case| {
        if REJECTED.contains(&&*case.name) {
            return match rewritten(&case.wire, Options::new()) {
                Ok(text) => Err(format!("was to be rejected, and became {text}")),
                Err(error) if error.slot().is_some() => Ok(()),
                Err(error) => Err(format!("the error names no slot: {error}")),
            };
        }
        let expected = case.restringified.as_deref().unwrap();
        check_rewritten(case, expected, Options::new())?;
        match case.restringified_astro.as_deref() {
            Some(expected) => check_rewritten(case, expected, Options::astro()),
            None => Ok(()),
        }
    });
    assert!(count > 40);
}

/// DIFFERENCE: both encodings of URLs are always read, and Float16Array although older engines do not have it.
const ACCEPTED: [&str; 2] = ["URL via astro-encoded, builtin reviver?", "Float16Array on node20"];

#[test]
fn invalid_texts_are_errors_that_name_the_place() {
    let count = check(vectors().invalid, |case| {
        let result = options(&case.revivers).from_str::<Value>(&case.wire);
        match (result, ACCEPTED.contains(&&*case.name)) {
            (Ok(_), true) => Ok(()),
            (Err(error), true) => Err(format!("was to be accepted: {error}")),
            (Ok(value), false) => Err(format!("became {value:?}")),
            (Err(error), false) => {
                let located =
                    error.slot().is_some() || error.offset().is_some() || !error.path().is_empty();
                if located { Ok(()) } else { Err(format!("names no place: {error}")) }
            }
        }
    });
    assert!(count > 70);
}

#[test]
fn a_text_is_read_the_same_through_a_flat_view() {
    let text = r#"[{"a":1,"b":1},["Set",2],"x"]"#;
    let index = serde_devalue::Index::new(text.as_bytes()).unwrap();
    let flat = serde_devalue::Flat::new(text.as_bytes(), &index);
    assert_eq!(
        flat.decode::<Value>(flat.root().unwrap()).unwrap(),
        from_str::<Value>(text).unwrap(),
    );
}
