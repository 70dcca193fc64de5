//! [`Value`]s, without serde between their parts.
//!
//! Serde shows a serializer a value by its parts only, one call for each. The outermost `Value` is asked for in another
//! way: the writer itself is left where the value finds it, and what is in the value is then written directly.

use std::cell::Cell;

use serde::{
    Serialize,
    ser::{Impossible, Serializer},
};

use super::{Word, Writer, proto, unsupported::unsupported};
use crate::{
    Error, JsString, Object, Result, Value, error::Step, reference::Reference, text::string,
};

/// What the writer and the value leave to each other.
enum Handed {
    Writer(Writer),
    Written(Writer, Result<Reference>),
}

thread_local! {
    static HANDED: Cell<Option<Handed>> = const { Cell::new(None) };
}

/// Writes the value, if it is a writer of this crate that asks for it: whether it is one.
pub(crate) fn write_directly(value: &Value) -> bool {
    match HANDED.try_with(Cell::take).ok().flatten() {
        Some(Handed::Writer(mut writer)) => {
            let written = writer.single_value(value);
            HANDED.with(|place| place.set(Some(Handed::Written(writer, written))));
            true
        }
        _ => false,
    }
}

/// Who asks a value to write itself directly. Nothing else can be said to it.
struct Asking;

fn not_a_value() -> Error {
    Error::data("expected a Value")
}

impl Serializer for Asking {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_unit(self) -> Result<()> {
        Ok(())
    }

    unsupported! { not_a_value() =>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes none some unit_struct
        unit_variant newtype_struct newtype_variant seq tuple tuple_struct tuple_variant map struct
        struct_variant
    }
}

impl Writer {
    /// What serializes under [`tag::VALUE`](crate::tag::VALUE).
    pub(super) fn whole_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<Reference> {
        let writer = std::mem::replace(self, Writer::with_buffers(self.options, Box::default()));
        let handed = HANDED.try_with(|place| place.set(Some(Handed::Writer(writer))));
        // What it answers is left behind.
        let _ = value.serialize(Asking);
        match handed.ok().and_then(|()| HANDED.take()) {
            Some(Handed::Written(writer, written)) => {
                *self = writer;
                written
            }
            // A copy of a value, such as serde makes for a flattened field.
            Some(Handed::Writer(writer)) => {
                *self = writer;
                value.serialize(self)
            }
            None => Err(Error::data("a thread that is ending cannot write a Value")),
        }
    }

