//! [devalue] through [serde]: the format in which SvelteKit, Astro and Nuxt keep JavaScript values that JSON cannot
//! hold. It is to devalue what `serde_json` is to JSON, and writes the very bytes that the JavaScript library writes.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use serde_devalue::{Date, Set};
//!
//! #[derive(Serialize, Deserialize, PartialEq, Debug)]
//! struct User {
//!     name: String,
//!     roles: Set<Vec<String>>,
//!     since: Date,
//! }
//!
//! let user = User {
//!     name: "Ann".to_owned(),
//!     roles: Set(vec!["editor".to_owned(), "Ann".to_owned()]),
//!     since: "2026-11-23T09:46:58.123Z".parse().unwrap(),
//! };
//! let text = serde_devalue::to_string(&user)?;
//! assert_eq!(
//!     text,
//!     r#"[{"name":1,"roles":2,"since":4},"Ann",["Set",3,1],"editor",["Date","2026-11-23T09:46:58.123Z"]]"#,
//! );
//! assert_eq!(serde_devalue::from_str::<User>(&text)?, user);
//! # Ok::<(), serde_devalue::Error>(())
//! ```
//!
//! # The format in a few words
//!
//! A text is a JSON array of *slots*, and the value is slot 0. A slot is a primitive, an object or an array of
//! references to other slots, or a type with its name, like `["Set",3,1]`. Equal primitives have one slot. An object
//! that is referred to twice has one slot as well, so that shared objects stay shared, and cycles are possible. Values
//! that JSON has no word for (`undefined`, holes, NaN, the infinities, -0) are negative references.
//!
//! # Three ways to read
//!
//! - [`from_str`] and [`from_slice`] read into any type of serde's.
//! - [`Value`] takes whatever there is, sharing and cycles included, and is written again as the same bytes.
//! - [`Flat`] reads single values out of a text without touching the others, and [`Splice`] makes a new text out of
//!   pieces of others without decoding them.
//!
//! # Rust and JavaScript
//!
//! | Rust | devalue | remarks |
//! |---|---|---|
//! | `bool`, `String`, `&str` | boolean, string | a string with an unpaired surrogate only fits [`JsString`] |
//! | `char`, unit variant of an enum | string | |
//! | integers up to ±2^53, `f64` | number | NaN, ±Infinity and -0 are kept |
//! | `f32` | number | its `f64` value: `0.1f32` is written 0.10000000149011612 |
//! | integers beyond 2^53 | an error | `with = "serde_devalue::`[`bigint`]`"`, or [`Options::lossy_integers`] |
//! | [`BigInt`] | BigInt | every Rust integer reads one that it can hold |
//! | `()`, `None`, unit struct | null | `None` reads null, undefined and a missing field |
//! | [`Undefined`] | undefined | for options `with = "serde_devalue::`[`undefined`]`"`, or [`Options::none_as_undefined`] |
//! | struct, map with string keys | plain object | array indices first, as JavaScript orders them; the key `__proto__` is an error |
//! | map with other keys | Map | the first key decides, an empty map is an object; a key that is not a string after one that is, is an error |
//! | [`Map`]`(…)`, `with = "serde_devalue::`[`map`]`"` | Map | reads plain objects too |
//! | `Vec`, slice, array, tuple, `HashSet` | array | reads Sets and typed arrays too |
//! | [`Set`]`(…)`, `with = "serde_devalue::`[`set`]`"` | Set | reads arrays too |
//! | `Vec<Option<T>>` | array | a hole reads as `None`; only [`Value`] writes holes |
//! | newtype struct | its content | |
//! | other variants of an enum | object of one property | as `serde_json` does it: `{"Variant": …}` |
//! | `serde_bytes` | Uint8Array | a plain `Vec<u8>` is an array of numbers, and reads both |
//! | [`ArrayBuffer`], [`TypedArray`] | ArrayBuffer, typed array, DataView | |
//! | [`Date`] | Date | reads ISO strings and milliseconds too |
//! | `jiff`, `chrono` and `time` types | **string** | as a Date: `with = "serde_devalue::jiff"`, `…::chrono`, `…::time` (and `…::option`) |
//! | `url::Url` | **string** | as a URL: `with = "serde_devalue::`[`url`](mod@url)`"`, or the type [`Url`] |
//! | [`RegExp`], [`UrlSearchParams`], [`Temporal`] | the same | as data: nothing is compiled |
//! | [`Value`] | anything | |
//!
//! Read into a type that is none of these, a Date, URL or Temporal value is its text, a BigInt an integer, a boxed
//! primitive the primitive, a typed array a sequence, and a Map a map.
//!
//! Two of serde's attributes read through a buffer, which knows serde's data model only: inside `#[serde(untagged)]`,
//! `#[serde(tag = "…")]` and `#[serde(flatten)]` a Date arrives as its text (which [`Date`] reads), undefined as null,
//! and a [`Value`] there has no sharing and no JavaScript types. Flattened maps that repeat a key of the struct write
//! it twice; JavaScript keeps the last.
//!
//! # Where reading differs
//!
//! All that devalue's `stringify` writes is read, up to the limits below. Other texts are read as its `parse` reads them in Node.js, but for
//! these, which nothing writes:
//!
//! - A reference that is not an integer, or below -6, is an error, as is a hole outside arrays; JavaScript reads
//!   undefined. Likewise an array or object inside of a slot, which JavaScript may ignore or make text of, a string for
//!   the offset or length of a view, and a URL whose slot is no string.
//! - Dates in other formats than ISO's are invalid. The grammar of a regular expression's source is not checked.
//! - A `BigInt` has up to [`bigint::MAX_DIGITS`] decimal digits.
//! - Of repeated keys, only the last value is read.
//! - URLs are those of the `url` crate, which differs from Node.js in rare hosts.
//!
//! # Untrusted text
//!
//! Reading never panics, and its cost is bounded by the length of the text:
//!
//! - Containers nest up to [`Options::MAX_DEPTH`], in reading and in writing; so deep a value fits the 2 MiB that a thread
//!   has in most servers, also without optimisation.
//! - What references share is read again for each of them, unless it is an object in a [`Value`]. Memory that is made and
//!   text that is looked at are counted together, whatever the slot and the type: 32 bytes for each byte of the text that
//!   the value itself takes, and [`Options::ALLOWANCE`] beyond, or [as much as the caller allows](Options::allowance).
//!   What is not shared never takes as much.
//! - A declared length is held against what is left before anything is made.
//! - What could not be read again is not written.
//!
//! Beyond these limits [`Error::is_limit`] says so. A value that contains itself is an error for every type but [`Value`].
//! `__proto__` is refused as a property. Every [`Error`] says what is wrong and where.
//!
//! # Features
//!
//! - `url` (default): URLs are parsed and normalised, and `url::Url` is supported.
//! - `jiff`, `chrono`, `time`: moments of these crates as Dates.
//!
//! [devalue]: https://github.com/sveltejs/devalue
//! [serde]: https://serde.rs

