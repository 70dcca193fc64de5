//! On which condition an object is written.

use worker::Conditional;

/// On the condition that there is no object.
pub(super) fn absent() -> Conditional {
    Conditional { etag_does_not_match: Some("*".to_owned()), ..Conditional::default() }
}

/// The MD5 of nothing, which is the ETag of an empty object.
pub(super) const NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// On the condition that there is no empty object.
pub(super) fn not_empty() -> Conditional {
    Conditional { etag_does_not_match: Some(NOTHING.to_owned()), ..Conditional::default() }
}

/// On the condition that the object has this ETag.
pub(super) fn at(etag: &str) -> Conditional {
    Conditional { etag_matches: Some(etag.to_owned()), ..Conditional::default() }
}
