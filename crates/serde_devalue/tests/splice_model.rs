//! `Splice` against the values that it stands for: a record is changed, and encoded anew.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_devalue::{Flat, Index, Object, Options, Piece, Splice, Value};

/// Few, so that most of them are shared by several values.
fn primitive() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..6_u8).prop_map(|number| Value::Number(number.into())),
        (0..6_u8).prop_map(|number| Value::from(key(number))),
        Just(Value::Null),
        Just(Value::Undefined),
        Just(Value::Number(f64::NAN)),
        Just(Value::from("<\u{2028}\"")),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    primitive().prop_recursive(4, 24, 4, |inner| {
        let values = prop::collection::vec(inner, 0..4);
        prop_oneof![
            values.clone().prop_map(Value::Array),
            values.clone().prop_map(Value::Set),
            values.prop_map(|values| Value::Object((0..).map(key).zip(values).collect())),
        ]
    })
}

/// A value, and when it expires.
fn entry() -> impl Strategy<Value = Entry> {
    (value(), prop::option::of((0..6_u8).prop_map(f64::from)))
}

type Entry = (Value, Option<f64>);

/// What becomes of an entry.
#[derive(Clone, Debug)]
enum Change {
    Keep,
    Delete,
    Set(Entry),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Keep),
        1 => Just(Change::Delete),
        1 => entry().prop_map(Change::Set),
    ]
}

fn key(number: u8) -> String {
    format!("key{number}")
}

fn encode<'e>(entries: impl IntoIterator<Item = (String, &'e Entry)>) -> Vec<u8> {
    let entries = entries.into_iter().map(|(key, (data, expires))| {
        let fields = [("data", data.clone()), ("expires", Value::from(*expires))];
        // JavaScript's `undefined`, where Rust's `None` is `null`.
        let fields = fields.map(|(name, field)| match (name, field) {
            ("expires", Value::Null) => (name, Value::Undefined),
            field => field,
        });
        (key.into(), Value::Object(Object::from(fields)))
    });
    Options::astro().to_vec(&Value::Map(entries.collect())).unwrap()
}

