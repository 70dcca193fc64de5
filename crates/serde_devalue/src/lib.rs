//! Placeholder.

mod error;
mod text;

pub use error::{Error, Result};
