//! One file per JavaScript type that Rust and serde have no word for.

pub mod bigint;
pub(crate) mod buffer;
pub(crate) mod date;
pub(crate) mod js_string;
pub mod map;
pub(crate) mod regexp;
pub mod set;
pub(crate) mod temporal;
pub(crate) mod typed_array;
pub mod undefined;
pub mod url;
pub(crate) mod url_search_params;
