//! What DynamoDB says when it does not do what it was asked for.

use serde::Deserialize;

use super::NAME;
use crate::common::http::{Response, refusal};
use cloakroom_storage::{Error, ErrorKind};

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "__type")]
    kind: String,
    /// May quote an item.
    #[serde(default, alias = "Message")]
    message: String,
}

/// The error's name, such as `ConditionalCheckFailedException`.
pub(super) fn name(response: &Response) -> Option<String> {
    let Refused { kind, .. } = serde_json::from_slice(response.body()).ok()?;
    let name = kind.rsplit('#').next().unwrap_or_default();
    name.bytes().all(|letter| letter.is_ascii_alphanumeric()).then(|| name.to_owned())
}

/// The error of an answer that is none of those that were hoped for.
pub(super) fn failure(response: &Response, table: &str) -> Error {
    let name = name(response);
    let (kind, advice) = match name.as_deref() {
        Some("ResourceNotFoundException") => return missing(table),
        Some(
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "TransactionConflictException"
            | "TransactionInProgressException",
        ) => (ErrorKind::Unavailable, "it is asked too often"),
        Some(
            "AccessDeniedException"
            | "ExpiredTokenException"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationTokenException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException",
        ) => (
            ErrorKind::PermissionDenied,
            "are the credentials and the clock right, and do they permit this?",
        ),
        Some("ValidationException") if is_too_large(response) => {
            (ErrorKind::TooLarge, "the value is larger than it takes")
        }
        Some("ValidationException") => {
            (ErrorKind::InvalidOptions, "is the table's key the string `id`, alone?")
        }
        name => return refusal(NAME, response.status(), name),
    };
    let said = name.unwrap_or_default();
    Error::new(kind, format!("the store answered {} ({said}): {advice}", response.status()))
        .with_driver(NAME)
        .with_unapplied(true)
}

/// What is wrong with a request has one name, whatever it is.
fn is_too_large(response: &Response) -> bool {
    serde_json::from_slice(response.body())
        .is_ok_and(|Refused { message, .. }| message.starts_with("Item size"))
}

/// There is no such table, or not in this region.
fn missing(table: &str) -> Error {
    let message = format!(
        "there is no table `{table}` in this region; make it: `aws dynamodb create-table --table-name {table} \
         --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \
         --billing-mode PAY_PER_REQUEST`, and `aws dynamodb update-time-to-live --table-name {table} \
         --time-to-live-specification Enabled=true,AttributeName=expires`"
    );
    Error::new(ErrorKind::InvalidOptions, message).with_driver(NAME).with_unapplied(true)
}
