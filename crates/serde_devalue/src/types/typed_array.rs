//! JavaScript's typed arrays and `DataView`: windows on an `ArrayBuffer`.

use serde::{Serialize, Serializer, ser::SerializeTuple};

use crate::{ArrayBuffer, Value, tag};

/// What a typed array's elements are; or a `DataView`, which has none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are JavaScript's")]
pub enum ViewKind {
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Float16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
}

impl ViewKind {
    /// Every kind with its name and the bytes of one element.
    const ALL: [(Self, &'static str, usize); 13] = [
        (Self::Int8Array, "Int8Array", 1),
        (Self::Uint8Array, "Uint8Array", 1),
        (Self::Uint8ClampedArray, "Uint8ClampedArray", 1),
        (Self::Int16Array, "Int16Array", 2),
        (Self::Uint16Array, "Uint16Array", 2),
        (Self::Float16Array, "Float16Array", 2),
        (Self::Int32Array, "Int32Array", 4),
        (Self::Uint32Array, "Uint32Array", 4),
        (Self::Float32Array, "Float32Array", 4),
        (Self::Float64Array, "Float64Array", 8),
        (Self::BigInt64Array, "BigInt64Array", 8),
        (Self::BigUint64Array, "BigUint64Array", 8),
        (Self::DataView, "DataView", 1),
    ];

    /// JavaScript's name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The bytes of one element; 1 for a `DataView`.
    pub fn element_size(self) -> usize {
        Self::ALL[self as usize].2
    }

    /// Whether it is naturally read as bytes.
    pub(crate) fn is_bytes(self) -> bool {
        matches!(self, Self::Uint8Array | Self::Uint8ClampedArray | Self::DataView)
    }

    /// The kind of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, kind, _)| *kind == name).map(|(kind, ..)| *kind)
    }
}

/// The part of a buffer that a view shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ViewRange {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// How many elements it has (bytes, for a `DataView`).
    pub length: usize,
}

/// A typed array or a `DataView`: a window on an `ArrayBuffer`, which other views may share.
///
/// ```
/// use serde_devalue::{TypedArray, ViewKind};
///
/// let samples = TypedArray::new(ViewKind::Uint16Array, vec![1, 0, 2, 0]);
/// let text = serde_devalue::to_string(&samples)?;
/// assert_eq!(text, r#"[["Uint16Array",1],["ArrayBuffer","AQACAA=="]]"#);
///
/// // Numbers are read from a typed array directly.
/// assert_eq!(serde_devalue::from_str::<Vec<u16>>(&text)?, [1, 2]);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct TypedArray {
    /// What the elements are.
    pub kind: ViewKind,
    /// An [`ArrayBuffer`](Value::ArrayBuffer), or a [`Shared`](Value::Shared) one, or a
    /// [`Reference`](Value::Reference) to one.
    pub buffer: Value,
    /// The part of the buffer that is shown; the whole if `None`.
    pub range: Option<ViewRange>,
}

impl TypedArray {
    /// A view of a whole buffer of its own. Elements are little-endian, as on every platform that runs JavaScript.
    pub fn new(kind: ViewKind, bytes: Vec<u8>) -> Self {
        TypedArray { kind, buffer: Value::ArrayBuffer(ArrayBuffer(bytes)), range: None }
    }
}

/// Other formats get the tuple of the kind's name, the buffer, and perhaps offset and length.
impl Serialize for TypedArray {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::VIEW, &Parts(self))
    }
}

struct Parts<'a>(&'a TypedArray);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TypedArray { kind, buffer, range } = self.0;
        let mut tuple = serializer.serialize_tuple(if range.is_some() { 4 } else { 2 })?;
        tuple.serialize_element(kind.name())?;
        tuple.serialize_element(buffer)?;
        if let Some(ViewRange { offset, length }) = range {
            tuple.serialize_element(offset)?;
            tuple.serialize_element(length)?;
        }
        tuple.end()
    }
}
