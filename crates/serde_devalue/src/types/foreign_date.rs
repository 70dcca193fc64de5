//! What the modules for the time crates have in common.

use std::fmt;

use super::date::Date;

/// The date is invalid, or beyond what the other type can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange(pub(super) Date);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is beyond the range of the type", self.0)
    }
}

impl std::error::Error for OutOfRange {}

/// A time crate's type for a moment: what the modules of [`date_module`] are generic over.
pub trait ForeignDate: Into<Date> + TryFrom<Date, Error = OutOfRange> + Clone {}

/// The functions of a module for `#[serde(with = "…")]`.
macro_rules! date_module {
    () => {
        use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

        use $crate::{Date, types::foreign_date::ForeignDate};

        /// Writes a moment as a Date.
        ///
        /// # Errors
        /// What the serializer reports.
        pub fn serialize<T: ForeignDate, S: Serializer>(
            moment: &T,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            let date: Date = moment.clone().into();
            date.serialize(serializer)
        }

        /// Reads a moment from a Date, an ISO string or a number of milliseconds.
        ///
        /// # Errors
        /// If it is none, or an invalid Date, or beyond the type's range.
        pub fn deserialize<'de, T: ForeignDate, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<T, D::Error> {
            T::try_from(Date::deserialize(deserializer)?).map_err(D::Error::custom)
        }

        /// The same for an `Option`.
        pub mod option {
            use super::*;

            /// Writes a moment as a Date, and `None` as null.
            ///
            /// # Errors
            /// What the serializer reports.
            pub fn serialize<T: ForeignDate, S: Serializer>(
                moment: &Option<T>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let date: Option<Date> = moment.clone().map(Into::into);
                date.serialize(serializer)
            }

            /// Reads a moment; null and undefined are `None`. Add `#[serde(default)]` for a missing field.
            ///
            /// # Errors
            /// If it is none, or an invalid Date, or beyond the type's range.
            pub fn deserialize<'de, T: ForeignDate, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<T>, D::Error> {
                let date = Option::<Date>::deserialize(deserializer)?;
                date.map(T::try_from).transpose().map_err(D::Error::custom)
            }
        }
    };
}

pub(crate) use date_module;
