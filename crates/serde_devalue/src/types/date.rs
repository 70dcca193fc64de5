//! JavaScript's `Date`.
//!
//! The time crates serialize as strings, and JavaScript would find a string. [`Date`] converts from and to their types,
//! and the modules [`jiff`](crate::jiff), [`chrono`](crate::chrono) and [`time`](crate::time) (each with the feature of
//! its name) do it for a field: `#[serde(with = "serde_devalue::jiff")]`.

use std::{fmt, str::FromStr, time::SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::tag;

/// A JavaScript `Date`: a number of milliseconds since 1970 in UTC, or invalid.
///
/// Other formats see the ISO string, empty if the date is invalid.
///
/// ```
/// use serde_devalue::Date;
///
/// let date = Date::from_millis(1_000_000_000_000.0);
/// let text = serde_devalue::to_string(&date)?;
/// assert_eq!(text, r#"[["Date","2001-09-09T01:46:40.000Z"]]"#);
/// assert_eq!(serde_devalue::from_str::<Date>(&text)?, date);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// Equality is that of the moment, and all invalid dates are equal: a `Date` can be a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(Option<i64>);

/// The latest moment that a Date can hold, and minus the earliest: 100,000,000 days (ECMA-262, 21.4.1.1).
const MAX_MILLIS: i64 = 8_640_000_000_000_000;
const MILLIS_PER_DAY: i64 = 86_400_000;

impl Date {
    /// The date that is none: `new Date(NaN)`.
    pub const INVALID: Date = Date(None);

    /// `new Date(millis)`: fractions are cut off; NaN and what is out of range are invalid.
    pub fn from_millis(millis: f64) -> Self {
        if millis.abs() <= MAX_MILLIS as f64 { Date(Some(millis as i64)) } else { Self::INVALID }
    }

    /// The present moment.
    pub fn now() -> Self {
        #[cfg(all(target_family = "wasm", target_os = "unknown"))]
        return Self::from_millis(js_sys::Date::now());
        #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
        SystemTime::now().into()
    }

    /// The milliseconds since 1970, unless the date is invalid.
    pub fn millis(self) -> Option<i64> {
        self.0
    }

    /// Whether it is a moment at all.
    pub fn is_valid(self) -> bool {
        self.0.is_some()
    }

    /// Reads what JavaScript's `new Date(string)` reads of its own format (ECMA-262, 21.4.1.32), without which the
    /// date is invalid.
    ///
    /// A day up to 31 that the month does not have is one of the next month, as in V8.
    ///
    /// DIFFERENCE: a time without an offset is UTC here, not the machine's local time; other formats, which every
    /// engine reads in its own way, are invalid.
    pub fn parse(text: &str) -> Self {
        parse(text.as_bytes()).map_or(Self::INVALID, |millis| Self::from_millis(millis as f64))
    }
}

impl Date {
    /// The date of a text that `toISOString` makes of a year with four digits; `None` for any other, and for leap days.
    pub(crate) fn from_iso_text(text: &[u8]) -> Option<Self> {
        let ([date, hours, seconds], []) = text.as_chunks() else { return None };
        let (date, wrong_date) = digits(date, b"0000-00-");
        let (hours, wrong_hours) = digits(hours, b"00T00:00");
        let (seconds, wrong_seconds) = digits(seconds, b":00.000Z");
        if wrong_date | wrong_hours | wrong_seconds != 0 {
            return None;
        }
        // Each byte becomes the number that it and the next one are.
        let [date, hours, seconds] = [date, hours, seconds].map(|digits| {
            (digits.wrapping_mul(10).wrapping_add(digits >> 8)).to_le_bytes().map(u32::from)
        });
        let (year, month, day) = (date[0] * 100 + date[2], date[5], hours[0]);
        let (hours, minutes) = (hours[3], hours[6]);
        let (seconds, millis) = (seconds[1], seconds[4] * 10 + seconds[6] / 10);
        const DAYS: [u8; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let last_day = DAYS.get(month as usize).map_or(0, |days| (*days).into());
        let fits = (1..=last_day).contains(&day) && hours < 24 && minutes < 60 && seconds < 60;
        fits.then(|| {
            let days = days_from_civil(year, month, day);
            let time = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
            Date(Some(days * MILLIS_PER_DAY + i64::from(time)))
        })
    }
}

/// The value of each digit, where a pattern has a 0, and of the rest 0; and 0 if the text is of the pattern.
#[inline(always)]
fn digits(text: &[u8; 8], pattern: &[u8; 8]) -> (u64, u64) {
    let value = u64::from_le_bytes(*text) ^ u64::from_le_bytes(*pattern);
    // What is more than it may be becomes more than 15.
    let above = pattern.map(|byte| if byte == b'0' { 15 - 9 } else { 15 });
    let wrong = value | value.wrapping_add(u64::from_le_bytes(above));
    (value, wrong & u64::from_ne_bytes([0xf0; 8]))
}

/// Calls `f` with the text of `toISOString`, empty for an invalid date, without allocating.
#[inline]
pub(crate) fn with_iso_text<R>(date: Date, f: impl FnOnce(&str) -> R) -> R {
    let mut text = IsoText([b' '; 32]);
    f(date.0.and_then(|millis| text.write(millis)).unwrap_or_default())
}

/// What `toISOString` makes of a year with four digits; `None` of any other, and of an invalid date.
#[inline]
pub(crate) fn iso_bytes(date: Date) -> Option<[u8; 24]> {
    let (year, month, day, time) = fields(date.0?);
    let year = u32::try_from(year).ok().filter(|year| *year < 10_000)?;
    Some(iso_digits(year, month, day, time))
}

fn iso_digits(year: u32, month: u32, day: u32, time: u32) -> [u8; 24] {
    // Numbers of two digits, each in a place of its own, become the digits from there on.
    let digits = |[(at, a), (bt, b), (ct, c)]: [(u32, u32); 3]| {
        let numbers = u64::from(a) << at | u64::from(b) << bt | u64::from(c) << ct;
        let tens = (numbers * 103) >> 10 & (0xf << at | 0xf << bt | 0xf << ct);
        (numbers << 8) - tens * (10 * 256 - 1)
    };
    let (seconds, millis) = (time / 1000, time % 1000);
    let (minutes, hundredths) = (seconds / 60, millis / 10);
    let date = digits([(0, year / 100), (16, year % 100), (40, month)]);
    let hours = digits([(0, day), (24, minutes / 60), (48, minutes % 60)]);
    let seconds = digits([(8, seconds % 60), (32, hundredths), (48, 0)])
        | u64::from(millis - 10 * hundredths) << 48;
    let mut text = [0; 24];
    let words = [
        date | u64::from_le_bytes(*b"0000-00-"),
        hours | u64::from_le_bytes(*b"00T00:00"),
        seconds | u64::from_le_bytes(*b":00.000Z"),
    ];
    for (place, word) in text.as_chunks_mut().0.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
    text
}

/// The year, the month, the day and the milliseconds of the day.
fn fields(millis: i64) -> (i32, u32, u32, u32) {
    // A Date has fewer days than 2^27, and a day fewer milliseconds.
    let (year, month, day) = civil_from_days(millis.div_euclid(MILLIS_PER_DAY) as i32);
    (year, month, day, millis.rem_euclid(MILLIS_PER_DAY) as u32)
}

/// Aligned, it is found to be UTF-8 a word at a time.
#[repr(align(16))]
struct IsoText([u8; 32]);

impl IsoText {
    fn write(&mut self, millis: i64) -> Option<&str> {
        let (year, month, day, time) = fields(millis);
        let century = year.unsigned_abs() / 100;
        let digits = iso_digits(year.unsigned_abs() % 10_000, month, day, time);
        let (text, mut length) = (&mut self.0, 24);
        // Only years of up to four digits have no sign.
        if (0..=9999).contains(&year) {
            text[..24].copy_from_slice(&digits);
        } else {
            text[3..27].copy_from_slice(&digits);
            text[0] = if year < 0 { b'-' } else { b'+' };
            text[1] = b'0' + (century / 1000) as u8;
            text[2] = b'0' + (century / 100 % 10) as u8;
            length += 3;
        }
        std::str::from_utf8(&self.0).ok()?.get(..length)
    }
}

/// The proleptic Gregorian date of a day since 1970, for the days of a [`Date`] (Neri and Schneider, "Euclidean affine
/// functions and their application to calendar algorithms").
fn civil_from_days(days: i32) -> (i32, u32, u32) {
    // Counted from a multiple of 400 years before all of them, in years that begin with March.
    const ERAS: i32 = 700;
    let days = (days + 719_468 + ERAS * 146_097) as u32;
    let (century, day_of_century) = ((4 * days + 3) / 146_097, (4 * days + 3) % 146_097 / 4);
    let year_and_day = 2_939_745 * u64::from(4 * day_of_century + 3);
    let year = century * 100 + (year_and_day >> 32) as u32;
    let day_of_year = year_and_day as u32 / 2_939_745 / 4;
    let month_and_day = 2141 * day_of_year + 197_913;
    let (month, day) = (month_and_day >> 16, month_and_day % 65_536 / 2141 + 1);
    let is_next_year = day_of_year >= 306;
    let month = if is_next_year { month - 12 } else { month };
    (year as i32 - ERAS * 400 + i32::from(is_next_year), month, day)
}

/// The inverse of [`civil_from_days`], of years from 0 to 9999.
fn days_from_civil(year: u32, month: u32, day: u32) -> i64 {
    // Counted from 400 years before, in years that begin with March.
    let is_early = month <= 2;
    let year = year + 400 - u32::from(is_early);
    let month = if is_early { month + 9 } else { month - 3 };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    i64::from(days) - 1 - 719_468 - 146_097
}

/// The milliseconds of a date in JavaScript's format.
fn parse(text: &[u8]) -> Option<i64> {
    let mut rest = text;
    let year = match rest.first()? {
        sign @ (b'+' | b'-') => {
            rest = &rest[1..];
            let year = take_digits(&mut rest, 6)?;
            match sign {
                b'-' if year == 0 => return None,
                b'-' => -year,
                _ => year,
            }
        }
        _ => take_digits(&mut rest, 4)?,
    };
    let (mut month, mut day) = (1, 1);
    if take(&mut rest, b'-') {
        month = take_digits(&mut rest, 2)?;
        if take(&mut rest, b'-') {
            day = take_digits(&mut rest, 2)?;
        }
    }
    // `days_from_civil` carries the days that a month does not have into the next one.
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let eras = year.div_euclid(400);
    let days = days_from_civil(year.rem_euclid(400) as u32, month as u32, day as u32);
    let mut millis = (days + eras * 146_097) * MILLIS_PER_DAY;
    if take(&mut rest, b'T') {
        millis += parse_time(&mut rest)?;
    }
    rest.is_empty().then_some(millis)
}

/// `HH:mm`, `HH:mm:ss` or `HH:mm:ss.sss`, and an offset.
fn parse_time(rest: &mut &[u8]) -> Option<i64> {
    let hours = take_digits(rest, 2)?;
    if !take(rest, b':') {
        return None;
    }
    let minutes = take_digits(rest, 2)?;
    let mut seconds = 0;
    let mut millis = 0;
    if take(rest, b':') {
        seconds = take_digits(rest, 2)?;
        if take(rest, b'.') {
            let fraction = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if fraction == 0 {
                return None;
            }
            for place in 0..3 {
                let digit = rest[..fraction].get(place).map_or(0, |digit| i64::from(digit - b'0'));
                millis = millis * 10 + digit;
            }
            *rest = &rest[fraction..];
        }
    }
    let midnight = hours == 24 && minutes == 0 && seconds == 0 && millis == 0;
    if (hours > 23 && !midnight) || minutes > 59 || seconds > 59 {
        return None;
    }
    let offset = match rest.first() {
        None => 0,
        Some(b'Z') => {
            *rest = &rest[1..];
            0
        }
        Some(sign @ (b'+' | b'-')) => {
            *rest = &rest[1..];
            let hours = take_digits(rest, 2)?;
            if !take(rest, b':') {
                return None;
            }
            let minutes = take_digits(rest, 2)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        Some(_) => return None,
    };
    Some(((hours * 60 + minutes - offset) * 60 + seconds) * 1000 + millis)
}

fn take(rest: &mut &[u8], byte: u8) -> bool {
    let found = rest.first() == Some(&byte);
    if found {
        *rest = &rest[1..];
    }
    found
}

fn take_digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let digits = rest.get(..count)?;
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + i64::from(digit - b'0');
    }
    *rest = &rest[count..];
    Some(number)
}

/// The text of `toISOString`, or `Invalid Date`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_iso_text(*self, |text| f.pad(if text.is_empty() { "Invalid Date" } else { text }))
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}

