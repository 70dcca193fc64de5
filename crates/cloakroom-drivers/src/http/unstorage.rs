//! unstorage's own protocol, for a server in JavaScript.
//!
//! An answer that turns out to be of `cloakroom serve` is none here: whoever asked does so again in its protocol.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};

use super::other_end::{is_missing_in_unstorage, not_the_server};
use super::{BYTES, Headers, Http, NAME, path};
use crate::common::http::Response;
use cloakroom_storage::{Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome, When};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");

/// The answer of unstorage's server, or that there is another one.
pub(super) enum Heard<T> {
    Answer(T),
    Another,
}

use Heard::{Another, Answer};

impl Http {
    pub(super) async fn get_from_unstorage(&self, key: &ItemKey) -> Result<Heard<Option<Item>>> {
        let headers = vec![(ACCEPT, BYTES)];
        let Answer(answer) = self.ask_unstorage(Method::GET, key, headers, Bytes::new()).await?
        else {
            return Ok(Another);
        };
        match answer.status() {
            StatusCode::OK => {
                let value = answer.into_body();
                Ok(Answer(Some(Item::new(value.clone(), value))))
            }
            _ if is_missing_in_unstorage(&answer) => Ok(Answer(None)),
            _ => Err(self.failure(&answer)),
        }
    }

    pub(super) async fn set_in_unstorage(
        &self,
        key: &ItemKey,
        value: &Bytes,
        when: &When,
    ) -> Result<Heard<SetOutcome>> {
        refuse_condition(when)?;
        if value.is_empty() {
            let message = "unstorage's server drops empty values";
            return Err(Error::new(ErrorKind::Unsupported, message).with_driver(NAME));
        }
        let is_text = std::str::from_utf8(value).is_ok();
        let headers = vec![(CONTENT_TYPE, if is_text { TEXT } else { BYTES })];
        let Answer(answer) = self.ask_unstorage(Method::PUT, key, headers, value.clone()).await?
        else {
            return Ok(Another);
        };
        self.check_done(&answer)?;
        Ok(Answer(SetOutcome::Written { version: value.clone().into() }))
    }

    pub(super) async fn remove_from_unstorage(
        &self,
        key: &ItemKey,
        when: &When,
    ) -> Result<Heard<RemoveOutcome>> {
        refuse_condition(when)?;
        match self.has_in_unstorage(key).await? {
            Answer(true) => {}
            Answer(false) => return Ok(Answer(RemoveOutcome::Missing)),
            Another => return Ok(Another),
        }
        let headers = Headers::new();
        let Answer(answer) = self.ask_unstorage(Method::DELETE, key, headers, Bytes::new()).await?
        else {
            return Ok(Another);
        };
        self.check_done(&answer)?;
        Ok(Answer(RemoveOutcome::Removed))
    }

    /// Whether the item is there.
    pub(super) async fn has_in_unstorage(&self, key: &ItemKey) -> Result<Heard<bool>> {
        let headers = Headers::new();
        let Answer(answer) = self.ask_unstorage(Method::HEAD, key, headers, Bytes::new()).await?
        else {
            return Ok(Another);
        };
        match answer.status() {
            StatusCode::OK => Ok(Answer(true)),
            _ if is_missing_in_unstorage(&answer) => Ok(Answer(false)),
            _ => Err(self.failure(&answer)),
        }
    }

    async fn ask_unstorage(
        &self,
        method: Method,
        key: &ItemKey,
        headers: Headers,
        body: Bytes,
    ) -> Result<Heard<Response>> {
        let answer = self.send(method, &path(key), headers, body).await?;
        Ok(if self.is_another(&answer) { Another } else { Answer(answer) })
    }

    /// That the server has done what it was told, which it says in this one way.
    fn check_done(&self, answer: &Response) -> Result<()> {
        match answer.status() {
            status if status.is_success() && &answer.body()[..] == b"OK" => Ok(()),
            status if status.is_success() => Err(not_the_server(answer)),
            _ => Err(self.failure(answer)),
        }
    }
}

fn refuse_condition(when: &When) -> Result<()> {
    match when {
        When::Always => Ok(()),
        When::Absent | When::Version(_) => {
            let message =
                "this server cannot compare and swap; `cloakroom serve` can, over a store that can";
            Err(Error::new(ErrorKind::Unsupported, message).with_driver(NAME).with_unapplied(true))
        }
    }
}
