//! JavaScript's `Map`: a wrapper, and `with = "serde_devalue::map"` for any map.
//!
//! Maps with string keys are written as plain objects, and maps with other keys as `Map`s: the first key decides, and
//! an empty map is an object. A field that is always a `Map` says so:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Settings {
//!     #[serde(with = "serde_devalue::map")]
//!     sizes: BTreeMap<String, u32>,
//! }
//!
//! let settings = Settings { sizes: [("shoe".to_owned(), 42)].into() };
//! assert_eq!(serde_devalue::to_string(&settings)?, r#"[{"sizes":1},["Map",2,3],"shoe",42]"#);
//! # Ok::<(), serde_devalue::Error>(())
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::tag;

/// A map that is written as a JavaScript `Map`: `Map(HashMap<K, V>)`, `Map(BTreeMap<K, V>)`. Other formats see a map.
///
/// Reading accepts objects too. The order of a `HashMap` differs from run to run: prefer an ordered map where the bytes
/// matter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Map<C>(pub C);

impl<C: Serialize> Serialize for Map<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, C: Deserialize<'de>> Deserialize<'de> for Map<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Map)
    }
}

/// Writes a map as a Map.
///
/// # Errors
/// If it does not serialize as a map.
pub fn serialize<C: Serialize + ?Sized, S: Serializer>(
    map: &C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(tag::MAP, map)
}

/// Reads a map from a Map or an object.
///
/// # Errors
/// What the deserializer reports.
pub fn deserialize<'de, C: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<C, D::Error> {
    C::deserialize(deserializer)
}
