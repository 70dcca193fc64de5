//! A bucket over a connection: what is asked of JetStream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::context::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use async_nats::{Client, HeaderMap, jetstream};
use bytes::Bytes;
use futures_util::StreamExt as _;

use super::options::Options;
use super::version::Seen;
use super::{NAME, failure, subject};
use crate::{Result, options, wall_clock};

/// An item's deadline, in milliseconds since 1970.
const EXPIRES: &str = "Cloakroom-Expires";
/// The version that a message goes on with which only moves a deadline.
const VERSION: &str = "Cloakroom-Version";
/// NATS's own, for a key that was deleted.
const OPERATION: &str = "KV-Operation";
/// NATS's own, in whole seconds.
const TTL: &str = "Nats-TTL";

/// How long the server remembers a list that nobody reads.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// The bucket, once there is a connection; and again when it is gone.
#[derive(Debug)]
pub(super) struct Buckets {
    options: Options,
    /// Held while one call connects, so that the others wait for it.
    connecting: tokio::sync::Mutex<Option<Client>>,
    current: Mutex<Option<Arc<Bucket>>>,
}

#[derive(Debug)]
pub(super) struct Bucket {
    client: Client,
    context: Context,
    stream: Stream<()>,
    /// `$KV.BUCKET.`
    prefix: String,
    /// Whether the server removes expired messages.
    pub(super) removes_expired: bool,
}

/// The latest message on a subject, or on one after the other.
pub(super) struct Entry {
    /// The subject within the bucket.
    pub(super) name: String,
    pub(super) sequence: u64,
    pub(super) value: Bytes,
    expires: Option<i64>,
    pub(super) version: Seen,
    is_deleted: bool,
}

/// A list that the server gives in pages, without the values.
pub(super) struct List<'a> {
    bucket: &'a Bucket,
    consumer: Consumer<pull::Config>,
}

impl Buckets {
    pub(super) fn new(options: Options) -> Buckets {
        Buckets { options, connecting: Default::default(), current: Mutex::default() }
    }

    pub(super) async fn get(&self) -> Result<Arc<Bucket>> {
        if let Some(bucket) = self.current() {
            return bucket.connected();
        }
        let mut client = self.connecting.lock().await;
        if let Some(bucket) = self.current() {
            return bucket.connected();
        }
        let client = match &*client {
            Some(client) => client,
            None => {
                let connection = self.options.connection().await?;
                let connected = connection.connect(self.options.addresses()?).await;
                client.insert(connected.map_err(failure::connecting)?)
            }
        };
        let bucket = Bucket::open(client.clone(), &self.options).await?;
        let bucket = Arc::new(bucket);
        *self.slot() = Some(bucket.clone());
        Ok(bucket)
    }

    pub(super) fn current(&self) -> Option<Arc<Bucket>> {
        self.slot().clone()
    }