/// Applies the changes to the entries in turn, and adds those that are new before and behind them.
fn splice(record: &[u8], changes: &[Change], first: &[Entry], last: &[Entry]) -> Vec<u8> {
    let index = Index::new(record).unwrap();
    let flat = Flat::new(record, &index);
    let texts = |entries: &[Entry]| {
        let text = |(data, _): &Entry| Options::astro().to_vec(data).unwrap();
        entries.iter().map(text).map(|text| (Index::new(&text).unwrap(), text)).collect::<Vec<_>>()
    };
    let set: Vec<Entry> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Set(entry) => Some(entry.clone()),
            _ => None,
        })
        .collect();
    let (set_texts, first_texts, last_texts) = (texts(&set), texts(first), texts(last));
    let mut splice = Splice::map();
    let source = splice.source(flat);
    fn add<'t>(
        splice: &mut Splice<'t>,
        key: &str,
        (index, text): &'t (Index, Vec<u8>),
        at: Option<f64>,
    ) {
        let flat = Flat::new(text, index);
        let data = Piece::Copy(splice.source(flat), flat.root().unwrap());
        let expires = at.map_or(Piece::Undefined, Piece::Number);
        splice.object(key, &[("data", data), ("expires", expires)]).unwrap();
    }
    for (at, (text, entry)) in first_texts.iter().zip(first).enumerate() {
        add(&mut splice, &format!("first{at}"), text, entry.1);
    }
    let mut set = set_texts.iter().zip(&set);
    let kept = flat.map(flat.root().unwrap()).unwrap();
    for ((at, pair), change) in (0..).zip(kept).zip(changes) {
        let (key_reference, value) = pair.unwrap();
        match change {
            Change::Keep => splice.keep(source, key_reference, value).unwrap(),
            Change::Delete => {}
            Change::Set(_) => {
                let (text, entry) = set.next().unwrap();
                add(&mut splice, &key(at), text, entry.1);
            }
        }
    }
    for (at, (text, entry)) in last_texts.iter().zip(last).enumerate() {
        add(&mut splice, &format!("last{at}"), text, entry.1);
    }
    splice.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_record_is_what_would_be_encoded(
        entries in prop::collection::vec((entry(), change()), 0..7),
        first in prop::collection::vec(entry(), 0..2),
        last in prop::collection::vec(entry(), 0..3),
    ) {
        let record = encode((0..).map(key).zip(entries.iter().map(|(entry, _)| entry)));
        let changes: Vec<Change> = entries.iter().map(|(_, change)| change.clone()).collect();
        let changed = (0..).map(key).zip(&entries).filter_map(|(key, (entry, change))| match change {
            Change::Keep => Some((key, entry)),
            Change::Set(entry) => Some((key, entry)),
            Change::Delete => None,
        });
        let named = |name: &'static str| (0..).map(move |at| format!("{name}{at}"));
        let expected = encode(named("first").zip(&first).chain(changed).chain(named("last").zip(&last)));
        let written = splice(&record, &changes, &first, &last);
        prop_assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(expected).unwrap());
    }

    #[test]
    fn a_record_with_one_entry_replaced_is_what_would_be_encoded(
        entries in prop::collection::vec(entry(), 1..7),
        changed in any::<prop::sample::Index>(),
        new in new_entry(),
    ) {
        let record = encode((0..).map(key).zip(&entries));
        let at = changed.index(entries.len());
        let new = new.in_place_of(&entries[at]);
        let (written, index) = replace(&record, at, &new).unwrap();
        let mut changed = entries;
        changed[at] = new;
        let expected = encode((0..).map(key).zip(&changed));
        prop_assert_eq!(String::from_utf8(written.clone()).unwrap(), String::from_utf8(expected).unwrap());
        if let Some(index) = index {
            let (flat, expected) = (Flat::new(&written, &index), Index::new(&written).unwrap());
            prop_assert_eq!(tokens(flat, &index), tokens(Flat::new(&written, &expected), &expected));
        }
    }

    #[test]
    fn records_that_follow_each_other_are_what_would_be_encoded(
        entries in prop::collection::vec(entry(), 1..5),
        changes in prop::collection::vec((any::<prop::sample::Index>(), new_entry()), 1..8),
    ) {
        let mut record = encode((0..).map(key).zip(&entries));
        let mut index = Index::new(&record).unwrap();
        let mut entries = entries;
        for (changed, new) in changes {
            let at = changed.index(entries.len());
            entries[at] = new.in_place_of(&entries[at]);
            let (written, known) = replace_in(&record, &index, at, &entries[at]).unwrap();
            let expected = encode((0..).map(key).zip(&entries));
            prop_assert_eq!(String::from_utf8(written.clone()).unwrap(), String::from_utf8(expected).unwrap());
            index = known.unwrap_or_else(|| Index::new(&written).unwrap());
            record = written;
        }
    }

    #[test]
    fn a_record_whose_slots_stand_in_another_order_keeps_its_values(
        entries in prop::collection::vec(entry(), 1..7),
        changed in any::<prop::sample::Index>(),
        new in new_entry(),
        order in any::<u64>(),
    ) {
        let record = shuffled(&encode((0..).map(key).zip(&entries)), order);
        let at = changed.index(entries.len());
        let new = new.in_place_of(&entries[at]);
        let (written, _) = replace(&record, at, &new).unwrap();
        let mut changed = entries;
        changed[at] = new;
        let expected = encode((0..).map(key).zip(&changed));
        // As text, since NaN is not what it is.
        let decode = |text: &[u8]| format!("{:?}", Options::astro().from_slice::<Value>(text).unwrap());
        prop_assert_eq!(decode(&written), decode(&expected));
    }
}

/// What an entry is replaced by: often it keeps its shape, and so has as many slots as before.
#[derive(Clone, Debug)]
enum New {
    Other(Entry),
    Leaf(Value),
    LeafAndExpires(Value, Option<f64>),
}

