//! JavaScript's `Temporal` types.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::tag;

/// Which `Temporal` type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are JavaScript's")]
pub enum TemporalKind {
    Duration,
    Instant,
    PlainDate,
    PlainTime,
    PlainDateTime,
    PlainMonthDay,
    PlainYearMonth,
    ZonedDateTime,
}

impl TemporalKind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Duration, "Temporal.Duration"),
        (Self::Instant, "Temporal.Instant"),
        (Self::PlainDate, "Temporal.PlainDate"),
        (Self::PlainTime, "Temporal.PlainTime"),
        (Self::PlainDateTime, "Temporal.PlainDateTime"),
        (Self::PlainMonthDay, "Temporal.PlainMonthDay"),
        (Self::PlainYearMonth, "Temporal.PlainYearMonth"),
        (Self::ZonedDateTime, "Temporal.ZonedDateTime"),
    ];

    /// JavaScript's name, with the namespace.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The kind of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, kind)| *kind == name).map(|(kind, _)| *kind)
    }
}

/// A JavaScript `Temporal` value: its kind and its text.
///
/// The text is checked for its form, not that the day exists, and kept as it is: what JavaScript would normalise is
/// not normalised. Node.js has `Temporal` since version 26 only, so [`Options::astro`](crate::Options::astro) does not
/// write it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Temporal {
    kind: TemporalKind,
    text: String,
}

/// The text is not of the form that the type's `toString` gives (RFC 9557, ISO 8601).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidTemporal(TemporalKind);

impl fmt::Display for InvalidTemporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the text of a {}", self.0.name())
    }
}

impl std::error::Error for InvalidTemporal {}

impl Temporal {
    /// The value of this text, as `toString` gives it in JavaScript.
    ///
    /// # Errors
    /// If the text has not the form of the kind.
    pub fn new(kind: TemporalKind, text: impl Into<String>) -> Result<Self, InvalidTemporal> {
        let text = text.into();
        if is_valid(kind, &text) { Ok(Temporal { kind, text }) } else { Err(InvalidTemporal(kind)) }
    }

    /// Which type it is.
    pub fn kind(&self) -> TemporalKind {
        self.kind
    }

    /// Its text, which jiff's types parse.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Other formats get the pair of the kind's name and the text.
impl Serialize for Temporal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::TEMPORAL, &(self.kind.name(), &self.text))
    }
}

fn is_valid(kind: TemporalKind, text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    let form = match kind {
        TemporalKind::Duration => rest.duration(),
        TemporalKind::Instant => rest.date() && rest.then_time() && rest.offset(),
        TemporalKind::PlainDate => rest.date() && rest.annotations(),
        TemporalKind::PlainTime => rest.time() && rest.annotations(),
        TemporalKind::PlainDateTime => rest.date() && rest.then_time() && rest.annotations(),
        TemporalKind::PlainMonthDay => {
            (rest.try_with(Rest::date) || rest.month() && rest.byte(b'-') && rest.day())
                && rest.annotations()
        }
        TemporalKind::PlainYearMonth => {
            (rest.try_with(Rest::date) || rest.year() && rest.byte(b'-') && rest.month())
                && rest.annotations()
        }
        TemporalKind::ZonedDateTime => {
            rest.date()
                && rest.then_time()
                && (rest.0.first() == Some(&b'[') || rest.offset())
                && rest.annotation()
                && rest.annotations()
        }
    };
    form && rest.0.is_empty()
}

