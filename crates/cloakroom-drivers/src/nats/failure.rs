//! What went wrong, from the client's errors.

use std::error::Error as StdError;

use async_nats::ConnectErrorKind;
use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind, PublishError,
    PublishErrorKind, RequestError, RequestErrorKind,
};
use async_nats::jetstream::stream::{
    ConsumerError, ConsumerErrorKind, LastRawMessageError, LastRawMessageErrorKind, PurgeError,
    PurgeErrorKind,
};
use async_nats::jetstream::{Error as Refusal, ErrorCode};

use cloakroom_storage::{Error, ErrorKind};

pub(super) fn connecting(error: async_nats::ConnectError) -> Error {
    let refused =
        (ErrorKind::PermissionDenied, "NATS does not let us in; are the credentials right?");
    let (kind, message) = match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => refused,
        ConnectErrorKind::Tls => (ErrorKind::Unavailable, "NATS and we agree on no TLS"),
        _ => {
            (ErrorKind::Unavailable, "NATS cannot be reached; is its address right, and is it up?")
        }
    };
    Error::new(kind, message).with_unapplied(true).with_source(error)
}

/// The connection is lost, and being made again.
pub(super) fn disconnected() -> Error {
    let message = "the connection to NATS is lost, and being made again";
    Error::new(ErrorKind::Unavailable, message).with_unapplied(true)
}

pub(super) fn getting_stream(error: GetStreamError) -> Error {
    match error.kind() {
        GetStreamErrorKind::JetStream(refusal) => refused(&refusal, error),
        _ => lost(error),
    }
}

pub(super) fn creating_stream(error: CreateStreamError) -> Error {
    match error.kind() {
        CreateStreamErrorKind::JetStream(refusal) => refused(&refusal, error),
        CreateStreamErrorKind::TimedOut => late(error),
        CreateStreamErrorKind::JetStreamUnavailable => absent(error),
        _ => lost(error),
    }
}

pub(super) fn publishing(error: PublishError) -> Error {
    match error.kind() {
        PublishErrorKind::StreamNotFound => absent(error),
        PublishErrorKind::TimedOut => late(error),
        PublishErrorKind::MaxPayloadExceeded => {
            let message = "the value is larger than NATS takes; see its option `max_payload`";
            Error::new(ErrorKind::TooLarge, message).with_unapplied(true).with_source(error)
        }
        PublishErrorKind::MaxAckPending => {
            let message = "too many writes wait for NATS";
            Error::new(ErrorKind::Unavailable, message).with_unapplied(true).with_source(error)
        }
        _ => match refusal_within(&error) {
            Some(refusal) => refused(&refusal, error),
            None => lost(error),
        },
    }
}

/// Whether a bucket is there that was to be made.
pub(super) fn is_there_already(error: &CreateStreamError) -> bool {
    matches!(
        error.kind(),
        CreateStreamErrorKind::JetStream(refusal)
            if refusal.error_code() == ErrorCode::STREAM_NAME_EXIST
    )
}

pub(super) fn reading(error: LastRawMessageError) -> Error {
    match error.kind() {
        LastRawMessageErrorKind::JetStream(refusal) => refused(&refusal, error),
        _ => requesting(error),
    }
}

pub(super) fn purging(error: PurgeError) -> Error {
    match error.kind() {
        PurgeErrorKind::JetStream(refusal) => refused(&refusal, error),
        PurgeErrorKind::TimedOut => late(error),
        PurgeErrorKind::Request => requesting(error),
    }
}

pub(super) fn consuming(error: ConsumerError) -> Error {
    match error.kind() {
        ConsumerErrorKind::JetStream(refusal) => refused(&refusal, error),
        ConsumerErrorKind::TimedOut => late(error),
        _ => requesting(error),
    }
}

pub(super) fn receiving(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unavailable, "NATS broke off a list").with_source(error)
}

/// A request to JetStream's API failed before it was answered.
fn requesting(error: impl StdError + Send + Sync + 'static) -> Error {
    let source = error.source().and_then(|source| source.downcast_ref::<RequestError>());
    match source.map(RequestError::kind) {
        Some(RequestErrorKind::NoResponders) => absent(error),
        Some(RequestErrorKind::TimedOut) => late(error),
        _ => lost(error),
    }
}

/// JetStream answered that it will not.
fn refused(refusal: &Refusal, error: impl StdError + Send + Sync + 'static) -> Error {
    const MESSAGE_TOO_LARGE: ErrorCode = ErrorCode(10054);
    const NO_TTL: ErrorCode = ErrorCode(10166);
    let (kind, message) = match refusal.error_code() {
        ErrorCode::STREAM_NOT_FOUND => return absent(error),
        NO_TTL => return another(error),
        MESSAGE_TOO_LARGE => (ErrorKind::TooLarge, "the value is larger than the bucket takes"),
        ErrorCode::STREAM_STORE_FAILED
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES => {
            (ErrorKind::StorageFull, "NATS has no room left for the bucket")
        }
        ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
            (ErrorKind::Unsupported, "JetStream is not enabled on this server or for this account")
        }
        _ if refusal.code() >= 500 => (ErrorKind::Unavailable, "NATS has trouble of its own"),
        _ => (ErrorKind::Other, "NATS refuses this"),
    };
    let unapplied = kind != ErrorKind::Unavailable;
    Error::new(kind, message).with_unapplied(unapplied).with_source(error)
}

/// Whether another write came first: it is there, or, on several servers, on its way.
pub(super) fn is_of_another_write(error: &PublishError) -> bool {
    const ON_ITS_WAY: ErrorCode = ErrorCode(10164);
    error.kind() == PublishErrorKind::WrongLastSequence
        || refusal_within(error).is_some_and(|refusal| refusal.error_code() == ON_ITS_WAY)
}

fn refusal_within(error: &PublishError) -> Option<Refusal> {
    error.source()?.downcast_ref::<Refusal>().cloned()
}

/// Nobody answers for the bucket.
fn absent(error: impl StdError + Send + Sync + 'static) -> Error {
    let message = "NATS has no such bucket just now; is JetStream enabled?";
    Error::new(ErrorKind::Unavailable, message)
        .with_unapplied(true)
        .with_source(MissingBucket(Box::new(error)))
}

/// The bucket does not do what it did when it was looked at.
fn another(error: impl StdError + Send + Sync + 'static) -> Error {
    let message = "the bucket is another than it was, and is looked at anew";
    Error::new(ErrorKind::Unavailable, message)
        .with_unapplied(true)
        .with_source(MissingBucket(Box::new(error)))
}

fn late(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Timeout, "NATS did not answer in time").with_source(error)
}

fn lost(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Unavailable, "the connection to NATS was lost").with_source(error)
}

/// Whether the bucket was not there, or is another, so that it has to be made or looked at.
pub(super) fn is_missing_bucket(error: &Error) -> bool {
    error.source().is_some_and(|source| source.is::<MissingBucket>())
}

#[derive(Debug)]
struct MissingBucket(Box<dyn StdError + Send + Sync>);

impl std::fmt::Display for MissingBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody answers for the bucket that was")
    }
}

impl StdError for MissingBucket {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}
