//! The elements of typed arrays.

use serde::de::{Visitor, value::SeqDeserializer};

use super::{Reader, budget::VALUE};
use crate::{
    Error, Result,
    reference::Reference,
    types::typed_array::{ViewKind, ViewRange},
};

/// The bytes that a view shows; its range was checked when it was read.
pub(super) fn bytes(
    reader: &Reader<'_, '_>,
    kind: ViewKind,
    buffer: Reference,
    range: Option<&ViewRange>,
) -> Result<Vec<u8>> {
    let bytes = reader.buffer_bytes(buffer)?;
    let Some(&ViewRange { offset, length }) = range else { return Ok(bytes) };
    let shown = length
        .checked_mul(kind.element_size())
        .and_then(|size| offset.checked_add(size))
        .and_then(|end| bytes.get(offset..end));
    match shown {
        Some(shown) => Ok(shown.to_vec()),
        None => Err(Error::data("the typed array is longer than its buffer")),
    }
}

/// Visits the bytes as numbers.
pub(super) fn visit<'de, V: Visitor<'de>>(
    reader: &Reader<'_, 'de>,
    kind: ViewKind,
    bytes: &[u8],
    visitor: V,
) -> Result<V::Value> {
    reader.spend_each(bytes.len() / kind.element_size(), VALUE)?;
    macro_rules! elements {
        ($type:ty) => {
            visitor.visit_seq(SeqDeserializer::<_, Error>::new(
                bytes.as_chunks().0.iter().map(|bytes| <$type>::from_le_bytes(*bytes)),
            ))
        };
    }
    match kind {
        ViewKind::Int8Array => elements!(i8),
        ViewKind::Uint8Array | ViewKind::Uint8ClampedArray | ViewKind::DataView => elements!(u8),
        ViewKind::Int16Array => elements!(i16),
        ViewKind::Uint16Array => elements!(u16),
        ViewKind::Int32Array => elements!(i32),
        ViewKind::Uint32Array => elements!(u32),
        ViewKind::Float32Array => elements!(f32),
        ViewKind::Float64Array => elements!(f64),
        ViewKind::BigInt64Array => elements!(i64),
        ViewKind::BigUint64Array => elements!(u64),
        ViewKind::Float16Array => visitor.visit_seq(SeqDeserializer::<_, Error>::new(
            bytes.as_chunks().0.iter().map(|bytes| half_to_float(u16::from_le_bytes(*bytes))),
        )),
    }
}

/// IEEE 754's binary16.
fn half_to_float(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(half >> 10 & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (fraction + 1024.0) * 2f32.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::half_to_float;

    #[test]
    fn halves_are_widened() {
        for (half, float) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f32.powi(-14)),
            (0x0001, 2f32.powi(-24)),
            (0x7c00, f32::INFINITY),
            (0x3555, 0.333_251_95),
        ] {
            assert_eq!(half_to_float(half), float);
        }
        assert!(half_to_float(0x7e00).is_nan());
    }
}
