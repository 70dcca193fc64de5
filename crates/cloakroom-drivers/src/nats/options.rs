//! What a configuration says.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::ServerAddr;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde::Deserialize;

use super::NAME;
use crate::common::base::beginning_of_names;
use crate::common::wall_clock;
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a silent server is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// The pause before a connection is tried again, which doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The options, all of which are ours: unstorage has no such driver.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// One server of the cluster, or several with commas in between, with a user and a password, or a token, where there
    /// are such; by default the environment's `NATS_URL`, or `nats://localhost:4222`.
    pub url: Option<String>,
    /// The token, where the URL does not have it.
    pub token: Option<String>,
    /// The path of a file of credentials, as NATS's own programs take it.
    pub credentials: Option<PathBuf>,
    /// The bucket, `sessions` by default: letters, digits, `-` and `_`. It has to keep one revision of a key, as it does
    /// unless it was told otherwise.
    pub bucket: String,
    /// What all keys begin with, before a `:`. Nothing by default.
    pub base: String,
    /// On how many servers a bucket is that is not there yet, 1 by default.
    pub replicas: usize,
    /// What a bucket is kept on that is not there yet, `file` by default.
    pub storage: Storage,
}

/// What a bucket is kept on.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Storage {
    /// On disk.
    #[default]
    File,
    /// In the servers' memory: gone when they end.
    Memory,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            url: None,
            token: None,
            credentials: None,
            bucket: "sessions".to_owned(),
            base: String::new(),
            replicas: 1,
            storage: Storage::default(),
        }
    }
}

impl Options {
    /// The default options for the cluster with this server, or with these, with commas in between.
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: Some(url.into()), ..Options::default() }
    }

    /// These, if they are possible, with the environment's URL where they have none.
    pub(super) fn checked(mut self) -> Result<Options> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if self.bucket.is_empty() || !self.bucket.chars().all(is_name) {
            let message = "option `bucket`: a name has letters, digits, `-` and `_`";
            return Err(options::invalid(NAME, message));
        }
        if self.url.is_none() {
            self.url = env::var("NATS_URL").ok().filter(|url| !url.is_empty());
        }
        self.addresses()?;
        Ok(self)
    }

    /// What all keys begin with.
    pub(super) fn base(&self) -> Result<String> {
        beginning_of_names(NAME, &self.base)
    }

    pub(super) fn addresses(&self) -> Result<Vec<ServerAddr>> {
        let url = self.url.as_deref().unwrap_or("nats://localhost:4222");
        let addresses = url.split(',').map(|url| url.trim().parse());
        // The cause could show a password.
        addresses.collect::<Result<_, _>>().map_err(|_| {
            let message = "option `url` must have addresses such as `nats://localhost:4222`";
            options::invalid(NAME, message)
        })
    }

    pub(super) async fn connection(&self) -> Result<async_nats::ConnectOptions> {
        let mut connection = async_nats::ConnectOptions::new()
            .name("cloakroom")
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING_INTERVAL)
            .reconnect_delay_callback(|attempts| {
                let doublings = u32::try_from(attempts).unwrap_or(u32::MAX).min(10);
                FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
            });
        // The client does not look into the URL by itself.
        let addresses = self.addresses()?;
        let named = addresses.iter().find_map(|address| {
            let name = address.username()?.to_owned();
            Some((name, address.password().map(str::to_owned)))
        });
        connection = match (&self.token, named) {
            (Some(token), _) => connection.token(token.clone()),
            (None, Some((name, Some(password)))) => connection.user_and_password(name, password),
            (None, Some((token, None))) => connection.token(token),
            (None, None) => connection,
        };
        if let Some(path) = &self.credentials {
            connection = connection.credentials_file(path).await.map_err(|error| {
                let message = "option `credentials`: the file cannot be read";
                options::invalid(NAME, message).with_source(error)
            })?;
        }
        // Without authorities to trust, as in an empty container, only TLS is out of reach.
        Ok(match tls() {
            Ok(tls) => connection.tls_client_config(tls),
            Err(error) => {
                tracing::debug!(%error, "no certificates of the operating system");
                connection
            }
        })
    }

    /// The stream of a new bucket, as NATS's own programs make it, but that its sequences begin at the time, in microseconds
    /// since 1970: so those of an earlier bucket of this name never come again.
    pub(super) fn stream(&self) -> Config {
        Config {
            name: format!("KV_{}", self.bucket),
            subjects: vec![format!("$KV.{}.>", self.bucket)],
            max_messages_per_subject: 1,
            storage: match self.storage {
                Storage::File => StorageType::File,
                Storage::Memory => StorageType::Memory,
            },
            num_replicas: self.replicas,
            discard: DiscardPolicy::New,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            // What follows, older servers do not know, and ignore.
            allow_message_ttl: true,
            first_sequence: Some(wall_clock::now().unsigned_abs().saturating_mul(1000)),
            ..Config::default()
        }
    }
}

fn tls() -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|error| Error::new(ErrorKind::Other, "there is no TLS").with_source(error))?;
    Ok(tls.with_no_client_auth())
}

impl fmt::Debug for Options {
    /// Neither the token nor the URL, which may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}
