//! A database at the other end of KV Connect.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::request::Builder;
use http::{HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use prost::Message;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::NAME;
use super::message::{
    AtomicWrite, AtomicWriteOutput, AtomicWriteStatus, KvEntry, ReadRange, SnapshotRead,
    SnapshotReadOutput, SnapshotReadStatus, VERSIONSTAMP,
};
use crate::common::http::{Client, Response, Secret, refusal, unreadable};
use cloakroom_storage::{Error, ErrorKind, Result};

/// The versions of the protocol that are spoken here, as they are offered.
///
/// DIFFERENCE: the first one, which JavaScript offers too, is not: it does not say whether an answer is up to date.
const OFFER: &[u8] = br#"{"supportedVersions":[2,3]}"#;

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("cloakroom-storage/", env!("CARGO_PKG_VERSION")));

/// How long before its end an access is given up.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Sends what reads and writes, to where the database says, with the token that it gives for it.
pub(super) struct Database {
    client: Client,
    url: Url,
    authorization: HeaderValue,
    access: Mutex<Option<Arc<Access>>>,
}

/// What the database tells those who may come in.
struct Access {
    /// Without a slash at its end.
    endpoint: String,
    authorization: HeaderValue,
    version: u8,
    database_id: HeaderValue,
    until: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    version: u8,
    database_id: String,
    endpoints: Vec<Endpoint>,
    token: Secret,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Endpoint {
    url: String,
    consistency: String,
}

impl Database {
    pub(super) fn new(url: Url, token: &Secret) -> Result<Database> {
        let authorization = token.header(NAME, "Bearer")?;
        Ok(Database { client: Client::new(NAME)?, url, authorization, access: Mutex::default() })
    }

    /// The entries of each range, all as they were at one moment.
    pub(super) async fn read(&self, ranges: Vec<ReadRange>) -> Result<Vec<Vec<KvEntry>>> {
        self.entries(ranges).await.map_err(|error| error.with_unapplied(true))
    }

    async fn entries(&self, ranges: Vec<ReadRange>) -> Result<Vec<Vec<KvEntry>>> {
        let count = ranges.len();
        let is_elsewhere = |output: &SnapshotReadOutput| {
            output.read_disabled
                || output.status() == SnapshotReadStatus::ReadDisabled
                || !output.read_is_strongly_consistent
        };
        let output = self.call("snapshot_read", &SnapshotRead { ranges }, is_elsewhere).await?;
        if is_elsewhere(&output) {
            return Err(unfit("it cannot be read at the place that it names for it"));
        }
        let entries: Vec<Vec<KvEntry>> =
            output.ranges.into_iter().map(|range| range.values).collect();
        let is_whole = entries.len() == count
            && entries.iter().flatten().all(|entry| entry.versionstamp.len() == VERSIONSTAMP);
        if is_whole { Ok(entries) } else { Err(unfit("its answer lacks a part")) }
    }

    /// The version of what was written; `None` where a check did not hold, and nothing was written.
    pub(super) async fn write(&self, write: &AtomicWrite) -> Result<Option<Bytes>> {
        let is_elsewhere =
            |output: &AtomicWriteOutput| output.status() == AtomicWriteStatus::WriteDisabled;
        let output = self.call("atomic_write", write, is_elsewhere).await?;
        match output.status() {
            AtomicWriteStatus::Success if output.versionstamp.len() == VERSIONSTAMP => {
                Ok(Some(output.versionstamp))
            }
            AtomicWriteStatus::CheckFailure => Ok(None),
            AtomicWriteStatus::WriteDisabled => {
                let message = "the database takes no writes now";
                Err(Error::new(ErrorKind::ReadOnly, message).with_unapplied(true))
            }
            AtomicWriteStatus::Success | AtomicWriteStatus::Unspecified => {
                Err(unfit("it does not say what became of a write"))
            }
        }
    }

