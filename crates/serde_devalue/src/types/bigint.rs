//! JavaScript's `BigInt`, and `with = "serde_devalue::bigint"` for Rust's integers.
//!
//! A JavaScript number holds integers exactly up to 2^53. Larger ones are an error when written, unless the field says
//! that it wants to be a `BigInt`:
//!
//! ```
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Account {
//!     #[serde(with = "serde_devalue::bigint")]
//!     id: u64,
//! }
//!
//! let text = serde_devalue::to_string(&Account { id: u64::MAX })?;
//! assert_eq!(text, r#"[{"id":1},["BigInt","18446744073709551615"]]"#);
//! assert_eq!(serde_devalue::from_str::<Account>(&text)?.id, u64::MAX);
//! # Ok::<(), serde_devalue::Error>(())
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::tag;

/// The most decimal digits that a [`BigInt`] may have: reading one takes JavaScript quadratic time.
pub const MAX_DIGITS: usize = 10_000;

/// A JavaScript `BigInt`: an integer of any size, kept as its decimal digits.
///
/// Converts from Rust's integers with `From`, and back with `TryFrom`; for arithmetic on larger ones, parse the
/// [digits](BigInt::as_str) with a crate made for it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BigInt(String);

impl BigInt {
    /// The decimal digits, with a leading `-` if it is negative.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of digits that are known to be canonical.
    pub(crate) fn from_canonical(digits: String) -> Self {
        BigInt(digits)
    }
}

/// The text is not an integer that JavaScript's `BigInt()` reads, or it is longer than [`MAX_DIGITS`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParseBigIntError {
    /// Not an integer.
    Invalid,
    /// Too many digits.
    TooLong,
}

impl fmt::Display for ParseBigIntError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("not an integer that BigInt() reads"),
            Self::TooLong => write!(f, "a BigInt of more than {MAX_DIGITS} digits"),
        }
    }
}

impl std::error::Error for ParseBigIntError {}

/// Reads what JavaScript's `BigInt(string)` reads (ECMA-262, 7.1.14).
///
/// DIFFERENCE: hexadecimal, octal and binary digits up to 128 bits only; `stringify` never writes them.
impl FromStr for BigInt {
    type Err = ParseBigIntError;

    fn from_str(text: &str) -> Result<Self, ParseBigIntError> {
        let text = text.trim_matches(is_white_space);
        let radix = match text.get(..2) {
            Some("0x" | "0X") => 16,
            Some("0o" | "0O") => 8,
            Some("0b" | "0B") => 2,
            _ => 10,
        };
        if radix != 10 {
            let digits = &text[2..];
            if !digits.starts_with(|c: char| c.is_digit(radix)) {
                return Err(ParseBigIntError::Invalid);
            }
            return match u128::from_str_radix(digits, radix) {
                Ok(integer) => Ok(integer.into()),
                Err(_) if digits.chars().all(|c| c.is_digit(radix)) => {
                    Err(ParseBigIntError::TooLong)
                }
                Err(_) => Err(ParseBigIntError::Invalid),
            };
        }
        let (sign, digits) = match text.as_bytes() {
            [b'-', digits @ ..] if !digits.is_empty() => ("-", digits),
            [b'+', digits @ ..] if !digits.is_empty() => ("", digits),
            digits => ("", digits),
        };
        if digits.len() > MAX_DIGITS {
            return Err(ParseBigIntError::TooLong);
        }
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(ParseBigIntError::Invalid);
        }
        let digits = &text[text.len() - digits.len()..];
        match digits.trim_start_matches('0') {
            "" => Ok(BigInt("0".to_owned())),
            digits => Ok(BigInt(format!("{sign}{digits}"))),
        }
    }
}

