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
//! So are types that serde reads before it knows what they are: enums with a tag (`kind=update&id=5`, Astro's
//! `discriminatedUnion`), flattened structs, and enums without a tag, of which it is the first that the form can be. Rules
//! that such a type has for a value in its own code are told of the whole object and not of the field. A list of objects and a
//! list of lists no form can be: that is an error of the program's, 500 and in the log.
//!
//! # Where Astro is different
//!
//! - An error that the handler did not mean for its caller is logged, and its message stays here.
//! - JSON that cannot be read is 400, and so is a form that cannot.
//! - `Option<bool>` is `None` for a box that is not checked, `Option<Vec<_>>` for a list that is not there, and a field of
//!   nothing but spaces is no number.
//! - A default takes the place of a field that is empty, too, and not only of one that is not there.
//! - A form that calls no action of the site's leads back to its page by way of the session, as any other that failed.

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

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