/// What of a text is still to be read. Each method reads one thing, and says whether it was there.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn try_with(&mut self, read: impl FnOnce(&mut Self) -> bool) -> bool {
        let before = *self;
        let found = read(self);
        if !found {
            *self = before;
        }
        found
    }

    fn byte(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn digits(&mut self) -> usize {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = &self.0[count..];
        count
    }

    /// Two digits in a range.
    fn two(&mut self, range: std::ops::RangeInclusive<u8>) -> bool {
        match *self.0 {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ref rest @ ..] => {
                self.0 = rest;
                range.contains(&((tens - b'0') * 10 + ones - b'0'))
            }
            _ => false,
        }
    }

    fn year(&mut self) -> bool {
        if self.byte(b'+') || self.byte(b'-') { self.digits() == 6 } else { self.digits() == 4 }
    }

    fn month(&mut self) -> bool {
        self.two(1..=12)
    }

    fn day(&mut self) -> bool {
        self.two(1..=31)
    }

    fn date(&mut self) -> bool {
        self.year() && self.byte(b'-') && self.month() && self.byte(b'-') && self.day()
    }

    fn then_time(&mut self) -> bool {
        self.byte(b'T') && self.time()
    }

    fn time(&mut self) -> bool {
        self.two(0..=23)
            && self.byte(b':')
            && self.two(0..=59)
            && (!self.byte(b':') || self.two(0..=59) && self.fraction())
    }

    /// Nothing, or a point and one to nine digits.
    fn fraction(&mut self) -> bool {
        !self.byte(b'.') || (1..=9).contains(&self.digits())
    }

    fn offset(&mut self) -> bool {
        self.byte(b'Z') || (self.byte(b'+') || self.byte(b'-')) && self.time()
    }

    /// `[…]`: a time zone or a calendar.
    fn annotation(&mut self) -> bool {
        let end = self.0.iter().position(|&byte| byte == b']');
        match end {
            Some(end) if self.0[0] == b'[' && end > 1 => {
                let inside = &self.0[1..end];
                self.0 = &self.0[end + 1..];
                inside.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/_-+:.=!".contains(byte))
            }
            _ => false,
        }
    }

    fn annotations(&mut self) -> bool {
        while !self.0.is_empty() {
            if !self.annotation() {
                return false;
            }
        }
        true
    }

    fn duration(&mut self) -> bool {
        if !self.byte(b'-') {
            self.byte(b'+');
        }
        let mut found = false;
        if !self.byte(b'P') || !self.units(b"YMWD", &mut found) {
            return false;
        }
        if self.byte(b'T') {
            found = false;
            return self.units(b"HMS", &mut found) && found;
        }
        found
    }

    /// Numbers, each with one of the units, which come in this order.
    fn units(&mut self, mut units: &[u8], found: &mut bool) -> bool {
        while self.0.first().is_some_and(u8::is_ascii_digit) {
            self.digits();
            let fractional = self.0.first() == Some(&b'.');
            if !self.fraction() {
                return false;
            }
            let unit = self.0.first().and_then(|unit| units.iter().position(|u| u == unit));
            let Some(position) = unit else { return false };
            if fractional && units[position] != b'S' {
                return false;
            }
            units = &units[position + 1..];
            self.0 = &self.0[1..];
            *found = true;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{TemporalKind::*, *};

    #[test]
    fn the_form_is_checked() {
        for (kind, text) in [
            (Duration, "P1Y2M3DT4H5M6.007S"),
            (Duration, "-PT0.5S"),
            (Duration, "PT0S"),
            (Instant, "1970-01-01T00:00:00.000000001Z"),
            (PlainDate, "1999-09-29"),
            (PlainDate, "-000001-09-29[u-ca=japanese]"),
            (PlainTime, "12:34:56"),
            (PlainDateTime, "1999-09-29T12:34:56.789"),
            (PlainMonthDay, "09-29"),
            (PlainMonthDay, "1972-09-29[u-ca=hebrew]"),
            (PlainYearMonth, "1999-09"),
            (ZonedDateTime, "1999-09-29T12:34:56+00:00[UTC]"),
            (ZonedDateTime, "1999-09-29T12:34:56-03:30[America/St_Johns][u-ca=iso8601]"),
        ] {
            assert!(Temporal::new(kind, text).is_ok(), "{kind:?} {text}");
        }
        for (kind, text) in [
            (Duration, "P"),
            (Duration, "PT"),
            (Duration, "P1D2Y"),
            (Duration, "P1.5D"),
            (Duration, "1D"),
            (Instant, "1970-01-01T00:00:00"),
            (PlainDate, "nope"),
            (PlainDate, "1999-13-29"),
            (PlainTime, "25:00:00"),
            (PlainDateTime, "1999-09-29"),
            (PlainMonthDay, "9-29"),
            (PlainYearMonth, "1999"),
            (ZonedDateTime, "1999-09-29T12:34:56+00:00"),
            (ZonedDateTime, "1999-09-29T12:34:56+00:00[]"),
        ] {
            assert!(Temporal::new(kind, text).is_err(), "{kind:?} {text}");
        }
    }
}
