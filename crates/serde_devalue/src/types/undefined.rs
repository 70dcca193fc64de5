//! JavaScript's `undefined`, and `with = "serde_devalue::undefined"` for options.
//!
//! `None` and `()` are written as null. A field that JavaScript wants to find undefined says so:
//!
//! ```
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Entry {
//!     data: String,
//!     #[serde(with = "serde_devalue::undefined", default)]
//!     expires: Option<f64>,
//! }
//!
//! let text = serde_devalue::to_string(&Entry { data: "x".into(), expires: None })?;
//! assert_eq!(text, r#"[{"data":1,"expires":-1},"x"]"#);
//! # Ok::<(), serde_devalue::Error>(())
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::tag;

/// JavaScript's `undefined`. Other formats see a unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Undefined;

impl Serialize for Undefined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::UNDEFINED, &())
    }
}

/// Reads undefined or null.
impl<'de> Deserialize<'de> for Undefined {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| Undefined)
    }
}

/// Writes `None` as undefined.
///
/// # Errors
/// What the serializer reports.
pub fn serialize<T: Serialize, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => Undefined.serialize(serializer),
    }
}

/// Reads undefined and null as `None`. Add `#[serde(default)]` for a missing field.
///
/// # Errors
/// What the deserializer reports.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}
