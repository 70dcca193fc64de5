//! Date from and to `chrono::DateTime`.

use chrono::{DateTime, FixedOffset, TimeZone, Utc};

use super::{
    date::Date,
    foreign_date::{ForeignDate, OutOfRange},
};

impl<Z: TimeZone> From<DateTime<Z>> for Date {
    /// Cut off to milliseconds; the offset is lost, as JavaScript's Date has none.
    fn from(time: DateTime<Z>) -> Self {
        Date::from_millis(time.timestamp_millis() as f64)
    }
}

impl TryFrom<Date> for DateTime<Utc> {
    type Error = OutOfRange;

    fn try_from(date: Date) -> Result<Self, OutOfRange> {
        date.millis().and_then(DateTime::from_timestamp_millis).ok_or(OutOfRange(date))
    }
}

impl TryFrom<Date> for DateTime<FixedOffset> {
    type Error = OutOfRange;

    /// In UTC.
    fn try_from(date: Date) -> Result<Self, OutOfRange> {
        DateTime::<Utc>::try_from(date).map(Into::into)
    }
}

impl ForeignDate for DateTime<Utc> {}
impl ForeignDate for DateTime<FixedOffset> {}
