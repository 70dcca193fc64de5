//! Actions that Astro's own client calls: their input, their results and their errors, byte for byte as Astro has
//! them on the wire.
//!
//! This crate knows no HTTP framework. Users declare their actions with the one of theirs, such as
//! `cloakroom::axum::Actions`, and meet these types of here:
//!
//! | type | concept |
//! |---|---|
//! | [`ActionError`], [`ErrorCode`], [`Issue`] | how an action fails, and what its caller learns of it |
//! | [`FormData`], [`FormValue`], [`File`] | a form as it is, and uploads |
//! | [`Submitted`] | how a form's action ended, for the page after it |
//! | [`OriginCheck`] | which requests come from the site itself |
//!
//! Authors of framework adapters start at [`Registry`], [`read`] and [`Outcome`].
//!
//! # Input
//!
//! JSON and forms are read into any type that serde can deserialise. A form is read as Astro reads it for a schema: a
//! `bool` is `true` or `false`, or else whether the field is there; a list is all values of its name; a number is what
//! JavaScript's `Number` makes of the text; `address.town` is the field `town` of `address`; and an empty field is one
//! that is not there, which an `Option` or `#[serde(default)]` allows. All that is wrong with a form is told at once.
//!
//! # Where Astro is different
//!
//! - An error that the handler did not mean for its caller is logged, and its message stays here.
//! - JSON that cannot be read is 400, and so is a form that cannot.
//! - `Option<bool>` is `None` for a box that is not checked, and a field of nothing but spaces is no number.

mod call;
mod code;
mod error;
mod input;
mod issue;
mod origin;
mod outcome;
mod registry;
mod submitted;

pub use call::{Call, Caller};
pub use code::ErrorCode;
pub use error::{ActionError, Result};
#[cfg(feature = "garde-0-23")]
pub use input::validated;
pub use input::{Accept, BODY_LIMIT, File, FormData, FormValue, FromInput, RawInput, read};
pub use issue::{Issue, PathSegment};
pub use origin::OriginCheck;
pub use outcome::{FAILURE_FORMAT, Outcome};
pub use registry::{Action, REFUSAL_TYPE, Registry, Sent, refusal};
pub use submitted::Submitted;
