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

    #[inline(always)]
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
            rare => rare.serialize_by_parts(self),
        }
    }

    /// Appends an item to the innermost container. What is frequent has no way through memory.
    #[inline(always)]
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

    #[inline(always)]
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
