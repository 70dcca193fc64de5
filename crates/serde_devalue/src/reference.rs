//! What a container holds in place of a value.

use crate::text::number;

/// A reference as it stands in a container slot: the index of a slot, or one of the negative sentinels.
///
/// A reference that came out of a [`Flat`](crate::Flat) belongs to that text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
// Texts are shorter than 4 GiB and a slot takes two bytes at least, so every index fits.
pub struct Reference(i32);

impl Reference {
    /// Slot 0, where the value of a text begins.
    pub const ROOT: Self = Reference(0);
    /// JavaScript's `undefined`.
    pub const UNDEFINED: Self = Reference(-1);
    /// A hole of an array.
    pub const HOLE: Self = Reference(-2);
    /// Not a number.
    pub const NAN: Self = Reference(-3);
    /// Positive infinity.
    pub const INFINITY: Self = Reference(-4);
    /// Negative infinity.
    pub const NEGATIVE_INFINITY: Self = Reference(-5);
    /// Negative zero.
    pub const NEGATIVE_ZERO: Self = Reference(-6);

    /// The reference to a slot; `None` if no text can have that many.
    pub(crate) fn to_slot(slot: usize) -> Option<Self> {
        i32::try_from(slot).ok().map(Reference)
    }

    /// The reference that is written as this number: a slot, or a sentinel.
    #[inline(always)]
    pub(crate) fn from_i32(number: i32) -> Self {
        Reference(number)
    }

    /// The sentinel that is written as this number.
    pub(crate) fn from_sentinel(number: i64) -> Option<Self> {
        match number {
            -6..=-1 => Some(Reference(number as i32)),
            _ => None,
        }
    }

    /// The sentinel of a number that devalue gives no slot to: NaN, the infinities and -0.
    pub(crate) fn from_number(number: f64) -> Option<Self> {
        if number.is_nan() {
            Some(Self::NAN)
        } else if number == f64::INFINITY {
            Some(Self::INFINITY)
        } else if number == f64::NEG_INFINITY {
            Some(Self::NEGATIVE_INFINITY)
        } else if number == 0.0 && number.is_sign_negative() {
            Some(Self::NEGATIVE_ZERO)
        } else {
            None
        }
    }

    /// The reference at the beginning of a text and what follows it, if it is in its shortest form and there are as many
    /// slots.
    #[inline(always)]
    pub(crate) fn read_canonical(text: &[u8], slots: usize) -> Option<(Self, &[u8])> {
        let (slot, length) = number::parse_few_digits(text)?;
        match length {
            0 => match text {
                [b'-', digit @ b'1'..=b'6', rest @ ..] => {
                    Some((Self::from_sentinel(-i64::from(digit - b'0'))?, rest))
                }
                _ => None,
            },
            _ if (slot as usize) < slots && (length == 1 || text[0] != b'0') => {
                Some((Reference(slot as i32), &text[length..]))
            }
            _ => None,
        }
    }

    /// The index of the slot, unless it is a sentinel.
    pub fn slot(self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }

    /// Whether it stands for `undefined`.
    pub fn is_undefined(self) -> bool {
        self == Self::UNDEFINED
    }

    /// Whether it stands for a hole of an array.
    pub fn is_hole(self) -> bool {
        self == Self::HOLE
    }

    /// The number that a sentinel stands for, unless it is a slot, `undefined` or a hole.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::NAN => Some(f64::NAN),
            Self::INFINITY => Some(f64::INFINITY),
            Self::NEGATIVE_INFINITY => Some(f64::NEG_INFINITY),
            Self::NEGATIVE_ZERO => Some(-0.0),
            _ => None,
        }
    }

    /// Writes it, and what is behind it.
    #[inline(always)]
    pub(crate) fn write<const N: usize>(self, out: &mut Vec<u8>, end: [u8; N]) {
        match self.0 {
            // Nearly all, without a call.
            slot @ 0..10_000 => number::write_few_digits(out, slot as u32, end),
            other => {
                number::write_integer(out, other.into());
                out.extend_from_slice(&end);
            }
        }
    }

    /// As it is written.
    pub(crate) fn as_i32(self) -> i32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_slot_or_a_sentinel() {
        assert_eq!(Reference::ROOT.slot(), Some(0));
        assert_eq!(Reference::UNDEFINED.slot(), None);
        assert!(Reference::UNDEFINED.is_undefined() && Reference::HOLE.is_hole());
        assert_eq!(Reference::from_sentinel(-7), None);
        assert_eq!(Reference::to_slot(usize::MAX), None);
    }

    #[test]
    fn every_number_without_a_slot_has_its_sentinel() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0] {
            let sentinel = Reference::from_number(number).unwrap();
            assert_eq!(sentinel.number().unwrap().to_bits(), number.to_bits());
        }
        assert_eq!(Reference::from_number(0.0), None);
        assert_eq!(Reference::ROOT.number(), None);
    }
}
