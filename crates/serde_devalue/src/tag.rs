//! The names by which this crate's serializer and deserializer know the types that serde's data model has no word for.
//!
//! A type serializes as a newtype struct of such a name, around what other formats see alone: a date is a newtype
//! struct `$devalue::Date` around its ISO string. No unsafe code is needed, and the types work in any format. Only a
//! whole [`Value`](crate::Value) has no such form in reading: it is [handed over](crate::value::handover). In writing it
//! has one, and need not take it: it is [written directly](crate::ser).

/// What all the names begin with.
pub(crate) const PREFIX: &str = "$devalue::";

pub(crate) const VALUE: &str = "$devalue::Value";
pub(crate) const STRING: &str = "$devalue::String";
pub(crate) const UNDEFINED: &str = "$devalue::Undefined";
pub(crate) const BIGINT: &str = "$devalue::BigInt";
pub(crate) const BOXED: &str = "$devalue::Object";
pub(crate) const DATE: &str = "$devalue::Date";
pub(crate) const REGEXP: &str = "$devalue::RegExp";
pub(crate) const URL: &str = "$devalue::URL";
pub(crate) const URL_SEARCH_PARAMS: &str = "$devalue::URLSearchParams";
pub(crate) const NULL_OBJECT: &str = "$devalue::null";
pub(crate) const SPARSE_ARRAY: &str = "$devalue::SparseArray";
pub(crate) const MAP: &str = "$devalue::Map";
pub(crate) const SET: &str = "$devalue::Set";
pub(crate) const ARRAY_BUFFER: &str = "$devalue::ArrayBuffer";
pub(crate) const VIEW: &str = "$devalue::View";
pub(crate) const TEMPORAL: &str = "$devalue::Temporal";
pub(crate) const CUSTOM: &str = "$devalue::Custom";
pub(crate) const SHARED: &str = "$devalue::Shared";
pub(crate) const REFERENCE: &str = "$devalue::Reference";
