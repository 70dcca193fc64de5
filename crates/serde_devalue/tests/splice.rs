//! `Splice` against the bytes that the JavaScript library writes.
//!
//! The cases of `data/splice.json` are made by `interop/vectors/splice.mjs` with devalue 6.0.3. Version 5.9.4, which
//! Astro 7 uses, writes the same, except that it leaves unpaired surrogates unescaped, which UTF-8 cannot hold.

use proptest::{prelude::*, sample::Index as Choice};
use serde::Deserialize;
use serde_devalue::{Flat, Index, Piece, Reference, Result, Source, Splice};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    record: String,
    operations: Vec<Operation>,
    expected: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Operation {
    Set { set: String, value: String, expires: Option<f64> },
    Delete { delete: String },
}

/// A text with its index.
struct Text {
    bytes: Vec<u8>,
    index: Index,
}

impl Text {
    fn new(bytes: &[u8]) -> Result<Self> {
        Ok(Text { bytes: bytes.to_vec(), index: Index::new(bytes)? })
    }

    fn flat(&self) -> Flat<'_> {
        Flat::new(&self.bytes, &self.index)
    }

    /// The entries of the Map, with what their keys are.
    fn entries(&self) -> Result<Vec<(String, Kept)>> {
        let flat = self.flat();
        let entries = flat.map(flat.root()?)?;
        entries
            .map(|entry| entry.and_then(|kept| Ok((flat.string(kept.0)?.into(), kept))))
            .collect()
    }
}

/// The key and the value of an entry.
type Kept = (Reference, Reference);

/// The value of an entry of the new record.
enum Value {
    Kept(Kept),
    Set { text: usize, expires: Option<f64> },
}

/// How an entry of a record comes into a new one.
#[derive(Clone, Copy, Debug)]
enum How {
    Copied,
    Kept,
}

impl How {
    const ALL: [How; 2] = [How::Copied, How::Kept];

    fn add(self, splice: &mut Splice<'_>, key: &str, source: Source, kept: Kept) -> Result<()> {
        match self {
            How::Copied => splice.copy(key, source, kept.1),
            How::Kept => splice.keep(source, kept.0, kept.1),
        }
    }
}

/// What JavaScript's Map does: overwriting keeps the place, a deleted key that is set again goes to the end.
fn apply(record: &str, operations: &[Operation], how: How) -> Result<Vec<u8>> {
    let record = Text::new(record.as_bytes())?;
    let mut entries: Vec<_> =
        record.entries()?.into_iter().map(|(key, kept)| (key, Value::Kept(kept))).collect();
    let mut texts = Vec::new();
    for operation in operations {
        match operation {
            Operation::Set { set, value: text, expires } => {
                let value = Value::Set { text: texts.len(), expires: *expires };
                texts.push(Text::new(text.as_bytes())?);
                match entries.iter_mut().find(|(key, _)| key == set) {
                    Some(entry) => entry.1 = value,
                    None => entries.push((set.clone(), value)),
                }
            }
            Operation::Delete { delete } => entries.retain(|(key, _)| key != delete),
        }
    }
    let mut splice = Splice::map();
    let kept = splice.source(record.flat());
    let sources: Vec<Source> = texts.iter().map(|text| splice.source(text.flat())).collect();
    for (key, value) in &entries {
        match *value {
            Value::Kept(entry) => how.add(&mut splice, key, kept, entry)?,
            Value::Set { text, expires } => {
                let data = Piece::Copy(sources[text], texts[text].flat().root()?);
                let expires = expires.map_or(Piece::Undefined, Piece::Number);
                splice.object(key, &[("data", data), ("expires", expires)])?;
            }
        }
    }
    splice.finish()
}

#[test]
fn changed_records_are_the_bytes_that_javascript_writes() {
    let vectors: Vectors = serde_json::from_str(include_str!("data/splice.json")).unwrap();
    assert!(vectors.cases.len() > 300, "the vectors are cut");
    for case in &vectors.cases {
        // With spaces, all of it takes the way of texts that devalue did not write.
        for record in [case.record.clone(), spaced(&case.record, " ")] {
            for how in How::ALL {
                let written = apply(&record, &case.operations, how);
                let written = written.unwrap_or_else(|error| panic!("{}: {error}", case.name));
                let written = String::from_utf8_lossy(&written);
                assert_eq!(written, case.expected, "{}, {how:?}", case.name);
            }
        }
    }
}

