//! The container: how it is asked, and how it comes to be.

use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::NAME;
use crate::common::http::azure::{Key, date};
use crate::common::http::{Address, Client, Request, Response, encoded, refusal, unreadable};
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// The version of the service's API that is spoken.
const VERSION: HeaderValue = HeaderValue::from_static("2020-07-15");
const SESSION: HeaderName = HeaderName::from_static("x-ms-session-token");
const PARTITION: HeaderName = HeaderName::from_static("x-ms-documentdb-partitionkey");
const ACROSS: HeaderName = HeaderName::from_static("x-ms-documentdb-query-enablecrosspartition");

/// The path that stands for no partition key.
const NO_KEY: &str = "/_partitionKey";

/// A container of one account.
#[derive(Debug)]
pub(super) struct Container {
    client: Client,
    address: Address,
    key: Key,
    database: String,
    container: String,
    /// How a request says that a document has no partition key, known once the container was seen.
    no_key: OnceCell<HeaderValue>,
    /// How far this process has read and written.
    session: Mutex<Option<HeaderValue>>,
}

impl Container {
    pub(super) fn new(
        address: Address,
        key: Key,
        database: String,
        container: String,
    ) -> Result<Container> {
        Ok(Container {
            client: Client::new(NAME)?,
            address,
            key,
            database,
            container,
            no_key: OnceCell::new(),
            session: Mutex::default(),
        })
    }

    /// Asks for one document, or something of all.
    pub(super) async fn on_documents(
        &self,
        method: Method,
        id: Option<&str>,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response> {
        let no_key = self.no_key.get_or_try_init(|| self.find()).await?;
        let link = match id {
            Some(id) => format!("{}/docs/{id}", self.link()),
            None => self.link(),
        };
        let path = match id {
            Some(_) => path(&link),
            None => path(&format!("{link}/docs")),
        };
        let ask = async || {
            // Microsoft's clients say the latter with every request.
            let mut all =
                vec![(PARTITION, no_key.clone()), (ACROSS, HeaderValue::from_static("true"))];
            all.extend(self.session().clone().map(|token| (SESSION, token)));
            all.extend_from_slice(headers);
            let answer =
                self.send(method.clone(), "docs", &link, &path, &all, body.clone()).await?;
            if let Some(token) = answer.headers().get(SESSION) {
                let mut session = self.session();
                if session.as_ref().is_none_or(|known| is_later(token, known)) {
                    *session = Some(token.clone());
                }
            }
            Ok::<_, Error>(answer)
        };
        let answer = ask().await?;
        // Of the container, since there is no document to be missed.
        if id.is_none() && answer.status() == StatusCode::NOT_FOUND && !is_behind(&answer) {
            self.create().await?;
            return ask().await;
        }
        if is_behind(&answer) {
            // Perhaps it is the token of a container that was made anew since, which no replica ever catches up with.
            *self.session() = None;
            return Err(failure(&answer).with_unapplied(true));
        }
        Ok(answer)
    }

    fn link(&self) -> String {
        format!("dbs/{}/colls/{}", self.database, self.container)
    }

    fn session(&self) -> std::sync::MutexGuard<'_, Option<HeaderValue>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the container, and makes it if it is missing.
    async fn find(&self) -> Result<HeaderValue> {
        let link = self.link();
        let look = || self.send(Method::GET, "colls", &link, "", &[], Bytes::new());
        let mut answer = look().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            self.create().await?;
            answer = look().await?;
        }
        if answer.status() != StatusCode::OK {
            return Err(failure(&answer));
        }
        no_key(answer.body())
    }

    /// Makes the database and the container, where they are missing.
    async fn create(&self) -> Result<()> {
        let database = json!({ "id": self.database });
        self.make("dbs", "", "/dbs", &database).await?;
        let container = json!({
            "id": self.container,
            "partitionKey": { "paths": [NO_KEY], "kind": "Hash" },
            // Items may have a `ttl`, and have none by default.
            "defaultTtl": -1,
        });
        let link = format!("dbs/{}", self.database);
        self.make("colls", &link, &path(&format!("{link}/colls")), &container).await
    }

    async fn make(&self, kind: &str, link: &str, path: &str, body: &Value) -> Result<()> {
        let body = body.to_string().into();
        let answer = self.send(Method::POST, kind, link, path, &[], body).await?;
        match answer.status() {
            // Perhaps somebody else was faster.
            StatusCode::CREATED | StatusCode::CONFLICT => Ok(()),
            _ => Err(failure(&answer)),
        }
    }

    /// Sends a request to what is at `path`, which is the link's own where it is empty.
    async fn send(
        &self,
        method: Method,
        kind: &str,
        link: &str,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response> {
        let own;
        let path = match path {
            "" => {
                own = self::path(link);
                &own
            }
            path => path,
        };
        let date = date(NAME)?;
        let authorization = self.key.master_key(method.as_str(), kind, link, &date);
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.address.uri(NAME, path)?;
        let length = HeaderValue::from(request.body().len());
        let all = request.headers_mut();
        all.extend(headers.iter().cloned());
        all.insert(ACCEPT, HeaderValue::from_static("application/json"));
        all.insert("x-ms-version", VERSION);
        all.insert("x-ms-date", value(&date)?);
        all.insert(CONTENT_LENGTH, length);
        let mut authorization = value(&authorization)?;
        authorization.set_sensitive(true);
        all.insert(AUTHORIZATION, authorization);
        self.client.send(request).await
    }
}

/// The header of a write whose answer need not repeat the document.
pub(super) fn minimal() -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("prefer"), HeaderValue::from_static("return=minimal"))
}

