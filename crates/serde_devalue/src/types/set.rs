//! JavaScript's `Set`: a wrapper, and `with = "serde_devalue::set"` for any collection.
//!
//! Rust's sets are sequences to serde, so they are written as arrays unless the field says otherwise:
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Settings {
//!     #[serde(with = "serde_devalue::set")]
//!     interests: BTreeSet<String>,
//! }
//!
//! let settings = Settings { interests: ["rust".to_owned()].into() };
//! assert_eq!(serde_devalue::to_string(&settings)?, r#"[{"interests":1},["Set",2],"rust"]"#);
//! # Ok::<(), serde_devalue::Error>(())
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::tag;

/// A collection that is written as a JavaScript `Set`: `Set(HashSet<T>)`, `Set(Vec<T>)`. Other formats see a sequence.
///
/// Reading accepts arrays too. The order of a `HashSet` differs from run to run: prefer an ordered collection where the
/// bytes matter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Set<C>(pub C);

impl<C: Serialize> Serialize for Set<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, C: Deserialize<'de>> Deserialize<'de> for Set<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Set)
    }
}

/// Writes a collection as a Set.
///
/// # Errors
/// If it does not serialize as a sequence.
pub fn serialize<C: Serialize + ?Sized, S: Serializer>(
    collection: &C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(tag::SET, collection)
}

/// Reads a collection from a Set or an array.
///
/// # Errors
/// What the deserializer reports.
pub fn deserialize<'de, C: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<C, D::Error> {
    C::deserialize(deserializer)
}