mod de;
mod error;
mod flat;
mod index;
pub mod javascript;
mod kept;
mod lookup;
mod options;
mod primitives;
mod reference;
mod ser;
mod slot;
mod splice;
mod tag;
mod text;
mod token;
mod types;
mod value;

use std::io;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use error::{Error, Result};
pub use flat::Flat;
pub use index::Index;
pub use options::Options;
pub use reference::Reference;
pub use slot::{Fields, MapEntries};
pub use splice::{Piece, Source, Splice};
#[cfg(any(feature = "jiff", feature = "chrono", feature = "time"))]
pub use types::foreign_date::OutOfRange;
pub use types::{
    bigint::{self, BigInt, ParseBigIntError},
    buffer::ArrayBuffer,
    date::{Date, ParseDateError},
    js_string::JsString,
    map::{self, Map},
    regexp::{InvalidFlags, RegExp},
    set::{self, Set},
    temporal::{InvalidTemporal, Temporal, TemporalKind},
    typed_array::{TypedArray, ViewKind, ViewRange},
    undefined::{self, Undefined},
    url::{self, InvalidUrl, Url},
    url_search_params::UrlSearchParams,
};
pub use value::{Custom, Object, SparseArray, Value};

/// `jiff::Timestamp` as a Date: `#[serde(with = "serde_devalue::jiff")]`.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Visit {
///     #[serde(with = "serde_devalue::jiff")]
///     at: jiff::Timestamp,
/// }
///
/// let visit = Visit { at: "2026-11-23T09:46:58.123Z".parse().unwrap() };
/// let text = serde_devalue::to_string(&visit)?;
/// assert_eq!(text, r#"[{"at":1},["Date","2026-11-23T09:46:58.123Z"]]"#);
/// assert_eq!(serde_devalue::from_str::<Visit>(&text)?.at, visit.at);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
#[cfg(feature = "jiff")]
pub mod jiff {
    crate::types::foreign_date::date_module!();
}