    /// Sends a message and waits for another one. Where the database is elsewhere by now, or the token counts no more,
    /// asks it for its place and a token again.
    async fn call<Q, A>(
        &self,
        method: &str,
        question: &Q,
        is_elsewhere: impl Fn(&A) -> bool,
    ) -> Result<A>
    where
        Q: Message,
        A: Message + Default,
    {
        let body = Bytes::from(question.encode_to_vec());
        let access = self.access(None).await?;
        let response = self.post(&access, method, body.clone()).await?;
        let is_refused = response.status() == StatusCode::UNAUTHORIZED;
        if !is_refused {
            let answer = answer(&response)?;
            if !is_elsewhere(&answer) {
                return Ok(answer);
            }
        }
        let access = self.access(Some(&access)).await?;
        answer(&self.post(&access, method, body).await?)
    }

    async fn post(&self, access: &Access, method: &str, body: Bytes) -> Result<Response> {
        let uri = format!("{}/{method}", access.endpoint);
        let request = request(&uri, &access.authorization, "application/x-protobuf")
            .header("x-denokv-version", u16::from(access.version))
            .header("x-denokv-database-id", &access.database_id);
        self.send(request, body).await
    }

    /// The access that there is, unless it is this one or ends soon; else a new one.
    async fn access(&self, stale: Option<&Arc<Access>>) -> Result<Arc<Access>> {
        // Held until it is there, so that of many who come at once one asks.
        let mut current = self.access.lock().await;
        if let Some(access) = &*current
            && !stale.is_some_and(|stale| Arc::ptr_eq(stale, access))
            && access.until.duration_since(Timestamp::now()) > MARGIN
        {
            return Ok(access.clone());
        }
        // Nothing else was sent yet, or only what was refused.
        let access = self.ask().await.map_err(|error| error.with_unapplied(true))?;
        let access = Arc::new(access);
        *current = Some(access.clone());
        Ok(access)
    }

    /// The exchange that comes first.
    async fn ask(&self) -> Result<Access> {
        let request = request(self.url.as_str(), &self.authorization, "application/json");
        let response = self.send(request, Bytes::from_static(OFFER)).await?;
        if response.status().is_redirection() {
            // DIFFERENCE: JavaScript goes there. Here a token goes to nobody but the one that it was given for.
            let message = "the database is elsewhere, where the answer leads to; let `path` say so";
            return Err(Error::new(ErrorKind::InvalidOptions, message));
        }
        if response.status() != StatusCode::OK {
            return Err(refusal(NAME, response.status(), None));
        }
        let metadata: Metadata = serde_json::from_slice(response.body())
            .map_err(|error| unreadable(NAME, "the metadata", error))?;
        self.accept(&metadata)
    }

    async fn send(&self, request: Builder, body: Bytes) -> Result<Response> {
        let request = request.body(body).map_err(|error| unreadable(NAME, "the endpoint", error));
        self.client.send(request?).await
    }

    fn accept(&self, metadata: &Metadata) -> Result<Access> {
        if ![2, 3].contains(&metadata.version) {
            return Err(unfit("it speaks another version of KV Connect"));
        }
        let strong = metadata.endpoints.iter().find(|endpoint| endpoint.consistency == "strong");
        let endpoint = strong.and_then(|endpoint| self.url.join(&endpoint.url).ok());
        let endpoint = endpoint.filter(|url| matches!(url.scheme(), "http" | "https"));
        let endpoint = endpoint.ok_or_else(|| unfit("it names no place to write to"))?;
        let database_id = HeaderValue::from_str(&metadata.database_id)
            .map_err(|error| unreadable(NAME, "the database's ID", error))?;
        Ok(Access {
            endpoint: endpoint.as_str().trim_end_matches('/').to_owned(),
            authorization: metadata.token.header(NAME, "Bearer")?,
            version: metadata.version,
            database_id,
            until: metadata.expires_at,
        })
    }
}

fn request(uri: &str, authorization: &HeaderValue, content: &'static str) -> Builder {
    http::Request::post(uri)
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, content)
        .header(USER_AGENT, AGENT)
}

fn answer<A: Message + Default>(response: &Response) -> Result<A> {
    if response.status() != StatusCode::OK {
        return Err(refusal(NAME, response.status(), None));
    }
    A::decode(response.body().clone()).map_err(|error| unreadable(NAME, "the answer", error))
}

/// The database answers, and not as the protocol says.
fn unfit(reason: &str) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the database is of no use: {reason}"))
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}