    /// A value that is not in an object or an array.
    fn single_value(&mut self, value: &Value) -> Result<Reference> {
        self.value(value)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn value(&mut self, value: &Value) -> Result<Reference> {
        match value {
            Value::Undefined => Ok(Reference::UNDEFINED),
            Value::Null => self.word(Word::Null),
            Value::Bool(bool) => self.word(if *bool { Word::True } else { Word::False }),
            Value::Number(number) => self.number(*number),
            Value::String(string) => match string.as_str() {
                Some(string) => self.string(string),
                None => {
                    let units = string.to_utf16();
                    self.primitive(|out| string::write_utf16(out, &units))
                }
            },
            Value::Date(date) => self.date(*date),
            Value::Object(object) => self.object(object),
            Value::Array(items) => self.array(items),
            Value::Map(entries) => self.map(entries),
            Value::Shared(id, value) => self.shared(*id, |writer| writer.single_value(value)),
            Value::Reference(id) => self.shared_before(*id),
            rare => rare.serialize_by_parts(self),
        }
    }

    /// Appends an item to the innermost container. What is frequent has no way through memory.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn push_value(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::String(string) => match string.as_str() {
                Some(string) => self.push_string(string),
                None => self.push_other(value),
            },
            Value::Number(number) => self.push_number(*number),
            _ => self.push_other(value),
        }
    }

    #[inline(never)]
    fn push_string(&mut self, string: &str) -> Result<()> {
        let reference = self.find_string(string)?;
        self.push_reference(reference);
        Ok(())
    }

    #[inline(never)]
    fn push_number(&mut self, number: f64) -> Result<()> {
        let reference = self.number(number)?;
        self.push_reference(reference);
        Ok(())
    }

    #[inline(never)]
    fn push_other(&mut self, value: &Value) -> Result<()> {
        let reference = self.value(value)?;
        self.push_reference(reference);
        Ok(())
    }

    #[inline]
    fn object(&mut self, object: &Object) -> Result<Reference> {
        let open = self.open(b"{")?;
        for (key, value) in object.iter() {
            self.key_of_object(key)?;
            self.push_value(value)
                .map_err(|error| error.under(Step::Property(&key.to_string_lossy())))?;
        }
        Ok(self.close(open, b'}'))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn key_of_object(&mut self, key: &JsString) -> Result<()> {
        let out = &mut self.buffers.scratch;
        match key.as_str() {
            Some("__proto__") => return Err(proto()),
            Some(key) => string::write_with(out, key, *b"\":"),
            None => {
                string::write_utf16(out, &key.to_utf16());
                out.push(b':');
            }
        }
        Ok(())
    }

    #[inline]
    fn array(&mut self, items: &[Value]) -> Result<Reference> {
        let open = self.open(b"[")?;
        for (index, item) in items.iter().enumerate() {
            self.push_value(item).map_err(|error| error.under(Step::Index(index as u64)))?;
        }
        Ok(self.close(open, b']'))
    }

    #[inline(never)]
    fn map(&mut self, entries: &[(Value, Value)]) -> Result<Reference> {
        let open = self.open(b"[\"Map\",")?;
        for (key, value) in entries {
            let key = match self.single_value(key) {
                Ok(key) => self.key(key)?,
                Err(error) => return Err(self.under_map_key(error, None)),
            };
            self.push_reference(key);
            if let Err(error) = self.push_value(value) {
                return Err(self.under_map_key(error, Some(key)));
            }
        }
        Ok(self.close(open, b']'))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use crate::{JsString, Object, Options, Value, to_string};

    /// What shows a serializer its parts.
    #[derive(Serialize)]
    struct Outer<'a> {
        value: &'a Value,
        #[serde(flatten)]
        flattened: &'a Value,
        #[serde(flatten)]
        variant: Variant<'a>,
        list: Vec<Tagged<'a>>,
    }

    #[derive(Serialize)]
    enum Variant<'a> {
        Pair(&'a Value, &'a Value),
    }

    #[derive(Serialize)]
    #[serde(tag = "type")]
    enum Tagged<'a> {
        Of(&'a Value),
    }

    #[test]
    fn a_value_is_written_wherever_it_is() {
        let set = Value::Set(vec![Value::Array(vec![1.into()]), "a".into()]);
        let value = Value::from(Object::from([("a", Value::from("a")), ("set", set)]));
        let outer = Outer {
            value: &value,
            flattened: &value,
            variant: Variant::Pair(&value, &value),
            list: vec![Tagged::Of(&value)],
        };
        let text = to_string(&outer).unwrap();
        let read: Value = crate::from_str(&text).unwrap();
        let pair = Value::Array(vec![value.clone(), value.clone()]);
        let tagged = Object::from_iter(
            [("type", Value::from("Of"))].into_iter().chain(
                value
                    .as_object()
                    .into_iter()
                    .flat_map(Object::iter)
                    .map(|(key, value)| (key.as_str().unwrap_or_default(), value.clone())),
            ),
        );
        let expected = Object::from_iter(
            [("value", value.clone())]
                .into_iter()
                .chain([("a", Value::from("a"))])
                .chain([("set", value.get("set").cloned().unwrap())])
                .chain([("Pair", pair), ("list", Value::Array(vec![tagged.into()]))]),
        );
        assert_eq!(read, Value::from(expected));
        assert_eq!(to_string(&read).unwrap(), text);
    }

    #[test]
    fn other_formats_see_the_parts() {
        let value = Value::from(Object::from([("a", Value::Array(vec![1.into(), ().into()]))]));
        assert_eq!(serde_json::to_string(&[&value]).unwrap(), r#"[{"a":[1.0,null]}]"#);
    }

    #[test]
    fn what_is_wrong_is_named_as_in_other_types() {
        type Entries = BTreeMap<&'static str, ()>;
        let entries: Entries = [("__proto__", ())].into();
        let typed = BTreeMap::from([("list", [(1, Entries::new()), (2, entries)])]);
        let error = to_string(&typed).unwrap_err();
        let object = |entries: Vec<(&str, Value)>| Value::from(Object::from_iter(entries));
        let wrong = object(vec![("__proto__", Value::Null)]);
        let pair = |number: u8, value: Value| Value::Array(vec![number.into(), value]);
        let list = Value::Array(vec![pair(1, object(vec![])), pair(2, wrong.clone())]);
        let value = object(vec![("list", list)]);
        assert_eq!(to_string(&value).unwrap_err().to_string(), error.to_string());
        assert_eq!(error.path(), ".list[1][1]");

        let map = Value::Map(vec![("key".into(), Value::Map(vec![(wrong, Value::Null)]))]);
        assert_eq!(to_string(&[map]).unwrap_err().path(), "[0].get(\"key\").get(...)");
        // Nothing is left of it.
        assert_eq!(to_string(&["a"]).unwrap(), r#"[[1],"a"]"#);
    }

    #[test]
    fn a_value_is_no_deeper_than_others() {
        let nested = |depth: usize| (0..depth).fold(Value::Null, |inner, _| vec![inner].into());
        assert!(to_string(&nested(Options::MAX_DEPTH)).is_ok());
        assert!(to_string(&nested(Options::MAX_DEPTH + 1)).unwrap_err().is_limit());
        assert!(to_string(&[nested(Options::MAX_DEPTH)]).unwrap_err().is_limit());
    }

    #[test]
    fn keys_may_be_any_string() {
        let cut = JsString::from_utf16(vec![0x61, 0xd83d]);
        let value = Value::from(Object::from_iter([
            (cut, Value::from(-0.0)),
            ("a\"key that is longer than others are".into(), Value::Undefined),
        ]));
        let text = r#"[{"a\ud83d":-6,"a\"key that is longer than others are":-1}]"#;
        assert_eq!(to_string(&value).unwrap(), text);
    }
}
