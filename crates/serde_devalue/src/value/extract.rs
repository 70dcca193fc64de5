//! Reads the types that are one variant of [`Value`] by themselves.

use serde::{Deserialize, Deserializer, de::Error};

use super::Value;
use crate::{ArrayBuffer, RegExp, Temporal, TypedArray, UrlSearchParams};

macro_rules! variants {
    ($($type:ty: $what:literal, $pattern:pat => $value:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match Value::deserialize(deserializer)? {
                    $pattern => Ok($value),
                    _ => Err(D::Error::custom(concat!("expected ", $what))),
                }
            }
        }
    )*};
}

variants! {
    RegExp: "a RegExp", Value::RegExp(regexp) => *regexp;
    UrlSearchParams: "a URLSearchParams", Value::UrlSearchParams(params) => params;
    ArrayBuffer: "an ArrayBuffer", Value::ArrayBuffer(buffer) => buffer;
    TypedArray: "a typed array or a DataView", Value::TypedArray(array) => *array;
    Temporal: "a Temporal value", Value::Temporal(temporal) => *temporal;
}
