//! Date from and to `jiff::Timestamp`.

use jiff::Timestamp;

use super::{
    date::Date,
    foreign_date::{ForeignDate, OutOfRange},
};

impl From<Timestamp> for Date {
    /// Cut off to milliseconds.
    fn from(timestamp: Timestamp) -> Self {
        Date::from_millis(timestamp.as_nanosecond().div_euclid(1_000_000) as f64)
    }
}

impl TryFrom<Date> for Timestamp {
    type Error = OutOfRange;

    fn try_from(date: Date) -> Result<Self, OutOfRange> {
        let millis = date.millis().ok_or(OutOfRange(date))?;
        Timestamp::from_millisecond(millis).map_err(|_| OutOfRange(date))
    }
}

impl ForeignDate for Timestamp {}
