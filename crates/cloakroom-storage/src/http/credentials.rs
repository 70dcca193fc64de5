//! Where credentials are looked for: in the environment, in files, and at the services that give them.

use reqsign_core::{Context, FileRead, HttpSend, OsEnv};

use super::{Client, Request, Response};

/// All of these places.
pub(crate) fn context(client: Client) -> Context {
    Context::new().with_env(OsEnv).with_file_read(Files).with_http_send(Web(client))
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
        read.map_err(std::io::Error::other).flatten().map_err(unreadable)
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