/// The text is not of JavaScript's date format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseDateError;

impl fmt::Display for ParseDateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date of the form 2020-01-31T12:34:56.789Z")
    }
}

impl std::error::Error for ParseDateError {}

/// As [`Date::parse`], but an invalid date is an error.
impl FromStr for Date {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        let date = Date::parse(text);
        if date.is_valid() { Ok(date) } else { Err(ParseDateError) }
    }
}

/// Cut off to milliseconds; out of range is invalid.
impl From<SystemTime> for Date {
    fn from(time: SystemTime) -> Self {
        let nanos = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
            Err(before) => i128::try_from(before.duration().as_nanos()).map_or(i128::MIN, |n| -n),
        };
        Date::from_millis(nanos.div_euclid(1_000_000) as f64)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::DATE, &AsText(*self))
    }
}

struct AsText(Date);

impl Serialize for AsText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        with_iso_text(self.0, |text| serializer.serialize_str(text))
    }
}

/// Reads a Date, a string of its format, or a number of milliseconds.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(tag::DATE, DateVisitor)
    }
}

struct DateVisitor;

impl<'de> de::Visitor<'de> for DateVisitor {
    type Value = Date;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Date, a date as an ISO string, or a number of milliseconds")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
        match text {
            "" => Ok(Date::INVALID),
            text => text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_f64<E: de::Error>(self, millis: f64) -> Result<Date, E> {
        Ok(Date::from_millis(millis))
    }

    fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Date, E> {
        Ok(Date::from_millis(millis as f64))
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Date, E> {
        Ok(Date::from_millis(millis as f64))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Date, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_javascript_writes_them() {
        for (millis, text) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (-1.0, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (8.64e15, "+275760-09-13T00:00:00.000Z"),
            (-8.64e15, "-271821-04-20T00:00:00.000Z"),
            (-62_167_219_200_001.0, "-000001-12-31T23:59:59.999Z"),
            (-62_167_219_200_000.0, "0000-01-01T00:00:00.000Z"),
            (253_402_300_800_000.0, "+010000-01-01T00:00:00.000Z"),
            (1.9, "1970-01-01T00:00:00.001Z"),
        ] {
            assert_eq!(Date::from_millis(millis).to_string(), text);
            assert_eq!(Date::parse(text), Date::from_millis(millis), "{text}");
        }
        assert_eq!(Date::from_millis(f64::NAN), Date::INVALID);
        assert_eq!(Date::from_millis(8.64e15 + 1.0), Date::INVALID);
        assert_eq!(Date::INVALID.to_string(), "Invalid Date");
    }

    #[test]
    fn shorter_forms_and_offsets_are_read() {
        for (text, millis) in [
            ("2020", 1_577_836_800_000),
            ("2020-01", 1_577_836_800_000),
            ("2020-01-01", 1_577_836_800_000),
            ("2020-01-01T00:00", 1_577_836_800_000),
            ("2020-01-01T00:00:00+02:00", 1_577_829_600_000),
            ("2020-01-01T00:00:00.1234567-00:30", 1_577_838_600_123),
            ("2019-12-31T24:00Z", 1_577_836_800_000),
            ("2019-02-30", 1_551_484_800_000),
            ("2020-02-30", 1_583_020_800_000),
        ] {
            assert_eq!(Date::parse(text).millis(), Some(millis), "{text}");
        }
    }

    #[test]
    fn everything_else_is_an_invalid_date() {
        for text in [
            "",
            "garbage",
            "2020-13-01",
            "2020-02-32",
            "2020-01-00",
            "2020-01-01T25:00",
            "2020-01-01T00",
            "2020-01-01T00:00:60Z",
            "2020-01-01T00:00:00.Z",
            "-000000-01-01T00:00:00.000Z",
            "2020-01-01T00:00:00ZZ",
            "+275760-09-13T00:00:00.001Z",
        ] {
            assert_eq!(Date::parse(text), Date::INVALID, "{text}");
            assert_eq!(text.parse::<Date>(), Err(ParseDateError));
        }
    }

    #[test]
    fn what_is_written_is_read_in_the_short_way() {
        for millis in (-62_167_219_200_000_i64..253_402_300_800_000).step_by(86_399_999_973) {
            let date = Date::from_millis(millis as f64);
            with_iso_text(date, |text| {
                let leap_day = text[5..].starts_with("02-29");
                let expected = (!leap_day).then_some(date);
                assert_eq!(Date::from_iso_text(text.as_bytes()), expected, "{text}");
                assert_eq!(Date::parse(text), date, "{text}");
            });
        }
    }

    #[test]
    fn system_time_converts() {
        let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_nanos(1);
        assert_eq!(Date::from(before).millis(), Some(-1));
    }
}
