//! devalue through serde.

mod de;
mod error;
mod flat;
mod index;
mod options;
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
pub use types::{
    bigint::{self, BigInt},
    buffer::ArrayBuffer,
    date::Date,
    js_string::JsString,
    map::{self, Map},
    regexp::RegExp,
    set::{self, Set},
    temporal::{Temporal, TemporalKind},
    typed_array::{TypedArray, ViewKind, ViewRange},
    undefined::{self, Undefined},
    url::{self, Url},
    url_search_params::UrlSearchParams,
};
pub use value::{Custom, Object, SparseArray, Value};

/// Writes a value as devalue text.
///
/// # Errors
/// If the value cannot be written (see the table above), or a `Serialize` implementation reports an error; the error
/// has the path to the place.
pub fn to_string<T: ?Sized + Serialize>(value: &T) -> Result<String> {
    Options::new().to_string(value)
}

/// Writes a value as devalue text, in bytes.
///
/// # Errors
/// As [`to_string`].
pub fn to_vec<T: ?Sized + Serialize>(value: &T) -> Result<Vec<u8>> {
    Options::new().to_vec(value)
}

/// Writes a value as devalue text to a writer. Nothing is written before the text is complete.
///
/// # Errors
/// As [`to_string`], or if the writer fails.
pub fn to_writer<W: io::Write, T: ?Sized + Serialize>(writer: W, value: &T) -> Result<()> {
    Options::new().to_writer(writer, value)
}

/// Reads a value from devalue text.
///
/// # Errors
/// If the text is not devalue, or the value does not fit the type; the error has the path, the slot or the byte.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T> {
    Options::new().from_str(text)
}

/// Reads a value from devalue text, in bytes.
///
/// # Errors
/// As [`from_str`].
pub fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T> {
    Options::new().from_slice(text)
}

/// Converts a value to a [`Value`], as if it were written and read again.
///
/// # Errors
/// As [`to_string`].
pub fn to_value<T: Serialize>(value: T) -> Result<Value> {
    from_slice(&to_vec(&value)?)
}

/// Converts a [`Value`] to another type, as if it were written and read again.
///
/// # Errors
/// If the value does not fit the type.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    from_slice(&to_vec(&value)?)
}
