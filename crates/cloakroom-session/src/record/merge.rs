//! What becomes of a record that two have changed at once, as vectors that both languages keep to: this crate, and the
//! package `@cloakroom/astro`, whose tests run the same file.
//!
//! `UPDATE_VECTORS=1 cargo test -p cloakroom-session merge` writes down what this side makes of each case. Whoever does
//! that changes what the other side has to do.

use std::env;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::{Changes, Lifetime, Owner, Record, Written, apply};
use crate::id::SessionId;

/// The moment of all cases, in milliseconds since 1970.
const NOW: f64 = 1_795_431_615_459.0;

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "data", "merge.json"].iter().collect()
}

/// The changes of a case: each is made before or after the record was loaded.
fn changes(case: &Json) -> Changes {
    let mut changes = Changes::default();
    for change in case["changes"].as_array().expect("changes") {
        if let Some(key) = change["delete"].as_str() {
            changes.delete(key);
            continue;
        }
        let key = change["set"].as_str().expect("set, or delete");
        let value = change["value"].as_str().expect("a value");
        let written =
            Written::new(value.into(), change["expires"].as_f64()).expect("a devalue text");
        changes.set(key, written, change["loaded"].as_bool().expect("loaded"));
    }
    changes
}

fn merged(case: &Json) -> String {
    let theirs = case["theirs"].as_str().expect("a record");
    let record = Record::parse(Bytes::from(theirs.to_owned()), NOW).expect("readable");
    let owner = Owner { id: SessionId::random(), path: None, entered: None };
    let draft = apply(Some(&record), &changes(case), NOW, None, &Lifetime::default(), &owner);
    String::from_utf8(draft.expect("merged").0.record.bytes().to_vec()).expect("text")
}

#[test]
fn what_two_have_changed_is_merged_as_the_vectors_say() {
    let text = fs::read_to_string(path()).expect("the vectors");
    let mut cases: Vec<Json> = serde_json::from_str(&text).expect("JSON");
    if env::var_os("UPDATE_VECTORS").is_some() {
        for case in &mut cases {
            case["merged"] = json!(merged(case));
        }
        let text = serde_json::to_string_pretty(&cases).expect("JSON");
        fs::write(path(), format!("{text}\n")).expect("written");
    }
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    for case in &cases {
        assert_eq!(case["merged"], merged(case), "{}", case["name"]);
    }
}
