//! What went wrong, from R2's errors.

use wasm_bindgen::JsValue;

use super::NAME;
use crate::common::worker::message;
use cloakroom_storage::{Error, ErrorKind, Operation};

/// R2's errors are text with a number: `put: Reduce your concurrent request rate for the same object. (10058)`.
pub(super) fn failure(error: worker::Error, operation: Operation) -> Error {
    let text = message(&JsValue::from(error));
    let code = text.rsplit_once('(').and_then(|(_, code)| code.strip_suffix(')'));
    let (kind, unapplied) = match code {
        Some("10058") => (ErrorKind::Unavailable, true),
        Some("100100") => (ErrorKind::TooLarge, true),
        _ => (ErrorKind::Unavailable, false),
    };
    Error::new(kind, text).with_unapplied(unapplied).with_driver(NAME).with_operation(operation)
}
