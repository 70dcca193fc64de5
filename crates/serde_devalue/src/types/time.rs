//! Date from and to `time::OffsetDateTime` and `time::UtcDateTime`.

use time::{OffsetDateTime, UtcDateTime};

use super::{
    date::Date,
    foreign_date::{ForeignDate, OutOfRange},
};

/// The bits of the time types that are the same.
macro_rules! dates {
    ($($type:ty)*) => {$(
        impl From<$type> for Date {
            /// Cut off to milliseconds; an offset is lost, as JavaScript's Date has none.
            fn from(time: $type) -> Self {
                Date::from_millis(time.unix_timestamp_nanos().div_euclid(1_000_000) as f64)
            }
        }

        impl TryFrom<Date> for $type {
            type Error = OutOfRange;

            /// In UTC.
            fn try_from(date: Date) -> Result<Self, OutOfRange> {
                let millis = date.millis().ok_or(OutOfRange(date))?;
                <$type>::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
                    .map_err(|_| OutOfRange(date))
            }
        }

        impl ForeignDate for $type {}
    )*};
}

dates!(OffsetDateTime UtcDateTime);
