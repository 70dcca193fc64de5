//! One option's value, read as the type that the driver has for it.
//!
//! The environment and the command line have texts alone. A text is taken literally where the driver wants a text, and for
//! the number, the switch, the list or the table that it spells where the driver wants one of those. So a password of
//! digits is never taken for a number first, which would lose some of them.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// What a configuration gives for an option.
#[derive(Clone, Copy)]
pub(super) struct Given<'a>(pub(super) &'a Value);

impl<'a> IntoDeserializer<'a, Error> for Given<'a> {
    type Deserializer = Given<'a>;

    fn into_deserializer(self) -> Given<'a> {
        self
    }
}

impl<'a> Given<'a> {
    /// What a text spells, where it spells something of this kind.
    fn spelled<T: DeserializeOwned>(self) -> Option<T> {
        self.0.as_str().and_then(|text| serde_json::from_str(text).ok())
    }

    /// Shows neither a text, which may be a secret, nor what is in a list or a table.
    fn mistaken<'de>(self, visitor: &impl Visitor<'de>) -> Error {
        let found = match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other("a number"),
            Value::String(_) => Unexpected::Other("a text"),
            Value::Array(_) => Unexpected::Other("a list"),
            Value::Object(_) => Unexpected::Other("a table"),
        };
        Error::invalid_type(found, visitor)
    }

    fn number<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = match self.0 {
            Value::Number(number) => Some(number.clone()),
            _ => self.spelled(),
        };
        match number {
            Some(number) => number.deserialize_any(visitor),
            None => Err(self.mistaken(&visitor)),
        }
    }

    fn text<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            // Exactly the digits that were given, since neither form has more than one way to write them.
            Value::Number(number) if !number.is_f64() => visitor.visit_string(number.to_string()),
            Value::Number(_) => Err(Error::custom(
                "expected a text, and this number may not be what was written: put it in quotes",
            )),
            _ => Err(self.mistaken(&visitor)),
        }
    }
}

/// Hands a kind of value over as it is, or as a text spells it.
macro_rules! deserialize_numbers {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.number(visitor)
        })*
    };
}

macro_rules! deserialize_texts {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.text(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Given<'de> {
    type Error = Error;

    /// For a type that takes several kinds: a text is a text, unless it spells a switch, a list or a table. A number that
    /// is a text stays one.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.0, self.spelled::<Value>()) {
            (_, Some(spelled @ (Value::Bool(_) | Value::Array(_) | Value::Object(_)))) => {
                spelled.deserialize_any(visitor)
            }
            (Value::Array(_), _) => self.deserialize_seq(visitor),
            (Value::Object(_), _) => self.deserialize_map(visitor),
            (value, _) => value.deserialize_any(visitor),
        }
    }

    deserialize_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    deserialize_texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_bool().or_else(|| self.spelled()) {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.mistaken(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.0, self.spelled()) {
            (Value::Array(values), _) => {
                let values = SeqDeserializer::new(values.iter().map(Given));
                visitor.visit_seq(values)
            }
            (_, Some(spelled @ Value::Array(_))) => spelled.deserialize_seq(visitor),
            _ => Err(self.mistaken(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.0, self.spelled()) {
            (Value::Object(values), _) => {
                let values = values.iter().map(|(name, value)| (name.as_str(), Given(value)));
                visitor.visit_map(MapDeserializer::new(values))
            }
            (_, Some(spelled @ Value::Object(_))) => spelled.deserialize_map(visitor),
            _ => Err(self.mistaken(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn read<T: DeserializeOwned>(given: Value) -> Result<T, String> {
        T::deserialize(Given(&given)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_the_text_that_was_given() {
        for text in
            ["12345678901234567890123", "1e5", "null", "0.10", "+1", "true", "\"7\"", "{}", ""]
        {
            assert_eq!(read(json!(text)), Ok(text.to_owned()));
            assert_eq!(read(json!(text)), Ok(Some(text.to_owned())));
        }
    }

    #[test]
    fn a_number_is_a_text_where_it_has_every_digit() {
        assert_eq!(read(json!(12345678)), Ok("12345678".to_owned()));
        assert_eq!(read(json!(u64::MAX)), Ok(u64::MAX.to_string()));
        for lost in
            [json!(1e5), json!(0.5), serde_json::from_str("12345678901234567890123").unwrap()]
        {
            let error = read::<String>(lost).unwrap_err();
            assert!(error.contains("put it in quotes"), "{error}");
        }
    }

    #[test]
    fn a_text_spells_what_is_no_text() {
        assert_eq!(read(json!("3600")), Ok(3600_u32));
        assert_eq!(read(json!("3600")), Ok(Some(3600_u32)));
        assert_eq!(read(json!(" 0.5 ")), Ok(0.5));
        assert_eq!(read(json!("true")), Ok(true));
        assert_eq!(read(json!("[\"a\", \"b\"]")), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(read(json!("{\"a\": 1}")), Ok(BTreeMap::from([("a".to_owned(), 1)])));
    }

    #[test]
    fn what_takes_several_kinds_has_texts_and_what_only_json_can_spell() {
        assert_eq!(read(json!("1e5")), Ok(json!("1e5")));
        assert_eq!(read(json!("null")), Ok(json!("null")));
        assert_eq!(read(json!("{\"ca\": \"x\"}")), Ok(json!({ "ca": "x" })));
        assert_eq!(read(json!({ "port": "1" })), Ok(json!({ "port": "1" })));
        assert_eq!(read(json!([5, "x"])), Ok(json!([5, "x"])));
    }

    #[test]
    fn what_is_in_lists_and_tables_is_read_alike() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Node {
            host: String,
            port: Option<u16>,
        }
        let nodes = json!([{ "host": "a", "port": "1" }, { "host": 5, "port": null }]);
        let expected =
            vec![Node { host: "a".into(), port: Some(1) }, Node { host: "5".into(), port: None }];
        assert_eq!(read(nodes), Ok(expected));
    }

    #[test]
    fn a_mistake_says_what_kind_was_given_and_not_what() {
        let errors = [
            read::<u16>(json!("hunter2")).unwrap_err(),
            read::<bool>(json!("hunter2")).unwrap_err(),
            read::<String>(json!(["hunter2"])).unwrap_err(),
            read::<Vec<String>>(json!("hunter2")).unwrap_err(),
            read::<BTreeMap<String, String>>(json!("hunter2")).unwrap_err(),
        ];
        for error in errors {
            assert!(error.contains("invalid type: a ") && !error.contains("hunter"), "{error}");
        }
        assert_eq!(read::<u16>(json!("x")).unwrap_err(), "invalid type: a text, expected u16");
    }
}
