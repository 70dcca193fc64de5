//! The methods of a `Serializer` that accepts few types.

/// Writes the methods of a `Serializer` that only report an error.
macro_rules! unsupported {
    ($error:expr => $($kind:ident)*) => {
        $(unsupported!(@ $kind $error);)*
    };
    (@ bool $e:expr) => { unsupported!(@@ serialize_bool bool, $e); };
    (@ i8 $e:expr) => { unsupported!(@@ serialize_i8 i8, $e); };
    (@ i16 $e:expr) => { unsupported!(@@ serialize_i16 i16, $e); };
    (@ i32 $e:expr) => { unsupported!(@@ serialize_i32 i32, $e); };
    (@ i64 $e:expr) => { unsupported!(@@ serialize_i64 i64, $e); };
    (@ i128 $e:expr) => { unsupported!(@@ serialize_i128 i128, $e); };
    (@ u8 $e:expr) => { unsupported!(@@ serialize_u8 u8, $e); };
    (@ u16 $e:expr) => { unsupported!(@@ serialize_u16 u16, $e); };
    (@ u32 $e:expr) => { unsupported!(@@ serialize_u32 u32, $e); };
    (@ u64 $e:expr) => { unsupported!(@@ serialize_u64 u64, $e); };
    (@ u128 $e:expr) => { unsupported!(@@ serialize_u128 u128, $e); };
    (@ f32 $e:expr) => { unsupported!(@@ serialize_f32 f32, $e); };
    (@ f64 $e:expr) => { unsupported!(@@ serialize_f64 f64, $e); };
    (@ char $e:expr) => { unsupported!(@@ serialize_char char, $e); };
    (@ str $e:expr) => { unsupported!(@@ serialize_str &str, $e); };
    (@ bytes $e:expr) => { unsupported!(@@ serialize_bytes &[u8], $e); };
    (@ unit_struct $e:expr) => { unsupported!(@@ serialize_unit_struct &'static str, $e); };
    (@@ $method:ident $type:ty, $error:expr) => {
        fn $method(self, _: $type) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ none $error:expr) => {
        fn serialize_none(self) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ unit $error:expr) => {
        fn serialize_unit(self) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ some $error:expr) => {
        fn serialize_some<T: ?Sized + serde::Serialize>(self, _: &T) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ unit_variant $error:expr) => {
        fn serialize_unit_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
        ) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ newtype_struct $error:expr) => {
        fn serialize_newtype_struct<T: ?Sized + serde::Serialize>(
            self,
            _: &'static str,
            _: &T,
        ) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ newtype_variant $error:expr) => {
        fn serialize_newtype_variant<T: ?Sized + serde::Serialize>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> $crate::Result<Self::Ok> {
            Err($error)
        }
    };
    (@ seq $error:expr) => {
        fn serialize_seq(self, _: Option<usize>) -> $crate::Result<Self::SerializeSeq> {
            Err($error)
        }
    };
    (@ tuple $error:expr) => {
        fn serialize_tuple(self, _: usize) -> $crate::Result<Self::SerializeTuple> {
            Err($error)
        }
    };
    (@ tuple_struct $error:expr) => {
        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> $crate::Result<Self::SerializeTupleStruct> {
            Err($error)
        }
    };
    (@ tuple_variant $error:expr) => {
        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> $crate::Result<Self::SerializeTupleVariant> {
            Err($error)
        }
    };
    (@ map $error:expr) => {
        fn serialize_map(self, _: Option<usize>) -> $crate::Result<Self::SerializeMap> {
            Err($error)
        }
    };
    (@ struct $error:expr) => {
        fn serialize_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> $crate::Result<Self::SerializeStruct> {
            Err($error)
        }
    };
    (@ struct_variant $error:expr) => {
        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> $crate::Result<Self::SerializeStructVariant> {
            Err($error)
        }
    };
}

pub(super) use unsupported;
