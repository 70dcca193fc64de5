//! One file per JavaScript type that Rust and serde have no word for.

pub mod bigint;
pub(crate) mod buffer;
#[cfg(feature = "chrono")]
mod chrono;
pub(crate) mod date;
#[cfg(any(feature = "jiff", feature = "chrono", feature = "time"))]
pub(crate) mod foreign_date;
#[cfg(feature = "jiff")]
mod jiff;
pub(crate) mod js_string;
pub mod map;
pub(crate) mod regexp;
pub mod set;
pub(crate) mod temporal;
#[cfg(feature = "time")]
mod time;
pub(crate) mod typed_array;
pub mod undefined;
pub mod url;
pub(crate) mod url_search_params;
