//! The tokens that devalue shares with JSON and JavaScript: strings and numbers, read and written.

mod escape;
pub(crate) mod number;
pub(crate) mod string;