    /// Looks for the bucket anew, and makes it where it is gone.
    pub(super) fn forget(&self) {
        *self.slot() = None;
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Bucket>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    async fn open(client: Client, given: &Options) -> Result<Bucket> {
        if client.connection_state() != State::Connected {
            return Err(failure::disconnected());
        }
        let context = jetstream::new(client.clone());
        let wanted = given.stream();
        let name = wanted.name.clone();
        let config = match context.get_stream(&name).await.map_err(failure::getting_stream) {
            Ok(stream) => stream.cached_info().config.clone(),
            Err(error) if failure::is_missing_bucket(&error) => {
                let made = context.create_stream(wanted).await;
                made.map_err(failure::creating_stream)?.cached_info().config.clone()
            }
            Err(error) => return Err(error),
        };
        if config.max_messages_per_subject != 1 {
            let message = "option `bucket`: the bucket keeps more than one revision of a key";
            return Err(options::invalid(NAME, message));
        }
        let stream = context.get_stream_no_info(&name).await.map_err(failure::getting_stream)?;
        Ok(Bucket {
            client,
            context,
            stream,
            prefix: format!("$KV.{}.", given.bucket),
            removes_expired: config.allow_message_ttl,
        })
    }

    /// Nothing is queued for a server that is away.
    fn connected(self: Arc<Self>) -> Result<Arc<Self>> {
        match self.client.connection_state() {
            State::Connected => Ok(self),
            State::Pending | State::Disconnected => Err(failure::disconnected()),
        }
    }

    fn subject(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The latest message, whatever it says.
    pub(super) async fn last(&self, name: &str) -> Result<Option<Entry>> {
        match self.stream.get_last_raw_message_by_subject(&self.subject(name)).await {
            Ok(message) => {
                let (sequence, value) = (message.sequence, message.payload);
                Ok(Some(Entry::read(name.to_owned(), sequence, value, &message.headers)))
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failure::reading(error)),
        }
    }

    /// Writes a message; its sequence, or `None` if the latest one is not the one that is expected. `version` is for one
    /// that goes on with a version.
    pub(super) async fn publish(
        &self,
        name: &str,
        value: &Bytes,
        expires: Option<i64>,
        expected: Option<u64>,
        version: Option<Seen>,
    ) -> Result<Option<u64>> {
        let mut headers = HeaderMap::new();
        if let Some(expires) = expires {
            headers.insert(EXPIRES, expires.to_string());
            if self.removes_expired {
                let left = expires.saturating_sub(wall_clock::now()).max(0);
                // Never early, by whole seconds and by clocks that differ.
                headers.insert(TTL, (left / 1000 + 2).to_string());
            }
        }
        if let Some(version) = version {
            headers.insert(VERSION, version.to_string());
        }
        let mut message = PublishMessage::build().payload(value.clone()).headers(headers);
        if let Some(expected) = expected {
            message = message.expected_last_subject_sequence(expected);
        }
        let sent = self.context.send_publish(self.subject(name), message).await;
        match sent.map_err(failure::publishing)?.await {
            Ok(ack) => Ok(Some(ack.sequence)),
            Err(error) if failure::is_of_another_write(&error) => Ok(None),
            Err(error) => Err(failure::publishing(error)),
        }
    }

    /// Removes the messages up to this one; whether there was any.
    pub(super) async fn purge(&self, name: &str, sequence: u64) -> Result<bool> {
        let purge = self.stream.purge().filter(self.subject(name)).sequence(sequence + 1);
        Ok(purge.await.map_err(failure::purging)?.purged > 0)
    }

    /// The messages for keys that begin with the whole segments of `prefix`.
    pub(super) async fn list(&self, prefix: &str, from: DeliverPolicy) -> Result<List<'_>> {
        let segments = prefix.rsplit_once(':').map_or("", |(segments, _)| segments);
        let within = match segments {
            "" => String::new(),
            segments => format!("{}.", subject::encode(segments)),
        };
        let consumer = self.stream.create_consumer(pull::Config {
            deliver_policy: from,
            ack_policy: AckPolicy::None,
            filter_subject: format!("{}{within}>", self.prefix),
            headers_only: true,
            inactive_threshold: FORGOTTEN,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        });
        Ok(List { bucket: self, consumer: consumer.await.map_err(failure::consuming)? })
    }
}

impl List<'_> {
    /// The next entries; none at the end.
    pub(super) async fn page(&self, length: usize) -> Result<Vec<Entry>> {
        let fetch = self.consumer.fetch().max_messages(length);
        let mut messages = fetch.messages().await.map_err(failure::receiving)?;
        let mut page = Vec::new();
        while let Some(message) = messages.next().await {
            let message = message.map_err(failure::receiving)?;
            let sequence = message.info().map_err(failure::receiving)?.stream_sequence;
            if let Some(name) = message.subject.strip_prefix(&self.bucket.prefix) {
                let headers = message.headers.clone().unwrap_or_default();
                page.push(Entry::read(name.to_owned(), sequence, Bytes::new(), &headers));
            }
        }
        Ok(page)
    }
}

impl Entry {
    fn read(name: String, sequence: u64, value: Bytes, headers: &HeaderMap) -> Entry {
        let header = |name: &str| headers.get(name).map(|value| value.as_str());
        let expires = header(EXPIRES).and_then(|expires| expires.parse().ok());
        let version = header(VERSION).and_then(|version| version.parse().ok());
        Entry {
            name,
            sequence,
            value,
            expires,
            version: version.unwrap_or_else(|| Seen::new(sequence, expires)),
            is_deleted: header(OPERATION).is_some_and(|operation| operation != "PUT"),
        }
    }

    pub(super) fn has_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= wall_clock::now())
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.is_deleted && !self.has_expired()
    }

    /// How long the item still lives; `None` where it stays.
    pub(super) fn remaining(&self) -> Option<Duration> {
        let left = self.expires?.saturating_sub(wall_clock::now());
        Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
    }
}
