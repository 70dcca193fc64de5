//! What S3 says when it does not do what it was asked for.

use quick_xml::de::from_reader;
use serde::Deserialize;

use super::NAME;
use crate::common::http::{Response, refusal};
use cloakroom_storage::{Error, ErrorKind};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refused {
    code: String,
}

/// The error's code, such as `NoSuchKey`. What stands beside it may name the item.
pub(super) fn code(response: &Response) -> Option<String> {
    let Refused { code } = from_reader(&response.body()[..]).ok()?;
    code.bytes().all(|letter| letter.is_ascii_alphanumeric()).then_some(code)
}

/// The error of an answer that is none of those that were hoped for.
pub(super) fn failure(response: &Response) -> Error {
    let code = code(response);
    let (kind, advice) = match code.as_deref() {
        Some("NoSuchBucket") => (
            ErrorKind::InvalidOptions,
            "there is no such bucket; make it, or correct the option `bucket`",
        ),
        Some("InvalidBucketName") => {
            (ErrorKind::InvalidOptions, "the option `bucket` is no bucket's name")
        }
        Some("AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect") => (
            ErrorKind::InvalidOptions,
            "the bucket is elsewhere; correct the option `region` or `endpoint`",
        ),
        Some("RequestTimeTooSkewed") => {
            (ErrorKind::PermissionDenied, "this machine's clock is wrong, so its signatures are")
        }
        Some(
            "ExpiredToken"
            | "InvalidAccessKeyId"
            | "InvalidToken"
            | "SignatureDoesNotMatch"
            | "TokenRefreshRequired",
        ) => (ErrorKind::PermissionDenied, "are the credentials right, and do they still count?"),
        Some("EntityTooLarge") => (ErrorKind::TooLarge, "the value is larger than it takes"),
        Some("KeyTooLongError") => (ErrorKind::InvalidKey, "the key is longer than it takes"),
        Some("ConditionalRequestConflict" | "OperationAborted") => {
            (ErrorKind::Unavailable, "somebody else is changing the same")
        }
        // It slows its clients down before it does anything.
        code @ Some("SlowDown") => {
            return refusal(NAME, response.status(), code).with_unapplied(true);
        }
        code => return refusal(NAME, response.status(), code),
    };
    let said = code.unwrap_or_default();
    Error::new(kind, format!("the store answered {} ({said}): {advice}", response.status()))
        .with_driver(NAME)
        .with_unapplied(true)
}
