//! Where credentials are looked for: in the environment, in files, and at the services that give them.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use reqsign_core::{Context, FileRead, HttpSend, OsEnv};

use super::{Client, Request, Response};
use cloakroom_storage::Error;

/// All of these places.
pub(crate) fn context(client: Client) -> Context {
    Context::new().with_env(OsEnv).with_file_read(Files).with_http_send(Web(client))
}

/// Notices that a service which gives credentials is away. The chains of sources go on with the next one then, and say
/// nothing of it; but what the next one has is somebody else's.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    context: Context,
    is_away: Arc<AtomicBool>,
}

impl Watched {
    pub(super) fn new(context: Context) -> Watched {
        Watched { context, is_away: Arc::default() }
    }

    /// The same places, watched.
    pub(super) fn context(&self) -> Context {
        self.context.clone().with_http_send(self.clone())
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }
}

/// Where machines in a cloud are told who they are. Elsewhere nobody is there, and that means nothing.
const OF_MACHINES: [&str; 2] = ["169.254.169.254", "metadata.google.internal"];

impl HttpSend for Watched {
    async fn http_send(&self, request: Request) -> reqsign_core::Result<Response> {
        let is_of_machines = request.uri().host().is_some_and(|host| OF_MACHINES.contains(&host));
        let answer = self.context.http_send(request).await;
        let is_away = match &answer {
            Ok(answer) => {
                let status = answer.status();
                status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
            }
            Err(error) => !(is_of_machines && is_nobody_there(error)),
        };
        if is_away {
            self.is_away.store(true, Ordering::Relaxed);
        }
        answer
    }
}

fn is_nobody_there(error: &reqsign_core::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<Error>());
    source.is_some_and(Error::is_unapplied)
}

/// Reads the files in which profiles and tokens are.
#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> reqsign_core::Result<Vec<u8>> {
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let unreadable = |error: std::io::Error| {
            reqsign_core::Error::config_invalid("a file cannot be read").with_source(error)
        };
        read.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(unreadable)
    }
}

/// Asks the services that give credentials.
#[derive(Debug)]
struct Web(Client);

impl HttpSend for Web {
    async fn http_send(&self, request: Request) -> reqsign_core::Result<Response> {
        self.0.send(request).await.map_err(|error| {
            reqsign_core::Error::unexpected("no answer").with_source(error).set_retryable(true)
        })
    }
}