/// `chrono::DateTime` (of `Utc` or `FixedOffset`) as a Date: `#[serde(with = "serde_devalue::chrono")]`.
#[cfg(feature = "chrono")]
pub mod chrono {
    crate::types::foreign_date::date_module!();
}

/// `time::OffsetDateTime` and `time::UtcDateTime` as a Date: `#[serde(with = "serde_devalue::time")]`.
#[cfg(feature = "time")]
pub mod time {
    crate::types::foreign_date::date_module!();
}

/// Writes a value as devalue text.
///
/// ```
/// assert_eq!(serde_devalue::to_string(&("a", "a", f64::NAN))?, r#"[[1,1,-3],"a"]"#);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// If the value cannot be written (see the table above), or a `Serialize` implementation reports an error; the error
/// has the path to the place.
pub fn to_string<T: ?Sized + Serialize>(value: &T) -> Result<String> {
    Options::new().to_string(value)
}

/// Writes a value as devalue text, in bytes.
///
/// ```
/// assert_eq!(serde_devalue::to_vec(&[1, 2])?, b"[[1,2],1,2]");
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// As [`to_string`].
pub fn to_vec<T: ?Sized + Serialize>(value: &T) -> Result<Vec<u8>> {
    Options::new().to_vec(value)
}

/// Writes a value as devalue text to a writer. Nothing is written before the text is complete.
///
/// ```
/// let mut text = Vec::new();
/// serde_devalue::to_writer(&mut text, &[1, 2])?;
/// assert_eq!(text, b"[[1,2],1,2]");
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// As [`to_string`], or if the writer fails.
pub fn to_writer<W: io::Write, T: ?Sized + Serialize>(writer: W, value: &T) -> Result<()> {
    Options::new().to_writer(writer, value)
}

/// Reads a value from devalue text.
///
/// ```
/// let cart: Vec<String> = serde_devalue::from_str(r#"[["Set",1,2],"shirt","socks"]"#)?;
/// assert_eq!(cart, ["shirt", "socks"]);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// If the text is not devalue, or the value does not fit the type; the error has the path, the slot or the byte.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T> {
    Options::new().from_str(text)
}

/// Reads a value from devalue text, in bytes.
///
/// ```
/// let numbers: Vec<u32> = serde_devalue::from_slice(b"[[1,2],1,2]")?;
/// assert_eq!(numbers, [1, 2]);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// As [`from_str`].
pub fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T> {
    Options::new().from_slice(text)
}

/// Converts a value to a [`Value`], as if it were written and read again.
///
/// ```
/// let value = serde_devalue::to_value("scarf")?;
/// assert_eq!(value, serde_devalue::Value::from("scarf"));
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// As [`to_string`].
pub fn to_value<T: Serialize>(value: T) -> Result<Value> {
    Options::new().any_tag().from_slice(&to_vec(&value)?)
}

/// Converts a [`Value`] to another type, as if it were written and read again.
///
/// ```
/// let value = serde_devalue::Value::from("scarf");
/// assert_eq!(serde_devalue::from_value::<String>(value)?, "scarf");
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// If the value does not fit the type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    Options::new().any_tag().from_slice(&to_vec(&value)?)
}

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