impl New {
    fn in_place_of(&self, (data, expires): &Entry) -> Entry {
        match self {
            New::Other(entry) => entry.clone(),
            New::Leaf(leaf) => (with_leaf(data, leaf), *expires),
            New::LeafAndExpires(leaf, expires) => (with_leaf(data, leaf), *expires),
        }
    }
}

fn new_entry() -> impl Strategy<Value = New> {
    let expires = prop::option::of((0..6_u8).prop_map(f64::from));
    prop_oneof![
        entry().prop_map(New::Other),
        primitive().prop_map(New::Leaf),
        (primitive(), expires).prop_map(|(leaf, expires)| New::LeafAndExpires(leaf, expires)),
    ]
}

/// The value with another primitive in place of its first one.
fn with_leaf(value: &Value, leaf: &Value) -> Value {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            items[0] = with_leaf(&items[0], leaf);
            Value::Array(items)
        }
        Value::Object(object) if !object.is_empty() => {
            let fields = object.iter().enumerate();
            let fields = fields.map(|(at, (name, field))| match at {
                0 => (name.clone(), with_leaf(field, leaf)),
                _ => (name.clone(), field.clone()),
            });
            Value::Object(fields.collect())
        }
        Value::Set(_) => value.clone(),
        _ => leaf.clone(),
    }
}

/// What each slot is as it stands in the text.
fn tokens<'t>(flat: Flat<'t>, index: &Index) -> Vec<Option<&'t [u8]>> {
    // The slots have references of their own: those that the Map's do not name are its values'.
    let mut seen = vec![flat.root().unwrap()];
    for entry in flat.map(flat.root().unwrap()).unwrap() {
        let (key, value) = entry.unwrap();
        seen.extend([key, value]);
        seen.extend(flat.fields(value, ["data", "expires"]).unwrap().into_iter().flatten());
    }
    assert!(index.len() < 1000);
    seen.into_iter().map(|at| flat.token(at)).collect()
}

/// Replaces an entry by its place in the Map.
fn replace(record: &[u8], at: usize, new: &Entry) -> serde_devalue::Result<Replaced> {
    replace_in(record, &Index::new(record)?, at, new)
}

type Replaced = (Vec<u8>, Option<Index>);

fn replace_in(
    record: &[u8],
    index: &Index,
    at: usize,
    (data, expires): &Entry,
) -> serde_devalue::Result<Replaced> {
    let flat = Flat::new(record, index);
    let text = Options::astro().to_vec(data)?;
    let text_index = Index::new(&text)?;
    let value = Flat::new(&text, &text_index);
    let root = value.root()?;
    let entry = flat.map(flat.root()?)?.nth(at).unwrap()?;
    Splice::replace(flat, entry, value, |source| {
        let expires = expires.map_or(Piece::Undefined, Piece::Number);
        [("data", Piece::Copy(source, root)), ("expires", expires)]
    })
}

/// The same with its slots in another order, all but the first, as devalue never writes it.
fn shuffled(text: &[u8], order: u64) -> Vec<u8> {
    use serde_json::Value as Json;

    let Ok(Json::Array(slots)) = serde_json::from_slice(text) else { return text.to_owned() };
    let mut places: Vec<usize> = (1..slots.len()).collect();
    let mut random = order;
    for at in (1..places.len()).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        places.swap(at, (random >> 33) as usize % (at + 1));
    }
    places.insert(0, 0);
    let moved = |reference: &mut Json| {
        if let Some(slot) = reference.as_u64() {
            *reference = places[slot as usize].into();
        }
    };
    let mut new = vec![Json::Null; slots.len()];
    for (mut slot, place) in slots.into_iter().zip(&places) {
        match &mut slot {
            Json::Array(items) => items.iter_mut().for_each(moved),
            Json::Object(fields) => fields.values_mut().for_each(moved),
            _ => {}
        }
        new[*place] = slot;
    }
    serde_json::to_vec(&new).unwrap()
}