/// The text with spaces around each bracket, comma and colon that is not in a string.
fn spaced(text: &str, space: &str) -> String {
    let mut spaced = String::new();
    let mut quoted = false;
    let mut escaped = false;
    for character in text.chars() {
        let token = !quoted && "[]{},:".contains(character);
        if token {
            spaced.push_str(space);
        }
        spaced.push(character);
        if token {
            spaced.push_str(space);
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = character == '\\' && !escaped;
    }
    spaced
}

const PAYLOADS: [&str; 3] = [
    include_str!("data/payload-small.json"),
    include_str!("data/payload-typical.json"),
    include_str!("data/payload-large.json"),
];

/// Every entry of a record.
fn copy(text: &[u8], how: How) -> Result<Vec<u8>> {
    let record = Text::new(text)?;
    let mut splice = Splice::map();
    let source = splice.source(record.flat());
    for (key, kept) in record.entries()? {
        how.add(&mut splice, &key, source, kept)?;
    }
    splice.finish()
}

#[test]
fn an_untouched_record_keeps_its_bytes() {
    let vectors: Vectors = serde_json::from_str(include_str!("data/splice.json")).unwrap();
    let records = vectors.cases.iter().map(|case| &*case.expected);
    for record in PAYLOADS.iter().map(|payload| payload.trim_end()).chain(records) {
        for how in How::ALL {
            let copied = copy(record.as_bytes(), how).unwrap();
            assert_eq!(String::from_utf8_lossy(&copied), record, "{how:?}");
        }
    }
}

/// Reads whatever can be read without serde. Nothing of it may panic or run away.
fn read_everything(text: &[u8], index: &Index) {
    let flat = Flat::new(text, index);
    let mut splice = Splice::map();
    let source = splice.source(flat);
    let mut kept = Splice::map();
    kept.source(flat);
    let mut references = vec![flat.root().unwrap_or(Reference::UNDEFINED), Reference::NAN];
    // Breadth first, a bounded number of values.
    for at in 0..200 {
        let Some(&reference) = references.get(at) else { break };
        let _ = flat.string_eq(reference, "key");
        let _ = flat.string(reference);
        let _ = flat.number(reference);
        for (key, value) in flat.map(reference).into_iter().flatten().flatten() {
            let _ = kept.keep(source, key, value);
            references.extend([key, value]);
        }
        for (_, value) in flat.object(reference).into_iter().flatten().flatten() {
            references.push(value);
        }
        let _ = splice.copy("key", source, reference);
    }
    for splice in [splice, kept] {
        if let Ok(written) = splice.finish() {
            assert!(Index::new(&written).is_ok(), "what is spliced has slots");
        }
    }
}

/// Bytes that are more likely than others to mean something.
fn interesting_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        prop::sample::select(&b"[]{}\",:\\-+.0123456789eEtrufalsn /u\n\x00\x7f\xc3\xff"[..]),
        any::<u8>(),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_no_harm(text in prop::collection::vec(interesting_byte(), 0..80)) {
        if let Ok(index) = Index::new(&text) {
            read_everything(&text, &index);
        }
    }

    #[test]
    fn mutated_records_do_no_harm(
        payload in 0..2_usize,
        changes in prop::collection::vec((any::<Choice>(), 0..3_u8, interesting_byte()), 1..6),
    ) {
        let mut text = PAYLOADS[payload].as_bytes().to_vec();
        for (place, kind, byte) in changes {
            let at = place.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => drop(text.remove(at)),
            }
        }
        if let Ok(index) = Index::new(&text) {
            read_everything(&text, &index);
        }
        // What the text has in another form than devalue's may be kept so; when all is read, it is the same.
        let canonical = |how| copy(&copy(&copy(&text, how)?, How::Copied)?, How::Copied);
        if let (Ok(copied), Ok(kept)) = (canonical(How::Copied), canonical(How::Kept)) {
            prop_assert_eq!(String::from_utf8(kept).unwrap(), String::from_utf8(copied).unwrap());
        }
    }

    #[test]
    fn the_index_of_another_record_does_no_harm(cut in any::<Choice>()) {
        let text = PAYLOADS[1].as_bytes();
        let index = Index::new(text).unwrap();
        let cut = cut.index(text.len());
        read_everything(&text[..cut], &index);
        read_everything(&text[cut..], &index);
        read_everything(PAYLOADS[0].as_bytes(), &index);
    }

    #[test]
    fn spaces_between_tokens_change_nothing(space in "[ \t\r\n]{1,3}") {
        let text = PAYLOADS[1].trim_end();
        for how in How::ALL {
            prop_assert_eq!(copy(spaced(text, &space).as_bytes(), how).unwrap(), text.as_bytes());
        }
    }
}
