//! The value in a request.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::refusal::Refusal;

/// How long a value may be on its way, the part of it that is thrown away included.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of a refused value is taken off the wire.
const LARGEST_DISCARDED: usize = 64 * 1024 * 1024;

/// A value on its way.
pub(crate) struct Incoming {
    body: Body,
    deadline: Instant,
}

impl Incoming {
    pub(crate) fn new(body: Body) -> Incoming {
        Incoming { body, deadline: Instant::now() + PATIENCE }
    }

    /// Reads a value of at most this many bytes. What is declared to be longer is refused before it is read.
    pub(crate) async fn read(&mut self, max_size: usize) -> Result<Bytes, Refusal> {
        let too_large = || {
            let message =
                format!("the value is larger than {max_size} bytes, which is the limit here");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        };
        if self.body.size_hint().lower() > max_size as u64 {
            return Err(too_large());
        }
        let reading = async {
            let mut value = BytesMut::new();
            while let Some(frame) = self.body.frame().await {
                let frame = frame.map_err(|_| {
                    Refusal::new(StatusCode::BAD_REQUEST, "the value did not arrive whole")
                })?;
                let part = frame.into_data().unwrap_or_default();
                if value.len() + part.len() > max_size {
                    return Err(too_large());
                }
                value.extend_from_slice(&part);
            }
            Ok(value.freeze())
        };
        timeout_at(self.deadline, reading).await.unwrap_or_else(|_| {
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the value took too long to arrive"))
        })
    }

    /// Takes the rest of a value off the wire: most clients, JavaScript's among them, read no answer before they have sent
    /// all, and would see a broken connection instead of why they were refused.
    pub(crate) async fn discard(mut self) {
        let mut left = LARGEST_DISCARDED;
        let discarding = async {
            while let Some(Ok(frame)) = self.body.frame().await {
                match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                    Some(rest) => left = rest,
                    None => return,
                }
            }
        };
        // Whoever is slower does see a broken connection.
        _ = timeout_at(self.deadline, discarding).await;
    }

    /// # Errors
    /// When there is a value where none is expected.
    pub(crate) fn refuse(&self) -> Result<(), Refusal> {
        match self.body.size_hint().exact() {
            Some(0) => Ok(()),
            _ => Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "`PATCH` moves a deadline, and takes no value; `PUT` does",
            )),
        }
    }
}
