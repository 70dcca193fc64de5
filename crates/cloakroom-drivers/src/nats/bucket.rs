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
use super::{NAME, failure, subject, version};
use crate::common::wall_clock;
use cloakroom_storage::{Result, options, platform::random};

/// An item's deadline, in milliseconds since 1970.
const EXPIRES: &str = "Cloakroom-Expires";
/// The version that a message goes on with which only moves a deadline.
const VERSION: &str = "Cloakroom-Version";
/// Tells a message from another that has, or had, its sequence.
const WRITE: &str = "Cloakroom-Write";
/// NATS's own, for a key that was deleted.
const OPERATION: &str = "KV-Operation";
/// NATS's own, in whole seconds.
const TTL: &str = "Nats-TTL";

/// How long the server remembers a list that nobody reads.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// How long the server may wait for the rest of a page.
const PAGE_PATIENCE: Duration = Duration::from_secs(1);

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
        let mut found = context.get_stream(&name).await.map_err(failure::getting_stream);
        if found.as_ref().is_err_and(failure::is_missing_bucket) {
            found = match context.create_stream(wanted).await {
                // Somebody else was faster, and begins at another sequence.
                Err(error) if failure::is_there_already(&error) => {
                    context.get_stream(&name).await.map_err(failure::getting_stream)
                }
                made => made.map_err(failure::creating_stream),
            };
        }
        let found = found?;
        let config = found.cached_info().config.clone();
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

    /// Writes a message; its version, or `None` if the latest one is not the one that is expected. `version` is for one
    /// that goes on with a version.
    pub(super) async fn publish(
        &self,
        name: &str,
        value: &Bytes,
        expires: Option<i64>,
        expected: Option<u64>,
        version: Option<Seen>,
    ) -> Result<Option<Seen>> {
        let write = random::number();
        let mut headers = HeaderMap::new();
        headers.insert(WRITE, write.to_string());
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
        let sequence = self.send(name, message).await?;
        Ok(sequence.map(|sequence| Seen::new(sequence, expires, write)))
    }

    /// Removes the messages up to this one; whether there was any.
    pub(super) async fn purge(&self, name: &str, sequence: u64) -> Result<bool> {
        let purge = self.stream.purge().filter(self.subject(name)).sequence(sequence + 1);
        Ok(purge.await.map_err(failure::purging)?.purged > 0)
    }

    /// Removes this very message; whether it was the latest. One of a higher sequence, as there may be in a bucket that was made
    /// anew, would be removed by a purge alone.
    pub(super) async fn remove(&self, name: &str, sequence: u64) -> Result<bool> {
        let mut headers = HeaderMap::new();
        headers.insert(OPERATION, "PURGE");
        // A sweep frees what a lost connection leaves.
        headers.insert(EXPIRES, wall_clock::now().to_string());
        let message = PublishMessage::build().headers(headers);
        match self.send(name, message.expected_last_subject_sequence(sequence)).await? {
            Some(marker) => self.purge(name, marker).await.map(|_| true),
            None => Ok(false),
        }
    }

    /// Sends a message; its sequence, or `None` if the latest one is not the one that is expected.
    async fn send(&self, name: &str, message: PublishMessage) -> Result<Option<u64>> {
        let sent = self.context.send_publish(self.subject(name), message).await;
        match sent.map_err(failure::publishing)?.await {
            Ok(ack) => Ok(Some(ack.sequence)),
            Err(error) if failure::is_of_another_write(&error) => Ok(None),
            Err(error) => Err(failure::publishing(error)),
        }
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
    /// How many entries there were when the list began.
    pub(super) fn length(&self) -> u64 {
        self.consumer.cached_info().num_pending
    }

    /// The next entries, and whether they are the last; none at the end. A server that waits for messages which were replaced
    /// meanwhile gives what it has.
    pub(super) async fn page(&self, length: usize) -> Result<(Vec<Entry>, bool)> {
        let fetch = self.consumer.fetch().max_messages(length).expires(PAGE_PATIENCE);
        let mut messages = fetch.messages().await.map_err(failure::receiving)?;
        let mut page = Vec::new();
        let mut is_last = true;
        while let Some(message) = messages.next().await {
            let message = message.map_err(failure::receiving)?;
            let info = message.info().map_err(failure::receiving)?;
            let sequence = info.stream_sequence;
            is_last = info.pending == 0;
            if let Some(name) = message.subject.strip_prefix(&self.bucket.prefix) {
                let headers = message.headers.clone().unwrap_or_default();
                page.push(Entry::read(name.to_owned(), sequence, Bytes::new(), &headers));
            }
        }
        Ok((page, is_last))
    }
}

impl Entry {
    fn read(name: String, sequence: u64, value: Bytes, headers: &HeaderMap) -> Entry {
        let header = |name: &str| headers.get(name).map(|value| value.as_str());
        let expires = header(EXPIRES).and_then(|expires| expires.parse().ok());
        let seen = header(VERSION).and_then(|version| version.parse().ok());
        let write = header(WRITE).and_then(|write| write.parse().ok());
        let write = write.unwrap_or_else(|| version::digest(&value));
        Entry {
            name,
            sequence,
            value,
            expires,
            version: seen.unwrap_or_else(|| Seen::new(sequence, expires, write)),
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