/// A failure, with the service's word for it.
pub(super) fn failure(answer: &Response) -> Error {
    #[derive(Deserialize)]
    struct Said {
        code: String,
    }
    let said: Option<Said> = serde_json::from_slice(answer.body()).ok();
    let said = said.as_ref().map(|Said { code }| code.as_str());
    if is_behind(answer) {
        let message = "the replica that was asked is behind what this process has written";
        return Error::new(ErrorKind::Unavailable, message).with_driver(NAME);
    }
    match answer.status().as_u16() {
        // Two writes of one document met in the service, which carried out the other one.
        449 => Error::new(
            ErrorKind::Unavailable,
            "the store answered 449: another write was in the way",
        )
        .with_driver(NAME)
        .with_unapplied(true),
        // The partition has moved.
        410 => refusal(NAME, StatusCode::SERVICE_UNAVAILABLE, said),
        _ => refusal(NAME, answer.status(), said),
    }
}

/// Whether the service itself says that there is no such document: a gateway without a service says "not found" of all.
pub(super) fn is_missing(answer: &Response) -> bool {
    #[derive(Deserialize)]
    struct Said {
        code: String,
    }
    let said = serde_json::from_slice(answer.body()).ok();
    answer.status() == StatusCode::NOT_FOUND
        && said.is_some_and(|Said { code }| code == "NotFound")
        && !is_behind(answer)
}

/// Whether the answer is a 404 that says nothing of the document: its replica has not yet seen what the session has.
fn is_behind(answer: &Response) -> bool {
    let status = answer.headers().get("x-ms-substatus");
    answer.status() == StatusCode::NOT_FOUND && status.is_some_and(|status| status == "1002")
}

/// How a request says that a document has no partition key.
fn no_key(container: &[u8]) -> Result<HeaderValue> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Container {
        partition_key: Option<PartitionKey>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PartitionKey {
        paths: Vec<String>,
        #[serde(default)]
        system_key: bool,
    }
    let Container { partition_key } = serde_json::from_slice(container)
        .map_err(|error| unreadable(NAME, "the container", error))?;
    match partition_key {
        // Made before there were partition keys.
        None => Ok(HeaderValue::from_static("[]")),
        Some(PartitionKey { system_key: true, .. }) => Ok(HeaderValue::from_static("[]")),
        Some(PartitionKey { paths, .. }) if paths == [NO_KEY] => {
            Ok(HeaderValue::from_static("[{}]"))
        }
        Some(PartitionKey { paths, .. }) => {
            let message = format!(
                "option `containerName`: the container has the partition key `{}`, and unstorage finds its items only \
                 where that is `{NO_KEY}`; name another container, which is made then",
                paths.join("`, `")
            );
            Err(options::invalid(NAME, message))
        }
    }
}

/// Whether one session token is later than another: `PARTITION:VERSION#POSITION#…`.
fn is_later(token: &HeaderValue, known: &HeaderValue) -> bool {
    fn parts(token: &HeaderValue) -> Option<(&str, i64, i64)> {
        let (partition, position) = token.to_str().ok()?.split_once(':')?;
        let mut numbers = position.split('#').map(str::parse);
        Some((partition, numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
    match (parts(token), parts(known)) {
        (Some(token), Some(known)) if token.0 == known.0 => token.cmp(&known) == Ordering::Greater,
        // The partition was split, or this is a form that nobody knew.
        _ => true,
    }
}

/// The path of a link.
fn path(link: &str) -> String {
    link.split('/').map(|part| format!("/{}", encoded(part))).collect()
}

fn value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Other, "a header cannot have what it should say")
            .with_driver(NAME)
            .with_unapplied(true)
            .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_goes_on_and_never_back() {
        let is_later = |token, known| {
            is_later(&HeaderValue::from_static(token), &HeaderValue::from_static(known))
        };
        assert!(is_later("0:1#100#1=20", "0:1#99#1=20"));
        assert!(is_later("0:-1#100", "0:-1#20"), "numbers, not letters");
        assert!(is_later("0:2#5", "0:1#99"), "after a failover");
        assert!(!is_later("0:1#98#1=20", "0:1#99#1=20"));
        assert!(!is_later("0:1#99", "0:1#99"));
        assert!(is_later("1:1#5", "0:1#99"), "after a split");
        assert!(is_later("something new", "0:1#99"));
    }

    #[test]
    fn a_container_without_a_partition_key_says_how_to_say_so() {
        for (container, expected) in [
            (r#"{"id":"a","partitionKey":{"paths":["/_partitionKey"],"kind":"Hash"}}"#, "[{}]"),
            (r#"{"partitionKey":{"paths":["/_partitionKey"],"systemKey":true}}"#, "[]"),
            (r#"{"id":"a"}"#, "[]"),
        ] {
            assert_eq!(no_key(container.as_bytes()).expect(container), expected, "{container}");
        }
        let error = no_key(br#"{"partitionKey":{"paths":["/id"]}}"#).expect_err("another key");
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains("partition key `/id`"), "{error}");
    }
}
