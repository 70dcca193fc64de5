//! The server, as it is reached over HTTP.

use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use serde::Serialize;
use serde_json::{Map, Value};

use super::command::Command;
use super::tokens::{About, Tokens};
use crate::common::http::{Address, Client, Request, Secret, refusal, unreadable};
use crate::common::keyspace;
use cloakroom_storage::{Error, ErrorKind, Result};

/// Tells the server's copies how far a reader has to see.
const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

/// A server that takes commands over HTTP.
#[derive(Debug)]
pub(super) struct Rest {
    driver: &'static str,
    client: Client,
    address: Address,
    authorization: HeaderValue,
    sync_tokens: Mutex<Tokens>,
}

/// A command that was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said why.
    Refused { driver: &'static str, code: String, detail: String },
    /// Anything else.
    Other(Error),
}

/// What a command gave; texts in base64.
#[derive(Debug)]
pub(super) struct Answer {
    driver: &'static str,
    value: Value,
}

/// An answer as JSON has it, with a `result` or an `error`.
type Outcome = Map<String, Value>;

/// What Redis refused with.
fn said(outcome: &Outcome) -> Option<&str> {
    outcome.get("error").and_then(Value::as_str)
}

impl Rest {
    pub(super) fn new(driver: &'static str, address: Address, token: &Secret) -> Result<Rest> {
        Ok(Rest {
            driver,
            client: Client::new(driver)?,
            address,
            authorization: token.header(driver, "Bearer")?,
            sync_tokens: Mutex::default(),
        })
    }

    pub(super) fn driver(&self) -> &'static str {
        self.driver
    }

    /// Sends a command and waits for its answer.
    pub(super) async fn command(
        &self,
        about: About<'_>,
        command: &Command<'_>,
    ) -> Result<Answer, Failure> {
        let body = self.post("/", about, command).await?;
        let outcome = serde_json::from_slice(&body).map_err(|error| self.unreadable(error))?;
        self.answer(outcome)
    }

    /// Sends two commands, in one round trip.
    pub(super) async fn both(
        &self,
        about: About<'_>,
        commands: [&Command<'_>; 2],
    ) -> Result<[Answer; 2], Failure> {
        let body = self.post("/pipeline", about, &commands).await?;
        let [one, other]: [Outcome; 2] =
            serde_json::from_slice(&body).map_err(|error| self.unreadable(error))?;
        Ok([self.answer(one)?, self.answer(other)?])
    }

    async fn post<T: Serialize + ?Sized>(
        &self,
        path: &str,
        about: About<'_>,
        body: &T,
    ) -> Result<Bytes, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorKind::Other, "a command is no JSON").with_source(error)
        })?;
        let mut request = Request::new(body.into());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.address.uri(self.driver, path)?;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("upstash-encoding", HeaderValue::from_static("base64"));
        let named = self.sync_tokens().named(about);
        headers.extend(named.token.clone().map(|token| (SYNC_TOKEN, token)));
        let mut response = self.client.send(request).await?;
        if response.status().is_success() {
            if let Some(token) = response.headers_mut().remove(SYNC_TOKEN) {
                self.sync_tokens().learn(about, &named, token);
            }
            return Ok(response.into_body());
        }
        let outcome = serde_json::from_slice(response.body()).ok();
        let outcome: Outcome = outcome.unwrap_or_default();
        match said(&outcome) {
            Some(said) if response.status() == http::StatusCode::BAD_REQUEST => {
                Err(self.refused(said))
            }
            said => Err(refusal(self.driver, response.status(), said).into()),
        }
    }

    fn answer(&self, mut outcome: Outcome) -> Result<Answer, Failure> {
        if let Some(said) = said(&outcome) {
            return Err(self.refused(said));
        }
        let Some(value) = outcome.remove("result") else {
            return Err(self.unreadable(serde::de::Error::missing_field("result")).into());
        };
        Ok(Answer { driver: self.driver, value })
    }

    fn refused(&self, said: &str) -> Failure {
        let (code, detail) = said.split_once(' ').unwrap_or((said, ""));
        Failure::Refused { driver: self.driver, code: code.to_owned(), detail: detail.to_owned() }
    }

    fn unreadable(&self, error: serde_json::Error) -> Error {
        unreadable(self.driver, "the answer to a command", error)
    }

    fn sync_tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.sync_tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// Whether there is none, as for a key that is not there.
    pub(super) fn is_nothing(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn number(self) -> Result<i64> {
        self.value.as_i64().ok_or_else(|| self.misread("a number"))
    }

    /// The bytes that a text stands for.
    pub(super) fn bytes(self) -> Result<Option<Bytes>> {
        match &self.value {
            Value::Null => Ok(None),
            Value::String(text) => match BASE64_STANDARD.decode(text) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) => Err(unreadable(self.driver, "a value", error)),
            },
            _ => Err(self.misread("a value")),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Answer>> {
        let driver = self.driver;
        match self.value {
            Value::Array(values) => {
                Ok(values.into_iter().map(|value| Answer { driver, value }).collect())
            }
            _ => Err(self.misread("a list")),
        }
    }

    /// Something else than what this command gives.
    pub(super) fn misread(&self, expected: &str) -> Error {
        let cause = std::io::Error::from(std::io::ErrorKind::InvalidData);
        unreadable(self.driver, &format!("what came for {expected}"), cause)
    }
}

impl Failure {
    /// Whether the server does not know the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Failure::Refused { code, .. } if code == "NOSCRIPT")
    }

    /// What a caller gets.
    pub(super) fn into_error(self) -> Error {
        match self {
            Failure::Refused { driver, code, detail } => keyspace::refusal(driver, &code, &detail),
            Failure::Other(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Other(error)
    }
}
