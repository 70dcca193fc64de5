//! Conversions into [`Value`].

use super::{Object, Value};
use crate::{
    ArrayBuffer, BigInt, Date, JsString, RegExp, Temporal, TypedArray, Undefined, Url,
    UrlSearchParams,
};

macro_rules! from {
    ($($type:ty => |$value:ident| $into:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $into
            }
        }
    )*};
}

from! {
    Undefined => |_undefined| Value::Undefined;
    () => |_unit| Value::Null;
    bool => |bool| Value::Bool(bool);
    f64 => |number| Value::Number(number);
    f32 => |number| Value::Number(number.into());
    i8 => |number| Value::Number(number.into());
    i16 => |number| Value::Number(number.into());
    i32 => |number| Value::Number(number.into());
    u8 => |number| Value::Number(number.into());
    u16 => |number| Value::Number(number.into());
    u32 => |number| Value::Number(number.into());
    BigInt => |integer| Value::BigInt(integer);
    &str => |string| Value::String(string.into());
    String => |string| Value::String(string.into());
    JsString => |string| Value::String(string);
    Date => |date| Value::Date(date);
    RegExp => |regexp| Value::RegExp(Box::new(regexp));
    Url => |url| Value::Url(url);
    UrlSearchParams => |params| Value::UrlSearchParams(params);
    Object => |object| Value::Object(object);
    ArrayBuffer => |buffer| Value::ArrayBuffer(buffer);
    TypedArray => |array| Value::TypedArray(Box::new(array));
    Temporal => |temporal| Value::Temporal(Box::new(temporal));
    Vec<Value> => |items| Value::Array(items);
}

/// `None` is null.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Value::Array(items.into_iter().collect())
    }
}
