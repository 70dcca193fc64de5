//! Any devalue value, as an owned tree.

mod de;
mod extract;
mod foreign;
mod from;
pub(crate) mod handover;
mod object;
mod ser;
mod share;

pub use object::Object;
pub(crate) use object::array_index;
pub(crate) use share::mark as mark_shared;

use crate::{
    ArrayBuffer, BigInt, Date, JsString, RegExp, Temporal, TypedArray, Url, UrlSearchParams,
};

/// Any value that devalue can carry, as an owned tree.
///
/// JavaScript's values form a graph, in which an object may be referred to from several places and may contain itself.
/// The tree says so as YAML does with its anchors: the first occurrence of such an object, in the order of writing, is
/// [`Shared`](Value::Shared) and carries an id, and later ones are a [`Reference`](Value::Reference) to the id. So
/// cycles need no special care, and nothing leaks. Primitives are never shared: equal ones are the same in JavaScript.
///
/// What is read and written again gives the same bytes:
///
/// ```
/// use serde_devalue::Value;
///
/// let text = r#"[{"name":1,"tags":2,"self":0},"Ann",["Set",1,3],null]"#;
/// let value: Value = serde_devalue::from_str(text)?;
/// assert_eq!(value.get("name").and_then(Value::as_str), Some("Ann"));
/// assert!(matches!(value, Value::Shared(..)));
/// assert_eq!(serde_devalue::to_string(&value)?, text);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// Ids have their meaning within the tree that is written or read as one: the outermost `Value`. In other formats
/// (through serde) a value is what its parts are there; a `Reference` is an error, because they have no word for it.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum Value {
    /// `undefined`.
    #[default]
    Undefined,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number. NaN is not equal to itself, as everywhere.
    Number(f64),
    /// A `BigInt`.
    BigInt(BigInt),
    /// A string.
    String(JsString),
    /// A primitive in an object: `Object(42)`, `new String("x")`.
    Boxed(Box<Value>),
    /// A `Date`.
    Date(Date),
    /// A `RegExp`.
    RegExp(Box<RegExp>),
    /// A `URL`.
    Url(Url),
    /// A `URLSearchParams`.
    UrlSearchParams(UrlSearchParams),
    /// A plain object.
    Object(Object),
    /// An object without a prototype: `Object.create(null)`.
    NullObject(Object),
    /// An array without holes.
    Array(Vec<Value>),
    /// An array with one hole at least.
    SparseArray(SparseArray),
    /// A `Map`: keys and values, in its order.
    Map(Vec<(Value, Value)>),
    /// A `Set`: its members, in its order.
    Set(Vec<Value>),
    /// An `ArrayBuffer`.
    ArrayBuffer(ArrayBuffer),
    /// A typed array or a `DataView`.
    TypedArray(Box<TypedArray>),
    /// A `Temporal` value.
    Temporal(Box<Temporal>),
    /// What a custom reducer made, under its tag: only read where
    /// [`Options::custom_tags`](crate::Options::custom_tags) names the tag.
    Custom(Box<Custom>),
    /// The first occurrence of an object that occurs more than once, and the id that the others name.
    Shared(u32, Box<Value>),
    /// A later occurrence, by the id of the first.
    Reference(u32),
}

/// An array with holes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SparseArray {
    /// The array's `length`, up to 2^32 - 1. Nothing is allocated by it.
    pub length: u32,
    /// The items that are there, by index, in ascending order.
    pub entries: Vec<(u32, Value)>,
}

/// A value of a type of the application's own, as its reducer wrote it.
#[derive(Clone, PartialEq, Debug)]
pub struct Custom {
    /// The reducer's name.
    pub tag: String,
    /// What the reducer returned.
    pub value: Value,
}

impl Value {
    /// The value itself, where it is the first occurrence of a shared object.
    pub fn unshared(&self) -> &Value {
        match self {
            Value::Shared(_, value) => value.unshared(),
            value => value,
        }
    }

    /// Whether it is `undefined` or `null`.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The string, if it is one and holds no unpaired surrogate.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(string) => string.as_str(),
            _ => None,
        }
    }

    /// The date, if it is one.
    pub fn as_date(&self) -> Option<Date> {
        match self.unshared() {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// The items, if it is an array without holes.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self.unshared() {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one, with or without a prototype.
    pub fn as_object(&self) -> Option<&Object> {
        match self.unshared() {
            Value::Object(object) | Value::NullObject(object) => Some(object),
            _ => None,
        }
    }

    /// What an object has under this key, or a Map under this string.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self.unshared() {
            Value::Object(object) | Value::NullObject(object) => object.get(key),
            Value::Map(entries) => {
                entries.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}
