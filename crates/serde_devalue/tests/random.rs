//! Random values as the JavaScript library writes them, and damaged texts with what it makes of them.
//!
//! The cases of `data/random.json` are made by `interop/vectors/random.mjs` with devalue 6.0.3.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde::Deserialize;
use serde_devalue::{Flat, Index, Options, Result, Splice, Value};

#[derive(Deserialize)]
struct Cases {
    written: Vec<Written>,
    damaged: Vec<Damaged>,
}

/// A value as `stringify` writes it.
#[derive(Deserialize)]
struct Written {
    /// Whether it is the record of a session.
    #[serde(default)]
    session: bool,
    wire: String,
    /// With Astro's reducer, where that makes a difference.
    astro: Option<String>,
}

impl Written {
    fn astro(&self) -> &str {
        self.astro.as_deref().unwrap_or(&self.wire)
    }
}

/// A damaged text, and what `stringify` writes after `parse`, unless that throws.
#[derive(Deserialize)]
struct Damaged {
    wire: String,
    plain: Option<String>,
    astro: Option<String>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("data/random.json")).unwrap()
}

fn rewritten(text: &str, options: Options) -> Result<String> {
    options.to_string(&options.from_str::<Value>(text)?)
}

/// The Map of `text` with every entry copied.
fn spliced(text: &str) -> Result<Vec<u8>> {
    let index = Index::new(text.as_bytes())?;
    let flat = Flat::new(text.as_bytes(), &index);
    let mut splice = Splice::map();
    let source = splice.source(flat);
    for entry in flat.map(flat.root()?)? {
        let (key, value) = entry?;
        splice.copy(&flat.string(key)?, source, value)?;
    }
    splice.finish()
}

#[test]
fn values_are_written_again_in_either_form_from_either_form() {
    let cases = cases().written;
    for case in &cases {
        for text in [&case.wire, case.astro()] {
            assert_eq!(rewritten(text, Options::new()).unwrap(), case.wire);
            assert_eq!(rewritten(text, Options::astro()).unwrap(), case.astro());
        }
    }
    assert!(cases.len() > 100);
}

#[test]
fn copied_sessions_are_unchanged() {
    let sessions: Vec<_> = cases().written.into_iter().filter(|case| case.session).collect();
    for case in &sessions {
        for text in [&case.wire, case.astro()] {
            assert_eq!(String::from_utf8(spliced(text).unwrap()).unwrap(), case.astro());
        }
    }
    assert!(sessions.len() > 30);
}

#[test]
fn damaged_texts_are_read_as_javascript_reads_them_or_the_error_names_the_place() {
    let cases = cases().damaged;
    for case in &cases {
        match rewritten(&case.wire, Options::new()) {
            Ok(text) => {
                assert_eq!(Some(&text), case.plain.as_ref(), "{}", case.wire);
                let astro = case.astro.as_ref().or(case.plain.as_ref());
                let text = rewritten(&case.wire, Options::astro()).unwrap();
                assert_eq!(Some(&text), astro, "{}", case.wire);
            }
            Err(error) => {
                assert_eq!(None, case.plain, "{}: {error}", case.wire);
                let located = error.slot().is_some() || error.offset().is_some();
                assert!(located, "{}: {error}", case.wire);
            }
        }
    }
    assert!(cases.len() > 100);
}

/// What longer comparisons found to differ once.
#[test]
fn texts_that_nothing_writes_are_read_as_javascript_reads_them() {
    for (text, expected) in [
        // A scalar or nothing, where JavaScript makes text of it.
        (r#"[["RegExp",1.50]]"#, r#"[["RegExp","1.5"]]"#),
        (r#"[["RegExp",null,"g"]]"#, r#"[["RegExp","null","g"]]"#),
        (r#"[["RegExp"]]"#, r#"[["RegExp","(?:)"]]"#),
        (r#"[["RegExp","\ud83d/"]]"#, r#"[["RegExp","\ud83d\\/"]]"#),
        (r#"[["URLSearchParams",-1e21]]"#, r#"[["URLSearchParams","-1e+21="]]"#),
        (r#"[["URLSearchParams",null]]"#, r#"[["URLSearchParams",""]]"#),
        (r#"[["URLSearchParams"]]"#, r#"[["URLSearchParams",""]]"#),
        (r#"[["URLSearchParams","\ud800"]]"#, r#"[["URLSearchParams","%EF%BF%BD="]]"#),
        (r#"[["Date"]]"#, r#"[["Date",""]]"#),
        (r#"[["Date","\ud800"]]"#, r#"[["Date",""]]"#),
        (r#"[["Date","2021-02-29"]]"#, r#"[["Date","2021-03-01T00:00:00.000Z"]]"#),
        (
            r#"[["Uint8Array",1,true,false],["ArrayBuffer","AQID"]]"#,
            r#"[["Uint8Array",1,1,0],["ArrayBuffer","AQID"]]"#,
        ),
        // BigInts of any form, and of any number that is an integer.
        (r#"[["BigInt",1e21]]"#, r#"[["BigInt","1000000000000000000000"]]"#),
        (r#"[["BigInt",-0]]"#, r#"[["BigInt","0"]]"#),
        (
            r#"[["Map",1,2,3,4],["BigInt","0x1"],"a",["BigInt",1],"b"]"#,
            r#"[["Map",1,2],["BigInt","1"],"b"]"#,
        ),
    ] {
        assert_eq!(rewritten(text, Options::new()).unwrap(), expected);
    }
    let next_line = rewritten("[[\"BigInt\",\"\u{85}1\"]]", Options::new()).unwrap_err();
    assert_eq!(next_line.slot(), Some(0));
}