/// What JavaScript calls white space or a line end (ECMA-262, 12.2 and 12.3), which differs from Unicode in two places.
fn is_white_space(c: char) -> bool {
    c == '\u{feff}' || c.is_whitespace() && c != '\u{85}'
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for BigInt {
            fn from(integer: $integer) -> Self {
                BigInt(integer.to_string())
            }
        }

        impl TryFrom<&BigInt> for $integer {
            type Error = std::num::ParseIntError;

            fn try_from(integer: &BigInt) -> Result<Self, Self::Error> {
                integer.0.parse()
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl fmt::Display for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BigInt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}n", self.0)
    }
}

/// Other formats get the digits as a string.
impl Serialize for BigInt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::BIGINT, &self.0)
    }
}

/// Reads a BigInt, an integer number, or a string of digits.
impl<'de> Deserialize<'de> for BigInt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(tag::BIGINT, BigIntVisitor)
    }
}

struct BigIntVisitor;

impl<'de> de::Visitor<'de> for BigIntVisitor {
    type Value = BigInt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_str<E: de::Error>(self, digits: &str) -> Result<BigInt, E> {
        digits.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<BigInt, E> {
        Ok(integer.into())
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<BigInt, E> {
        Ok(integer.into())
    }

    fn visit_i128<E: de::Error>(self, integer: i128) -> Result<BigInt, E> {
        Ok(integer.into())
    }

    fn visit_u128<E: de::Error>(self, integer: u128) -> Result<BigInt, E> {
        Ok(integer.into())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<BigInt, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Writes an integer as a BigInt.
///
/// # Errors
/// What the serializer reports.
pub fn serialize<T, S: Serializer>(integer: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Copy + Into<BigInt>,
{
    (*integer).into().serialize(serializer)
}

/// Reads an integer from a BigInt, a number or a string of digits.
///
/// # Errors
/// If it is not an integer, or out of the type's range.
pub fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error>
where
    T: for<'a> TryFrom<&'a BigInt, Error = std::num::ParseIntError>,
{
    let integer = BigInt::deserialize(deserializer)?;
    T::try_from(&integer).map_err(|error| de::Error::custom(format_args!("{integer}: {error}")))
}

/// The same for `Option`s: `with = "serde_devalue::bigint::option"`.
pub mod option {
    use super::*;

    /// Writes an integer as a BigInt, and `None` as null.
    ///
    /// # Errors
    /// What the serializer reports.
    pub fn serialize<T, S: Serializer>(
        integer: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        T: Copy + Into<BigInt>,
    {
        integer.map(Into::into).serialize(serializer)
    }

    /// Reads an integer, or null, undefined as `None`. Add `#[serde(default)]` for a missing field.
    ///
    /// # Errors
    /// If it is not an integer, or out of the type's range.
    pub fn deserialize<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        T: for<'a> TryFrom<&'a BigInt, Error = std::num::ParseIntError>,
    {
        let integer = Option::<BigInt>::deserialize(deserializer)?;
        integer
            .map(|integer| {
                T::try_from(&integer)
                    .map_err(|error| de::Error::custom(format_args!("{integer}: {error}")))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_javascript_reads_them() {
        for (text, digits) in [
            ("", "0"),
            ("-0", "0"),
            (" 007\n", "7"),
            ("\u{feff}7\u{a0}\u{2028}", "7"),
            ("+5", "5"),
            ("-12", "-12"),
            ("0xfF", "255"),
            ("0b101", "5"),
            ("0o17", "15"),
        ] {
            assert_eq!(text.parse::<BigInt>().unwrap().as_str(), digits, "{text:?}");
        }
        for text in
            ["-", "+", "abc", "1.5", "-0x1", "0x", "0x-1", "0x+1", "1e3", "1 2", "--1", "\u{85}7"]
        {
            assert_eq!(text.parse::<BigInt>(), Err(ParseBigIntError::Invalid), "{text:?}");
        }
    }

    #[test]
    fn the_number_of_digits_is_limited() {
        assert!("9".repeat(MAX_DIGITS).parse::<BigInt>().is_ok());
        assert_eq!("9".repeat(MAX_DIGITS + 1).parse::<BigInt>(), Err(ParseBigIntError::TooLong));
    }
}
