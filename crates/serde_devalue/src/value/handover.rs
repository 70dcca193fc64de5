//! The way of a finished [`Value`] through serde.
//!
//! Serde's data model has no word for most of what a value may be, and a generic visitor can be given words only. So
//! the deserializer reads the value itself, leaves it here, and lets the visitor take it.

use std::cell::Cell;

use serde::de::{Error, Visitor};

use super::Value;

thread_local! {
    static VALUE: Cell<Option<Value>> = const { Cell::new(None) };
}

/// Lets a visitor take a value. Nothing is left behind, whatever the visitor does.
pub(crate) fn hand_over<'de, V: Visitor<'de>, E: Error>(
    value: Value,
    visitor: V,
) -> Result<V::Value, E> {
    if VALUE.try_with(|place| place.set(Some(value))).is_err() {
        return Err(E::custom("a thread that is ending cannot read a Value"));
    }
    let result = visitor.visit_unit();
    take();
    result
}

/// The value that is handed over, if one is.
pub(super) fn take() -> Option<Value> {
    VALUE.try_with(Cell::take).ok().flatten()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::IgnoredAny, de::value::UnitDeserializer};

    use super::*;
    use crate::Error;

    #[test]
    fn nothing_is_left_behind_by_who_does_not_take_it() {
        hand_over::<_, Error>(Value::Bool(true), IgnoredAny).unwrap();
        assert_eq!(take(), None);
        let unit = UnitDeserializer::<Error>::new();
        assert_eq!(Value::deserialize(unit).unwrap(), Value::Null);
    }
}
