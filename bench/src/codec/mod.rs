//! The wire format: reading and writing records of sessions.

mod record;

use std::cell::RefCell;
use std::fs;

use anyhow::{Context as _, Result};
use serde::de::IgnoredAny;
use serde_devalue::{Flat, Index, Options, Piece, Splice, Value};
use sonic_rs::JsonValueTrait as _;

use crate::javascript::JavaScript;
use figures::comparison::{Comparison, Unit::Nanoseconds};
use figures::measure::{Settings, Side, side_by_side};
use record::Record;

const JAVASCRIPT: &str = "devalue 6.0.3, Node.js";

/// The key that is read and changed.
const KEY: &str = "csrf";

pub(crate) fn run(settings: &Settings) -> Result<Vec<Comparison>> {
    let folder = settings.root.join("bench/payloads");
    let mut rows = Vec::new();
    for name in ["typical", "large"] {
        let path = folder.join(format!("{name}.json"));
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        rows.extend(payload(settings, name, text.trim_ascii())?);
    }
    Ok(rows)
}

fn payload(settings: &Settings, name: &str, text: &[u8]) -> Result<Vec<Comparison>> {
    let folder = settings.root.join("bench/payloads").display().to_string();
    let milliseconds = settings.sample().as_millis().to_string();
    let javascript = JavaScript::start(&settings.root, "codec.mjs", &[&folder, &milliseconds])?;
    let javascript = RefCell::new(javascript);
    let in_javascript = |operation: &'static str| {
        let javascript = &javascript;
        Side::new(JAVASCRIPT, move || javascript.borrow_mut().ask(&format!("{operation} {name}")))
    };
    let row = |what: &str| format!("{what}, {name}");
    let mut rows = Vec::new();

    // What is compared is the same work: look before timing it.
    let value: Value = serde_devalue::from_slice(text)?;
    anyhow::ensure!(Options::astro().to_vec(&value)? == text, "{name}: another text comes back");
    let typed: Record = serde_devalue::from_slice(text)?;
    let json = serde_json::to_vec(&typed)?;
    serde_json::from_slice::<Record>(&json)?;
    anyhow::ensure!(read(text)?.is_some(), "{name}: there is no {KEY}");

    let [ours, peer] = side_by_side(
        settings,
        [Side::timed("ours", settings, || read(text)), in_javascript("parse")],
    )?;
    rows.push(
        Comparison::new(row("index and read one key"), Nanoseconds, &ours, &peer).target(50.0),
    );

    let [ours, skipped, lazy] = side_by_side(
        settings,
        [
            Side::timed("ours", settings, || Index::new(text)),
            Side::timed("serde_json, IgnoredAny", settings, || {
                serde_json::from_slice::<IgnoredAny>(text)
            }),
            Side::timed("sonic-rs, lazy array", settings, || lazy(text)),
        ],
    )?;
    rows.push(Comparison::new(row("index"), Nanoseconds, &ours, &skipped).target(6.0));
    rows.push(Comparison::new(row("index"), Nanoseconds, &ours, &lazy).target(9.0));

    let mut turn = 0_u64;
    let [ours, peer] = side_by_side(
        settings,
        [
            Side::timed("ours", settings, move || {
                turn += 1;
                change(text, &format!("csrf-{turn}"))
            }),
            in_javascript("change"),
        ],
    )?;
    rows.push(Comparison::new(row("change one key"), Nanoseconds, &ours, &peer).target(40.0));

    let [ours, peer, tree] = side_by_side(
        settings,
        [
            Side::timed("ours", settings, || serde_devalue::from_slice::<Value>(text)),
            in_javascript("parse"),
            Side::timed("serde_json, Value", settings, || {
                serde_json::from_slice::<serde_json::Value>(text)
            }),
        ],
    )?;
    rows.push(Comparison::new(row("decode to Value"), Nanoseconds, &ours, &peer).target(5.0));
    rows.push(Comparison::new(row("decode to Value"), Nanoseconds, &ours, &tree).target(1.0));

    let [ours, peer] = side_by_side(
        settings,
        [
            Side::timed("ours", settings, || serde_devalue::from_slice::<Record>(text)),
            Side::timed("serde_json, the same in JSON", settings, || {
                serde_json::from_slice::<Record>(&json)
            }),
        ],
    )?;
    rows.push(Comparison::new(row("decode to types"), Nanoseconds, &ours, &peer).target(1.0 / 1.5));

    let [ours, peer] = side_by_side(
        settings,
        [
            Side::timed("ours", settings, || Options::astro().to_vec(&value)),
            in_javascript("stringify"),
        ],
    )?;
    rows.push(Comparison::new(row("encode"), Nanoseconds, &ours, &peer).target(12.0));
    Ok(rows)
}

/// One entry of a record, as a session reads it.
fn read(text: &[u8]) -> Result<Option<String>> {
    let index = Index::new(text)?;
    let flat = Flat::new(text, &index);
    let Some(entry) = flat.get(flat.root()?, KEY)? else { return Ok(None) };
    let Some(data) = flat.field(entry, "data")? else { return Ok(None) };
    Ok(Some(flat.decode(data)?))
}

/// A new record in which one entry is another, as a session writes it.
fn change(text: &[u8], value: &str) -> Result<Vec<u8>> {
    let index = Index::new(text)?;
    let flat = Flat::new(text, &index);
    let new = serde_devalue::to_vec(value)?;
    let new_index = Index::new(&new)?;
    let new = Flat::new(&new, &new_index);
    let entry = flat.entry(flat.root()?, KEY)?.context("there is no such entry")?;
    let data = new.root()?;
    let (changed, _) = Splice::replace(flat, entry, new, |source| {
        [("data", Piece::Copy(source, data)), ("expires", Piece::Undefined)]
    })?;
    Ok(changed)
}

/// Each slot as a lazy value, and no more.
fn lazy(text: &[u8]) -> Result<usize> {
    let mut slots = 0;
    for slot in sonic_rs::to_array_iter(text) {
        std::hint::black_box(slot?.get_type());
        slots += 1;
    }
    Ok(slots)
}
