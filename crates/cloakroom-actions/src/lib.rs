//! Actions that Astro's own client calls.

mod code;
mod error;
mod input;
mod issue;
mod outcome;

pub use code::ErrorCode;
pub use error::{ActionError, Result};
#[cfg(feature = "garde-0-23")]
pub use input::validated;
pub use input::{Accept, BODY_LIMIT, File, FormData, FormValue, FromInput, RawInput, read};
pub use issue::{Issue, PathSegment};
pub use outcome::Outcome;
